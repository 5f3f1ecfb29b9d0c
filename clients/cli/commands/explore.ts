import type { Command } from 'commander';
import { Option } from 'commander';
import type { KernelId } from '../../../server/abi/kernel-ids.ts';
import { FORMAT_NAMES, type FormatName } from '../../../server/report/format-names.ts';
import { scenarioOf } from '../../../server/scenario/explore-request.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { plainVerdict } from '../../../server/verify/answer/plain.ts';
import { reportOf } from '../../../server/verify/answer/report.ts';
import {
  exploreScenario,
  type ScenarioVerdict,
} from '../../../server/verify/explore/explore-scenario.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { adviceFor, adviceText } from '../explore/advice.ts';
import { type Answered, answerTo } from '../explore/answer.ts';
import {
  DEFAULT_ENTRIES,
  exploreFrom,
  plainMoment,
  reportOfMoment,
  saveMoment,
  textOfMoment,
} from '../explore/from-moment.ts';
import { exploreOnKernels } from '../explore/on-kernels.ts';
import {
  checkWritable,
  keptOf,
  reproduceLine,
  saveKept,
  tokenOf,
} from '../explore/saved-counterexample.ts';
import { newSearchProgress } from '../explore/search-progress.ts';
import {
  DEFAULT_BUDGET_SECONDS,
  DEFAULT_DEPTH,
  DEFAULT_SEED,
  type SearchSettings,
  searchDataOf,
} from '../explore/search-settings.ts';
import { textOf } from '../explore/text.ts';
import { UsageError } from '../failure.ts';
import { kernelOption, kernelsOption } from '../kernel-option.ts';
import { patchOption } from '../patch-option.ts';
import { askedFrom, type ChoiceOptions } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';

const STRATEGIES = ['dpor', 'dfs', 'random', 'pct', 'urw'] as const;

export interface ExploreCommandOptions extends ChoiceOptions, SearchSettings {
  readonly workers: number;
  readonly json?: true;
  readonly jsonl?: true;
  readonly save?: string;
  readonly from?: string;
  readonly entries: number;
  readonly kernels?: readonly KernelId[];
  readonly format?: FormatName;
}

export function addExploreCommand(program: Command): void {
  program
    .command('explore')
    .description('search the interleavings of a scenario: holds, broken or unknown')
    .argument('[scenario]', 'a scenario that ships, or a file (*.yaml); none with --from')
    .addOption(kernelOption())
    .addOption(kernelsOption().conflicts(['kernel', 'jsonl', 'format', 'save', 'from', 'entries']))
    .addOption(patchOption())
    .option(
      '--driver <actor=name>',
      'the driver of a device, or of all: a name or a file',
      collect,
      [],
    )
    .option('--devices <number>', 'where the scenario has them as a parameter', wholeNumber(1, 16))
    .option('--migrators <number>', 'likewise', wholeNumber(0, 16))
    .addOption(new Option('--strategy <name>', 'how to search').choices(STRATEGIES).default('dpor'))
    .option(
      '--budget-executions <number>',
      'stop after so many (default: what the scenario says, else 1000000)',
      wholeNumber(1, 1e12),
    )
    .option(
      '--budget-seconds <number>',
      'stop after so long',
      wholeNumber(1, 1e6),
      DEFAULT_BUDGET_SECONDS,
    )
    .option(
      '--skip-executions <number>',
      'random strategies: go on behind so many',
      wholeNumber(0, 1e12),
    )
    .option(
      '--seed <number>',
      'for the random strategies',
      wholeNumber(0, 2 ** 31 - 1),
      DEFAULT_SEED,
    )
    .option(
      '--depth <number>',
      'pct: ordering constraints of the bug',
      wholeNumber(1, 16),
      DEFAULT_DEPTH,
    )
    .option(
      '--preemptions <number>',
      'switch away from a task that could go on so often at most',
      wholeNumber(0, 64),
    )
    .option(
      '--memory <megabytes>',
      'dpor: what a thread remembers of states takes so much at most; then it goes on without more (default: 1024)',
      wholeNumber(1, 1e6),
    )
    .option('--workers <number>', 'threads to search with', wholeNumber(1, 64), 1)
    .addOption(new Option('--json', 'print one JSON object').conflicts(['jsonl', 'format']))
    .addOption(
      new Option(
        '--jsonl',
        'print progress as JSON objects, a line each, then the verdict',
      ).conflicts('format'),
    )
    .addOption(new Option('--format <name>', 'print a report instead').choices(FORMAT_NAMES))
    .option('--save <file>', 'write the counterexample into a file, for mmrace replay')
    .option('--from <run@step>', 'explore what could have followed an entry of a recorded lab')
    .option(
      '--entries <number>',
      'with --from: how many of the entries that followed are played, in any order',
      wholeNumber(1, 100_000),
      DEFAULT_ENTRIES,
    )
    .addHelpText(
      'after',
      `
Exit codes: 0 holds, 1 broken, 2 unknown, 64 the question is wrong, 130 interrupted.

Examples:
  mmrace explore seed-zero-page
  mmrace explore seed-zero-page --patch remove-second-invalidate
  mmrace explore seed-zero-page --kernel 6.1 --patch remove-second-invalidate
  mmrace explore seed-zero-page --kernels all
  mmrace explore seed-zero-page --patch ./mine.ts --driver reader=./map-late.ts
  mmrace explore seed-zero-page --devices 3 --preemptions 2 --budget-seconds 300
  mmrace explore seed-zero-page --strategy pct --depth 2 --seed 7 --workers 2 --json
  mmrace explore seed-zero-page --jsonl | jq -r .verdict
  mmrace explore --from recorded/demo.jsonl@9 --entries 16`,
    )
    .action(ending(run));
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

async function run(file: string | undefined, options: ExploreCommandOptions): Promise<ExitCode> {
  if (options.save !== undefined) checkWritable(options.save);
  const { from } = options;
  if (from !== undefined) {
    if (file !== undefined)
      throw new UsageError('--from explores a recording: leave the scenario out');
    return runFrom({ ...options, from });
  }
  if (file === undefined)
    throw new UsageError('expected a scenario file, or --from RUN.jsonl@STEP');
  if (options.kernels !== undefined) return exploreOnKernels(file, options, options.kernels);
  const asked = askedFrom(file, options);
  const search = searchDataOf(scenarioOf(asked), options);
  const progress = newSearchProgress(search, options.jsonl === true ? 'jsonl' : 'text');
  const answered = await answerTo(asked, search, {
    workers: options.workers,
    onProgress: (now) => progress.at(now),
  });
  progress.end();
  const { verdict } = answered;
  const kept = keptOf(verdict, options);
  if (options.save !== undefined) saveKept(options.save, kept, verdict);
  if (options.format !== undefined) {
    print(reportOf(file, verdict.plan, options, verdict, options.format));
    return endOf(answered);
  }
  const advice = await adviceFor(asked, search, answered);
  if (options.json === true || options.jsonl === true) {
    const choice = { patch: options.patch, token: tokenOf(kept) };
    const plain = { ...plainVerdict(verdict.plan, choice, verdict), advice };
    print(JSON.stringify(options.jsonl === true ? { type: 'verdict', ...plain } : plain));
  } else {
    print(textOf(verdict.plan, options, verdict) + reproduceLine(kept) + adviceText(advice));
    if (options.driver.length > 0 && !verdict.plan.oracles.has('OR6'))
      say(`\n${contractLine(file, options)}`);
  }
  return endOf(answered);
}

/** What the search did not ask of a driver: to keep the rules that no wrong value follows from here. */
function contractLine(file: string, { driver }: ExploreCommandOptions): string {
  const drivers = driver.map((choice) => `--driver ${choice}`).join(' ');
  return `The driver contract was not asked about; this asks: npx mmrace certify ${file} ${drivers}`;
}

function runFrom(options: ExploreCommandOptions & { readonly from: string }): ExitCode {
  const answer = exploreFrom(options);
  if (options.save !== undefined) saveMoment(options.save, answer);
  if (options.format !== undefined) print(reportOfMoment(answer, options, options.format));
  else if (options.json === true || options.jsonl === true) {
    print(JSON.stringify(plainMoment(answer)));
  } else print(textOfMoment(answer));
  return exitCodeOf(answer.verdict);
}

function endOf({ ended, verdict }: Answered): ExitCode {
  return ended === 'interrupted' ? EXIT.INTERRUPTED : exitCodeOf(verdict);
}

/** Explores `plan` in this process. */
export function verdictOf(
  plan: ScenarioPlan,
  options: SearchSettings,
  onProgress: (executions: number) => void = () => undefined,
): ScenarioVerdict {
  return exploreScenario(plan, {
    ...searchDataOf(plan.scenario, options),
    clock: () => performance.now(),
    onProgress: ({ executions }) => onProgress(executions),
  });
}

export function exitCodeOf({ verdict }: Pick<ScenarioVerdict, 'verdict'>): ExitCode {
  if (verdict === 'holds') return EXIT.OK;
  return verdict === 'broken' ? EXIT.BROKEN : EXIT.UNKNOWN;
}
