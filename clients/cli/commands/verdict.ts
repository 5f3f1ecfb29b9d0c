import { type Command, Option } from 'commander';
import { DEFAULT_KERNEL, isKernelId } from '../../../server/abi/kernel-ids.ts';
import { jointName, STOCK_NAME } from '../../../server/patches/joint-name.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { LIST_COLUMNS_MAX } from '../../../server/report/lines/list-columns.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import type { ScenarioChoice } from '../../../server/scenario/scenario-plan.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import { BadSetup } from '../../../server/scenario/scenario-world.ts';
import { shippedScenarioNames } from '../../../server/scenario/shipped-scenarios.ts';
import { scenariosReaching } from '../../../server/verify/coverage/reaching-scenarios.ts';
import {
  SHAPE_SIZES,
  type Shape,
  scenarioOfShape,
  shapesOf,
} from '../../../server/verify/shapes/shapes.ts';
import {
  AB_SEARCHES,
  type AbBudget,
  type AbVerdict,
  type AbWord,
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
import { askRecordings, type RecordingsAnswer, recordingsText } from '../recordings-first.ts';
import { type ChoiceOptions, newPlanner, type Planner, scenarioFrom } from '../scenario-choice.ts';
import { askShapes, changedBetween, type KernelSide, kernelSide } from '../shapes/ask-shapes.ts';
import {
  addCatalogueOptions,
  type CatalogueCommandOptions,
  chosenOf,
} from '../shapes/catalogue-options.ts';
import { catalogueText } from '../shapes/catalogue-text.ts';
import { wholeNumber } from '../whole-number.ts';

export interface VerdictCommandOptions extends CatalogueCommandOptions {
  /** Of the catalogue: the most operations of a shape. */
  readonly shapes?: number;
  readonly kernel?: string;
  readonly before: string;
  readonly after: string;
  readonly driver: readonly string[];
  readonly devices?: number;
  readonly migrators?: number;
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly exitOn: ExitOn;
  readonly recordings: boolean;
  readonly json?: true;
}

export function addVerdictCommand(program: Command): void {
  const command = program
    .command('verdict')
    .description(
      'compare two kernels on scenarios: what can come of them now that could not before',
    )
    .argument(
      '[scenarios...]',
      'scenarios that ship, or files (*.yaml); none: those that ship and run what differs, till one got worse',
    )
    .option(
      '--before <kernel>',
      "'stock', a patch that ships, a file that exports one, or a version of Linux; once for each of several patches",
      together,
      STOCK_NAME,
    )
    .requiredOption('--after <kernel>', 'likewise', together)
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
    .option('--no-recordings', 'do not ask the recordings of Linux first')
    .option(
      '--shapes <size>',
      'ask the catalogue of shapes as well, up to so many operations',
      wholeNumber(1, 3),
    );
  addCatalogueOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
A patch is held against the recordings of Linux that ship first, for as long as one search may take:
they may refute it alone.

The searches do not stop at the first failure; if the budget ends them, that is said. What follows
the line of dashes fits a reply to a mailing list.

Exit codes: 0 both are known and no failure appeared, 1 the kernel after can fail as the one before
cannot (--exit-on broken: it can fail), 2 unknown, 64 the question is wrong, or holds where it could be
asked and some scenario cannot be set up, 130 interrupted: what was known by then is printed.

Examples:
  mmrace verdict --after ./mine.ts --shapes 2    what no scenario is written for: mmrace shapes --help
  mmrace verdict seed-zero-page --after remove-second-invalidate
  mmrace verdict scenarios/*.yaml --before stock --after ./mine.ts --kernel 6.12
  mmrace verdict scenarios/*.yaml --before 6.1 --after 6.12    what an upgrade changes`,
    )
    .action(ending(run));
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

async function run(named: readonly string[], options: VerdictCommandOptions): Promise<ExitCode> {
  const change =
    named.length > 0 && options.shapes === undefined ? 'not needed' : await changeAsked(options);
  const files = named.length > 0 || change === 'not needed' ? named : scenariosFor(change);
  const { asked, setups } = await unlessInterrupted(files, questionsOf(files, options));
  const recorded = await recordingsOn(sideAfter(asked, change), options);
  if (recorded !== 'none' && options.json !== true)
    print(`${recordingsText(recorded, options.after)}\n`);
  if (recorded !== 'none' && recorded.ended === 'interrupted') {
    say(`mmrace: interrupted; ${notBegun(files, files.length)}`);
    return EXIT.INTERRUPTED;
  }
  const chosen = named.length === 0;
  const answers = answered(asked, options, setups, chosen ? 'one that is worse' : 'the last');
  if (files.length > 0 && answers.verdicts.length === 0) refuseWhere(setups);
  const catalogue =
    options.shapes === undefined || change === 'not needed' || answers.ended === 'interrupted'
      ? 'not asked'
      : await askShapes(shapesUpTo(options), change.sides, options);
  const parts = [
    ...(answers.notAsked.length === 0 ? [] : [notAskedText(answers.notAsked)]),
    files.length > 0 || change === 'not needed'
      ? abText(files, answers.verdicts, options)
      : noneReaches(change),
    ...setups.map(({ scenario, message }) => `${scenario}: not judged. ${message}`),
    ...(catalogue === 'not asked' ? [] : [catalogueText(catalogue.report)]),
  ];
  const refuted = recorded !== 'none' && recorded.differs !== 'none';
  const word = worst([
    ...(refuted ? (['broken'] as const) : []),
    ...(files.length > 0 ? [abWord(answers.verdicts, options.exitOn)] : []),
    ...(catalogue === 'not asked' ? [] : [catalogue.report.verdict]),
  ]);
  const plain = {
    ...abPlain(answers.verdicts, options),
    verdict: word,
    recordings: recorded,
    notAsked: answers.notAsked,
    ...(setups.length === 0 ? {} : { brokenSetups: setups }),
    ...(catalogue === 'not asked' ? {} : { shapes: catalogue.report }),
  };
  print(options.json === true ? JSON.stringify(plain) : parts.join('\n\n'));
  const interrupted = catalogue !== 'not asked' && catalogue.ended === 'interrupted';
  if (answers.ended === 'by itself' && !interrupted) {
    return word === 'holds' && setups.length > 0 ? EXIT.USAGE : exitCodeOf(word);
  }
  const left = asked.length - answers.verdicts.length - answers.notAsked.length;
  say(`mmrace: interrupted${left > 0 ? `; ${notBegun(asked, left)}` : ''}`);
  return EXIT.INTERRUPTED;
}

/** While own code is tried nothing is known yet: an interruption ends the process with that. */
async function unlessInterrupted<T>(files: readonly string[], questions: Promise<T>): Promise<T> {
  const interrupt = (): never => {
    say(`mmrace: interrupted; ${notBegun(files, files.length)}`);
    process.exit(EXIT.INTERRUPTED);
  };
  process.once('SIGINT', interrupt);
  try {
    return await questions;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function notAskedText(names: readonly string[]): string {
  const what = counted(names.length, 'further scenario');
  return wrapText(
    `${what} that run what differs were not asked, since one that got worse is enough: ${names.join(', ')}`,
    LIST_COLUMNS_MAX,
  ).join('\n');
}

function notBegun(of: readonly unknown[], left: number): string {
  return `${left} of ${of.length} scenarios were not begun`;
}

/** What they say of the patch after; 'none' for a version of Linux, or where there are none. */
async function recordingsOn(
  { kernel = DEFAULT_KERNEL, ...choice }: ScenarioChoice,
  { recordings, budgetSeconds }: VerdictCommandOptions,
): Promise<RecordingsAnswer | 'none'> {
  if (!recordings) return 'none';
  if (choice.patches.length === 0) return 'none';
  let go: 'go on' | 'stop' = 'go on';
  const interrupt = (): void => {
    go = 'stop';
  };
  process.once('SIGINT', interrupt);
  try {
    return await askRecordings(kernel, choice.patches, { seconds: budgetSeconds, goOn: () => go });
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function sideAfter([first]: readonly Question[], change: Change | 'not needed'): ScenarioChoice {
  if (change !== 'not needed') return change.sides.after.choice;
  if (first === undefined) throw new RangeError('there is no question');
  const { kernel, choice } = first.after.plan;
  return { ...choice, kernel };
}

function noneReaches({ functions }: Change): string {
  const what =
    functions === 'all' || functions.length === 0 ? 'what differs' : functions.join(', ');
  return `unknown: no scenario that ships runs ${what}`;
}

interface Change {
  readonly sides: { readonly before: KernelSide; readonly after: KernelSide };
  /** By names in KernelFunctions. */
  readonly functions: readonly string[] | 'all';
}

/** Throws: BadInput for a kernel that there is not. */
async function changeAsked({ kernel, before, after }: VerdictCommandOptions): Promise<Change> {
  const [first] = shapesOf(1);
  if (first === undefined) throw new RangeError('there are no shapes');
  const of = (name: string) =>
    kernelSide(scenarioOfShape(first), {
      ...(kernel === undefined ? {} : { kernel }),
      ...sideOf(name),
    });
  const sides = { before: await of(before), after: await of(after) };
  return { sides, functions: changedBetween(sides.before.choice, sides.after.choice) };
}

function scenariosFor({ functions }: Change): readonly string[] {
  if (functions === 'all') return shippedScenarioNames();
  return scenariosReaching(functions, () => performance.now());
}

function shapesUpTo(options: VerdictCommandOptions): Shape[] {
  const { shapes: size = 0 } = options;
  const all = SHAPE_SIZES.filter((one) => one <= size).flatMap((one) => [...shapesOf(one)]);
  return chosenOf(all, options);
}

/** A scenario that cannot be asked about with one of the kernels: the others are judged all the same. */
interface BrokenSetup {
  readonly scenario: string;
  readonly message: string;
}

interface Questions {
  readonly asked: readonly Question[];
  readonly setups: BrokenSetup[];
}

/** Whatever else is wrong with a question is said before the first search. */
async function questionsOf(
  files: readonly string[],
  options: VerdictCommandOptions,
): Promise<Questions> {
  const asked: Question[] = [];
  const setups: BrokenSetup[] = [];
  const planner = newPlanner();
  try {
    for (const file of files) {
      try {
        asked.push(await sidesOf(file, options, planner));
      } catch (error) {
        noteSetup(setups, file, error);
      }
    }
  } finally {
    await planner.close();
  }
  if (asked.length === 0) refuseWhere(setups);
  return { asked, setups };
}

/** Throws what is no broken setup. */
function noteSetup(setups: BrokenSetup[], scenario: string, error: unknown): void {
  if (!(error instanceof BadSetup)) throw error;
  setups.push({ scenario, message: error.message });
}

/** None is left to be judged. */
function refuseWhere(setups: readonly BrokenSetup[]): void {
  if (setups.length === 0) return;
  throw new BadSetup(setups.map(({ scenario, message }) => `${scenario}: ${message}`).join('\n'));
}

interface Question {
  readonly before: Side;
  readonly after: Side;
}

interface Told {
  /** Of the scenarios that were begun. */
  readonly verdicts: readonly AbVerdict[];
  readonly ended: 'by itself' | 'interrupted';
  /** Scenarios that one before them has made needless. */
  readonly notAsked: readonly string[];
}

/** Ctrl-C ends it with what is known by then. */
function answered(
  questions: readonly Question[],
  options: VerdictCommandOptions,
  setups: BrokenSetup[],
  until: 'the last' | 'one that is worse',
): Told {
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
  const notAsked: string[] = [];
  for (const { before, after } of questions) {
    if (ended !== 'by itself') break;
    const { name } = before.plan.scenario;
    if (until === 'one that is worse' && abWord(verdicts, options.exitOn) === 'broken') {
      notAsked.push(name);
      continue;
    }
    const budget: AbBudget = {
      executions: options.budgetExecutions,
      seconds: options.budgetSeconds,
      seed: 1,
      clock: () => performance.now(),
      onProgress: (now) => progress.at(now, name),
      attempt,
    };
    try {
      verdicts.push(abVerdict(before, after, budget));
    } catch (error) {
      noteSetup(setups, name, error);
    }
  }
  progress.end();
  return { verdicts, ended, notAsked };
}

async function sidesOf(
  file: string,
  options: VerdictCommandOptions,
  planner: Planner,
): Promise<Question> {
  const scenario = scenarioFrom(file);
  const { before, after, ...both } = options;
  return {
    before: await sideNamed(before, scenario, both, planner),
    after: await sideNamed(after, scenario, both, planner),
  };
}

async function sideNamed(
  name: string,
  scenario: Scenario,
  both: Omit<ChoiceOptions, 'patch'>,
  planner: Planner,
): Promise<Side> {
  const side = sideOf(name);
  const plan = await planner.planFrom(scenario, { ...both, ...side });
  return { kernel: name, patch: side.patch, plan };
}

function together(name: string, earlier?: string): string {
  return jointName([earlier ?? STOCK_NAME, name]);
}

/** A version of Linux without patches, or a patch of the version that is asked about. */
function sideOf(name: string): { readonly kernel?: string; readonly patch: string } {
  return isKernelId(name) ? { kernel: name, patch: STOCK_NAME } : { patch: name };
}

/** Of no answer at all: 'unknown'. */
function worst(words: readonly AbWord[]): AbWord {
  if (words.includes('broken')) return 'broken';
  return words.includes('unknown') || words.length === 0 ? 'unknown' : 'holds';
}

function exitCodeOf(word: AbWord): ExitCode {
  switch (word) {
    case 'holds':
      return EXIT.OK;
    case 'broken':
      return EXIT.BROKEN;
    case 'unknown':
      return EXIT.UNKNOWN;
  }
}
