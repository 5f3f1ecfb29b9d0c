/** How the catalogue of shapes is asked, as options of commands. */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { UsageError } from '../failure.ts';
import { wholeNumber } from '../whole-number.ts';

export interface CatalogueCommandOptions {
  readonly every: number;
  readonly part: Part;
  readonly shapeExecutions: number;
  readonly shapeSeconds: number;
  readonly stopAfter: number;
  readonly workers: number;
  /** A folder; false: none; absent: the usual one. */
  readonly cache?: string | false;
}

/** One of `of` equal parts that make up the whole, from 1: each is a matter for another machine. */
interface Part {
  readonly number: number;
  readonly of: number;
}

const WHOLE: Part = { number: 1, of: 1 };
const PARTS_MAX = 100_000;

/** Those of `shapes` that the options choose. */
export function chosenOf<Shape>(
  shapes: readonly Shape[],
  { every, part }: Pick<CatalogueCommandOptions, 'every' | 'part'>,
): Shape[] {
  return shapes
    .filter((_, at) => at % every === 0)
    .filter((_, at) => at % part.of === part.number - 1);
}

function partIn(value: string): Part {
  const [number = 0, of = 0] = (/^(\d{1,6})\/(\d{1,6})$/.exec(value) ?? []).slice(1).map(Number);
  if (number >= 1 && number <= of && of <= PARTS_MAX) return { number, of };
  throw new UsageError(`--part ${value}: expected one of several parts, as 3/8`);
}

/** Executions of the search of one shape: about a second. */
const EXECUTIONS = 300;

export function addCatalogueOptions(command: Command): Command {
  return command
    .option('--every <number>', 'of the shapes only each so-manieth', wholeNumber(1, 1e6), 1)
    .option('--part <k/n>', 'of these the k-th of n parts, each for another machine', partIn, WHOLE)
    .option(
      '--shape-executions <number>',
      'of the search of a shape',
      wholeNumber(1, 1e9),
      EXECUTIONS,
    )
    .option('--shape-seconds <number>', 'of all shapes together', wholeNumber(1, 1e6), 600)
    .option('--stop-after <number>', 'shapes in which something appeared', wholeNumber(1, 1e6), 5)
    .addOption(
      new Option('--workers <number>', 'threads for shapes')
        .argParser(wholeNumber(1, 64))
        .default(availableParallelism(), 'one for each core'),
    )
    .option(
      '--cache <folder>',
      'where answers of shapes are kept (default: $XDG_CACHE_HOME/mmrace)',
    )
    .option('--no-cache', 'keep no answers, and use none');
}
