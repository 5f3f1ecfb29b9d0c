import type { Command } from 'commander';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import type { planWith } from '../../../server/scenario/explore-request.ts';
import {
  askShape,
  type ShapeAnswer,
  type ShapeWord,
} from '../../../server/verify/shapes/ask-shapes.ts';
import { matrixOf, matrixText } from '../../../server/verify/shapes/shape-matrix.ts';
import { SHAPE_MEMORIES } from '../../../server/verify/shapes/shape-memory.ts';
import { NOT_IN_SHAPES, SHAPE_OPERATIONS } from '../../../server/verify/shapes/shape-operations.ts';
import { type Shape, shapesOf } from '../../../server/verify/shapes/shapes.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { interruptible } from '../interruptible.ts';
import { kernelOption } from '../kernel-option.ts';
import { newProgress } from '../progress.ts';
import { planFrom } from '../scenario-choice.ts';
import { wholeNumber } from '../whole-number.ts';

interface ShapesCommandOptions {
  readonly patch: string;
  readonly kernel?: string;
  readonly only: readonly string[];
  readonly list?: true;
  readonly every: number;
  readonly budgetExecutions: number;
  readonly budgetSeconds: number;
  readonly stopAfter: number;
  readonly json?: true;
}

const SIZE = 2;
/** Counterexamples that are written out. */
const SHOWN_MAX = 10;
const HELP_COLUMNS_MAX = 95;

export function addShapesCommand(program: Command): void {
  program
    .command('shapes')
    .description('ask a catalogue of small worlds: each pair of operations on each kind of page')
    .addOption(kernelOption())
    .option('--patch <name>', "'stock', a patch that ships, or a file that exports one", 'stock')
    .option('--only <word>', 'shapes with this memory or operation; several: with all', collect, [])
    .option('--list', 'print their names, and ask nothing')
    .option('--every <number>', 'only each so-manieth: a sample', wholeNumber(1, 1e6), 1)
    .option('--budget-executions <number>', 'of each search', wholeNumber(1, 1e9), 300)
    .option('--budget-seconds <number>', 'of all together', wholeNumber(1, 1e6), 600)
    .option('--stop-after <number>', 'shapes in which something appeared', wholeNumber(1, 1e6), 5)
    .option('--json', 'print one JSON object')
    .addHelpText('after', help())
    .action(ending(run));
}

function listed(what: string, all: readonly { readonly id: string }[]): string {
  return wrapText(`${what}: ${all.map(({ id }) => id).join(', ')}.`, HELP_COLUMNS_MAX).join('\n');
}

function help(): string {
  return `
A shape is what stands at one page, and two actors with one operation each. With a patch only those
are asked in which something that it overrides runs, and what is broken is asked of the kernel
without it as well: what is broken only with it has "appeared".

${listed('Memories', SHAPE_MEMORIES)}
${listed('Operations', SHAPE_OPERATIONS)}

Exit codes: 0 all that were asked hold, 1 something appeared (stock: is broken), 2 something is
unknown or was not asked, 64 the question is wrong, 130 interrupted.

Examples:
  mmrace shapes --patch ./mine.ts
  mmrace shapes --only cow --only migrate
  mmrace shapes --list --only swap`;
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

async function run(options: ShapesCommandOptions): Promise<ExitCode> {
  const shapes = [...shapesOf(SIZE)].filter(
    (shape, at) => at % options.every === 0 && options.only.every((word) => isAbout(shape, word)),
  );
  const [first] = shapes;
  if (first === undefined) throw new UsageError(`no shape is about ${options.only.join(' and ')}`);
  if (options.list === true) {
    print(shapes.map(({ name }) => name).join('\n'));
    return EXIT.OK;
  }
  const chosen = { driver: [], patch: options.patch, ...kernelOf(options) };
  const { choice } = await planFrom(first.scenario, chosen);
  const { answers, ended } = asked(shapes, choice, options);
  print(
    options.json === true
      ? JSON.stringify(plain(shapes, answers, options))
      : textOf(shapes, answers, options),
  );
  if (ended === 'interrupted') return EXIT.INTERRUPTED;
  return exitCodeOf(answers, shapes.length, options.patch);
}

function kernelOf({ kernel }: ShapesCommandOptions) {
  return kernel === undefined ? {} : { kernel };
}

function isAbout({ memory, operations }: Shape, word: string): boolean {
  return memory === word || operations.includes(word);
}

type Choice = Awaited<ReturnType<typeof planWith>>['choice'];

function asked(shapes: readonly Shape[], choice: Choice, options: ShapesCommandOptions) {
  const clock = () => performance.now();
  const until = clock() + options.budgetSeconds * 1_000;
  const line = newProgress('shapes');
  const answers: ShapeAnswer[] = [];
  let ended: 'by itself' | 'interrupted' = 'by itself';
  for (const shape of shapes) {
    if (clock() > until || appeared(answers, options.patch).length >= options.stopAfter) break;
    const seconds = Math.max(1, (until - clock()) / 1_000);
    const budget = { executions: options.budgetExecutions, seconds, clock };
    const answer = interruptible(() => askShape(shape, choice, budget));
    if (answer === 'interrupted') {
      ended = 'interrupted';
      break;
    }
    answers.push(answer);
    line.at(answers.length, `of ${shapes.length}, ${shape.name}`);
  }
  line.end();
  if (ended === 'interrupted') say('mmrace: interrupted');
  return { answers, ended };
}

function appeared(answers: readonly ShapeAnswer[], patch: string): readonly ShapeAnswer[] {
  const wanted: ShapeWord = patch === 'stock' ? 'broken' : 'appeared';
  return answers.filter(({ word }) => word === wanted);
}

function textOf(
  shapes: readonly Shape[],
  answers: readonly ShapeAnswer[],
  { patch }: ShapesCommandOptions,
): string {
  const operations = SHAPE_OPERATIONS.map(({ id }) => id);
  const counts = countsOf(answers);
  const found = appeared(answers, patch);
  const shown = [...found, ...answers.filter(({ word }) => word === 'unknown')]
    .slice(0, SHOWN_MAX)
    .map(({ shape, word, why }) => `  ${shape.name}: ${word}: ${why}`);
  return [
    `shapes of ${SIZE} operations (kernel ${patch}): ${answers.length} of ${shapes.length} asked`,
    `  ${Object.entries(counts)
      .map(([word, count]) => `${word} ${count}`)
      .join(', ')}`,
    ...shown,
    '',
    matrixText(matrixOf(answers), operations),
    '',
    `Not in any shape: ${NOT_IN_SHAPES.join('; ')}.`,
  ].join('\n');
}

function countsOf(answers: readonly ShapeAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { word } of answers) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function plain(
  shapes: readonly Shape[],
  answers: readonly ShapeAnswer[],
  { patch }: ShapesCommandOptions,
) {
  return {
    patch,
    size: SIZE,
    shapes: shapes.length,
    counts: countsOf(answers),
    answers: answers.map(({ shape, ...rest }) => ({ name: shape.name, ...rest })),
    notInShapes: NOT_IN_SHAPES,
  };
}

function exitCodeOf(answers: readonly ShapeAnswer[], all: number, patch: string): ExitCode {
  if (appeared(answers, patch).length > 0) return EXIT.BROKEN;
  const known = answers.every(({ word }) => word !== 'unknown');
  const reached = answers.some(({ word }) => word !== 'not reached');
  return known && reached && answers.length === all ? EXIT.OK : EXIT.UNKNOWN;
}
