import type { Command } from 'commander';
import { Option } from 'commander';
import type { Strategy } from '../../../server/lab/explore/explore-options.ts';
import {
  exploreScenario,
  type ScenarioVerdict,
} from '../../../server/lab/explore/explore-scenario.ts';
import { plainVerdict } from '../../../server/lab/explored/plain.ts';
import { reportOf } from '../../../server/lab/explored/report.ts';
import { FORMAT_NAMES, type FormatName } from '../../../server/lab/report/formats.ts';
import type { ScenarioPlan } from '../../../server/lab/scenario/scenario-plan.ts';
import { checkWritable, keptOf, reproduceLine, saveKept, tokenOf } from '../counterexample/kept.ts';
import { ending, print } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { textOf } from '../explored/text.ts';
import { newProgress } from '../progress.ts';
import { type ChoiceOptions, planFrom, scenarioFrom } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';

const STRATEGIES = ['dpor', 'dfs', 'random', 'pct', 'urw'] as const;

/** How to search, as the command line says it. */
export interface SearchSettings {
  readonly strategy: Strategy;
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly seed: number;
  readonly depth: number;
  readonly preemptions?: number;
}

export interface ExploreCommandOptions extends ChoiceOptions, SearchSettings {
  readonly workers: number;
  readonly json?: true;
  readonly jsonl?: true;
  readonly save?: string;
  readonly format?: FormatName;
}

export function addExploreCommand(program: Command): void {
  program
    .command('explore')
    .description('search the interleavings of a scenario: holds, broken or unknown')
    .argument('<scenario>', 'a scenario file (*.yaml)')
    .option(
      '--patch <name>',
      "'stock', a patch that ships, or a file that exports `patch`",
      'stock',
    )
    .option(
      '--driver <actor=name>',
      'the driver of a device, or of all: a name or a file',
      collect,
      [],
    )
    .option('--devices <number>', 'where the scenario has them as a parameter', wholeNumber(1, 16))
    .option('--migrators <number>', 'likewise', wholeNumber(0, 16))
    .addOption(new Option('--strategy <name>', 'how to search').choices(STRATEGIES).default('dpor'))
    .option('--budget-executions <number>', 'stop after so many', wholeNumber(1, 1e12), 1_000_000)
    .option('--budget-seconds <number>', 'stop after so long', wholeNumber(1, 1e6), 60)
    .option('--seed <number>', 'for the random strategies', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--depth <number>', 'pct: ordering constraints of the bug', wholeNumber(1, 16), 3)
    .option(
      '--preemptions <number>',
      'switch away from a task that could go on so often at most',
      wholeNumber(0, 64),
    )
    .option('--workers <number>', 'threads to search with', wholeNumber(1, 64), 1)
    .option('--json', 'print one JSON object')
    .option('--jsonl', 'print progress as JSON objects, a line each, then the verdict')
    .addOption(new Option('--format <name>', 'print a report instead').choices(FORMAT_NAMES))
    .option('--save <file>', 'write the counterexample into a file, for mmrace replay')
    .addHelpText(
      'after',
      `
Exit codes: 0 holds, 1 broken, 2 unknown, 64 the question is wrong.

Examples:
  mmrace explore scenarios/seed-zero-page.yaml
  mmrace explore scenarios/seed-zero-page.yaml --patch remove-second-invalidate
  mmrace explore scenarios/seed-zero-page.yaml --strategy pct --seed 7 --json`,
    )
    .action(ending(run));
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

async function run(file: string, options: ExploreCommandOptions): Promise<ExitCode> {
  if (options.save !== undefined) checkWritable(options.save);
  const plan = await planFrom(scenarioFrom(file), options);
  const progress = newProgress('executions');
  const verdict = verdictOf(plan, options, (executions) => progress.at(executions));
  progress.end();
  const kept = keptOf(verdict, options);
  if (options.save !== undefined) saveKept(options.save, kept, verdict);
  if (options.format !== undefined) {
    print(reportOf(file, plan, options, verdict, options.format));
    return exitCodeOf(verdict);
  }
  print(
    options.json === true
      ? JSON.stringify(plainVerdict(plan, { patch: options.patch, token: tokenOf(kept) }, verdict))
      : textOf(plan, options, verdict) + reproduceLine(kept),
  );
  return exitCodeOf(verdict);
}

/** Explores `plan` in this process. */
export function verdictOf(
  plan: ScenarioPlan,
  options: SearchSettings,
  onProgress: (executions: number) => void = () => undefined,
): ScenarioVerdict {
  const { strategy, budgetExecutions, budgetSeconds, seed, depth, preemptions } = options;
  return exploreScenario(plan, {
    strategy,
    budgetExecutions,
    budgetSeconds,
    seed,
    depth,
    ...(preemptions === undefined ? {} : { preemptionsMax: preemptions }),
    clock: () => performance.now(),
    onProgress: ({ executions }) => onProgress(executions),
  });
}

export function exitCodeOf({ verdict }: ScenarioVerdict): ExitCode {
  if (verdict === 'holds') return EXIT.OK;
  return verdict === 'broken' ? EXIT.BROKEN : EXIT.UNKNOWN;
}
