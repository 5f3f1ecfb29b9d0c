/** How the catalogue of shapes is asked, as options of commands. */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { wholeNumber } from '../whole-number.ts';

export interface CatalogueCommandOptions {
  readonly every: number;
  readonly shapeExecutions: number;
  readonly shapeSeconds: number;
  readonly stopAfter: number;
  readonly workers: number;
  /** A folder; false: none; absent: the usual one. */
  readonly cache?: string | false;
}

/** Executions of the search of one shape: about a second. */
const EXECUTIONS = 300;

export function addCatalogueOptions(command: Command): Command {
  return command
    .option('--every <number>', 'of the shapes only each so-manieth', wholeNumber(1, 1e6), 1)
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
