import type { Command } from 'commander';
import { stringify } from 'yaml';
import { STOCK_NAME } from '../../../server/patches/joint-name.ts';
import type { CatalogueReport } from '../../../server/report/catalogue.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { SHAPE_MEMORIES } from '../../../server/verify/shapes/shape-memory.ts';
import { SHAPE_OPERATIONS } from '../../../server/verify/shapes/shape-operations.ts';
import {
  SHAPE_SIZES,
  type Shape,
  type ShapeSize,
  scenarioOfShape,
  shapeNamed,
  shapesOf,
  withChosenDriver,
} from '../../../server/verify/shapes/shapes.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { kernelOption } from '../kernel-option.ts';
import { patchOption } from '../patch-option.ts';
import { askShapes, kernelSide } from '../shapes/ask-shapes.ts';
import {
  addCatalogueOptions,
  type CatalogueCommandOptions,
  chosenOf,
} from '../shapes/catalogue-options.ts';
import { catalogueText } from '../shapes/catalogue-text.ts';

interface ShapesCommandOptions extends CatalogueCommandOptions {
  readonly patch: string;
  readonly driver?: string;
  readonly kernel?: string;
  readonly sizes: readonly ShapeSize[];
  readonly only: readonly string[];
  readonly list?: true;
  readonly show?: string;
  readonly json?: true;
}

const HELP_COLUMNS_MAX = 95;

export function addShapesCommand(program: Command): void {
  const command = program
    .command('shapes')
    .description('ask a catalogue of small worlds: each pair of operations on each kind of memory')
    .addOption(kernelOption())
    .addOption(patchOption())
    .option(
      '--driver <name>',
      'a driver that ships, or a file, in the place of the one that keeps the contract',
    )
    .option('--sizes <list>', 'operations of a shape: 1, 2, 3 or several, as 1,2', sizesIn, [1, 2])
    .option('--only <word>', 'shapes with this memory or operation; several: with all', collect, [])
    .option('--list', 'print their names, and ask nothing')
    .option('--show <name>', 'print one shape as a scenario, and ask nothing');
  addCatalogueOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText('after', help())
    .action(ending(run));
}

function listed(what: string, all: readonly { readonly id: string }[]): string {
  return wrapText(`${what}: ${all.map(({ id }) => id).join(', ')}.`, HELP_COLUMNS_MAX).join('\n');
}

function help(): string {
  return `
A shape is what stands in memory, and one to three actors with one operation each. What is broken
with a patch is asked of the kernel without it as well: what is broken only with it has "appeared".
With --driver it is the same of a driver: shapes with a device, each beside one that keeps the contract.
Shapes in which nothing runs that the patch overrides are "not reached", and speak for nothing.
Answers are kept by model, patch and shape: what was asked before is not asked again, so a run that
was interrupted goes on where it was.

${listed('Memories', SHAPE_MEMORIES)}
${listed('Operations', SHAPE_OPERATIONS)}

Exit codes: 0 all that were asked hold, 1 something appeared (stock: is broken), 2 something is
unknown or was not asked, 64 the question is wrong, 130 interrupted: what was known is printed.

Examples:
  mmrace shapes --patch ./mine.ts
  mmrace shapes --only cow --only migrate
  mmrace shapes --driver ./mine.ts --only fault-read
  mmrace shapes --sizes 3 --every 1000 --patch ./mine.ts
  mmrace shapes --sizes 3 --part 3/8 --cache /shared/answers --patch ./mine.ts
  mmrace shapes --show cow:store+migrate > mine.yaml`;
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

export function sizesIn(value: string): readonly ShapeSize[] {
  return value.split(',').map((word) => {
    const size = SHAPE_SIZES.find((one) => String(one) === word.trim());
    if (size !== undefined) return size;
    throw new UsageError(`--sizes ${value}: there are shapes of ${SHAPE_SIZES.join(', ')}`);
  });
}

async function run(options: ShapesCommandOptions): Promise<ExitCode> {
  if (options.show !== undefined) return show(options.show);
  const shapes = shapesAbout(options, options.driver);
  const first = shapes[0] as Shape;
  if (options.list === true) {
    print(shapes.map(({ name }) => name).join('\n'));
    return EXIT.OK;
  }
  const { patch } = options;
  const kernel = options.kernel === undefined ? {} : { kernel: options.kernel };
  const driver = options.driver === undefined ? [] : [options.driver];
  const after = await kernelSide(scenarioOfShape(first), { ...kernel, patch, driver });
  const before =
    patch === STOCK_NAME && driver.length === 0
      ? after
      : await kernelSide(scenarioOfShape(first), { ...kernel, patch: STOCK_NAME });
  const { report, ended } = await askShapes(shapes, { before, after }, options);
  print(options.json === true ? JSON.stringify(report) : catalogueText(report));
  if (ended === 'by itself') return exitCodeOf(report);
  say('mmrace: interrupted');
  return EXIT.INTERRUPTED;
}

function show(name: string): ExitCode {
  try {
    print(stringify(scenarioOfShape(shapeNamed(name))).trimEnd());
    return EXIT.OK;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${error.message}; mmrace shapes --list names them`, { cause: error });
  }
}

/** At least one. Throws: UsageError. */
export function shapesAbout(
  options: Pick<ShapesCommandOptions, 'sizes' | 'only' | 'every' | 'part'>,
  driver: string | 'none' = 'none',
): readonly Shape[] {
  const about = options.sizes
    .flatMap((size) => [...shapesOf(size)])
    .filter((shape) => options.only.every((word) => isAbout(shape, word)))
    .flatMap((shape) => driven(shape, driver));
  const shapes = chosenOf(about, options);
  if (shapes.length > 0) return shapes;
  throw new UsageError(`no shape is about ${options.only.join(' and ')}`);
}

/** Of a driver that is asked about, those that have a device. */
function driven(shape: Shape, driver: string | 'none'): readonly Shape[] {
  if (driver === 'none') return [shape];
  const chosen = withChosenDriver(shape);
  if (chosen === 'none') return [];
  const hasDevice = scenarioOfShape(chosen).actors.some(({ kind }) => kind === 'device');
  return hasDevice ? [chosen] : [];
}

function isAbout({ memory, operations }: Shape, word: string): boolean {
  return memory === word || operations.includes(word);
}

function exitCodeOf({ verdict }: CatalogueReport): ExitCode {
  switch (verdict) {
    case 'holds':
      return EXIT.OK;
    case 'broken':
      return EXIT.BROKEN;
    case 'unknown':
      return EXIT.UNKNOWN;
  }
}
