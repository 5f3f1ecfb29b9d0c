import { type Command, Option } from 'commander';
import { isKernelId } from '../../../server/abi/kernel-ids.ts';
import { STOCK_NAME } from '../../../server/patches/patches.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import {
  AB_SEARCHES,
  type AbVerdict,
  abVerdict,
  abWord,
  type ExitOn,
  type Side,
} from '../../../server/verify/verdict/ab-verdict.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { abPlain, abText } from '../explore/ab-text.ts';
import { newProgressOfMany } from '../explore/search-progress.ts';
import { interruptible } from '../interruptible.ts';
import { kernelOption } from '../kernel-option.ts';
import { type ChoiceOptions, planFrom, scenarioFrom } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';

export interface VerdictCommandOptions {
  readonly kernel?: string;
  readonly before: string;
  readonly after: string;
  readonly driver: readonly string[];
  readonly devices?: number;
  readonly migrators?: number;
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly exitOn: ExitOn;
  readonly json?: true;
}

export function addVerdictCommand(program: Command): void {
  program
    .command('verdict')
    .description(
      'compare two kernels on scenarios: what can come of them now that could not before',
    )
    .argument('<scenarios...>', 'scenarios that ship, or files (*.yaml)')
    .option(
      '--before <kernel>',
      "'stock', a patch that ships, a file that exports one, or a version of Linux",
      'stock',
    )
    .requiredOption('--after <kernel>', 'likewise')
    .addOption(kernelOption())
    .option('--driver <actor=name>', 'the driver of a device, or of all, on both', collect, [])
    .option('--devices <number>', 'where the scenario has them as a parameter', wholeNumber(1, 16))
    .option('--migrators <number>', 'likewise', wholeNumber(0, 16))
    .option('--budget-executions <number>', 'of each search', wholeNumber(1, 1e12), 200_000)
    .option('--budget-seconds <number>', 'of each search', wholeNumber(1, 1e6), 20)
    .addOption(
      new Option(
        '--exit-on <what>',
        'exit 1 if a failure appeared, or if the kernel after is broken at all',
      )
        .choices(['appeared', 'broken'])
        .default('appeared'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
The searches do not stop at the first failure; if the budget ends them, that is said. What follows
the line of dashes fits a reply to a mailing list.

Exit codes: 0 both are known and no failure appeared, 1 the kernel after can fail as the one before
cannot (--exit-on broken: it can fail), 2 unknown, 64 the question is wrong, 130 interrupted: what was
known by then is printed.

Examples:
  mmrace verdict seed-zero-page --after remove-second-invalidate
  mmrace verdict scenarios/*.yaml --before stock --after ./mine.ts --kernel 6.12
  mmrace verdict scenarios/*.yaml --before 6.1 --after 6.12    what an upgrade changes`,
    )
    .action(ending(run));
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

async function run(files: readonly string[], options: VerdictCommandOptions): Promise<ExitCode> {
  const asked: Question[] = [];
  // Whatever is wrong with a question is said before the first search.
  for (const file of files) asked.push(await sidesOf(file, options));
  const told = answered(asked, options);
  print(
    options.json === true
      ? JSON.stringify(abPlain(told.verdicts, options))
      : abText(files, told.verdicts, options),
  );
  if (told.ended === 'by itself') return exitCodeOf(told.verdicts, options.exitOn);
  const left = asked.length - told.verdicts.length;
  say(
    `mmrace: interrupted${left > 0 ? `; ${left} of ${asked.length} scenarios were not begun` : ''}`,
  );
  return EXIT.INTERRUPTED;
}

interface Question {
  readonly before: Side;
  readonly after: Side;
}

interface Told {
  /** Of the scenarios that were begun. */
  readonly verdicts: readonly AbVerdict[];
  readonly ended: 'by itself' | 'interrupted';
}

/** Ctrl-C ends it with what is known by then. */
function answered(questions: readonly Question[], options: VerdictCommandOptions): Told {
  const progress = newProgressOfMany(questions.length * AB_SEARCHES);
  const verdicts: AbVerdict[] = [];
  let ended: Told['ended'] = 'by itself';
  const attempt = <T>(search: () => T): T | 'interrupted' => {
    if (ended === 'interrupted') return 'interrupted';
    const answer = interruptible(search);
    if (answer === 'interrupted') ended = 'interrupted';
    progress.searched();
    return answer;
  };
  for (const { before, after } of questions) {
    if (ended !== 'by itself') break;
    const { name } = before.plan.scenario;
    verdicts.push(
      abVerdict(before, after, {
        executions: options.budgetExecutions,
        seconds: options.budgetSeconds,
        seed: 1,
        clock: () => performance.now(),
        onProgress: (now) => progress.at(now, name),
        attempt,
      }),
    );
  }
  progress.end();
  return { verdicts, ended };
}

async function sidesOf(file: string, options: VerdictCommandOptions): Promise<Question> {
  const scenario = scenarioFrom(file);
  const { before, after, ...both } = options;
  return {
    before: await sideNamed(before, scenario, both),
    after: await sideNamed(after, scenario, both),
  };
}

async function sideNamed(
  name: string,
  scenario: Scenario,
  both: Omit<ChoiceOptions, 'patch'>,
): Promise<Side> {
  const side = sideOf(name);
  return { kernel: name, patch: side.patch, plan: await planFrom(scenario, { ...both, ...side }) };
}

/** A version of Linux without patches, or a patch of the version that is asked about. */
function sideOf(name: string): { readonly kernel?: string; readonly patch: string } {
  return isKernelId(name) ? { kernel: name, patch: STOCK_NAME } : { patch: name };
}

function exitCodeOf(verdicts: readonly AbVerdict[], on: ExitOn): ExitCode {
  switch (abWord(verdicts, on)) {
    case 'holds':
      return EXIT.OK;
    case 'broken':
      return EXIT.BROKEN;
    case 'unknown':
      return EXIT.UNKNOWN;
  }
}
