import { type Command, Option } from 'commander';
import {
  BUILT_VERSIONS,
  type BuiltVersion,
  builtKernel,
} from '../../../server/realkernel/kernel-cache.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { Unavailable } from '../failure.ts';
import { wholeNumber } from '../whole-number.ts';

const JOBS = 2;
const JOBS_MAX = 1_024;
const MS_PER_S = 1_000;

export function addKernelCommand(program: Command): void {
  const kernel = program
    .command('kernel')
    .description('kernels that mmrace confirm runs: build one, look at its points')
    .addHelpText('after', EXAMPLES);
  kernel
    .command('build')
    .description("build one from the distribution's sources into the cache folder")
    .addOption(versionOption())
    .option('--jobs <number>', 'compilers at once', wholeNumber(1, JOBS_MAX), JOBS)
    .action(ending(build));
  kernel
    .command('points')
    .description("where steps of the model are in that kernel's text")
    .addOption(versionOption())
    .option('--json', 'print one JSON object')
    .action(ending(points));
}

const EXAMPLES = `
MMRACE_KERNELS names the cache folder; default: ~/.cache/mmrace/kernels. A build takes some minutes.

Examples:
  mmrace kernel build
  mmrace kernel build --jobs 8
  mmrace kernel points`;

function versionOption(): Option {
  return new Option('--version <version>', 'which').choices(BUILT_VERSIONS).default('6.12');
}

interface BuildOptions {
  readonly version: BuiltVersion;
  readonly jobs: number;
}

async function build({ version, jobs }: BuildOptions): Promise<ExitCode> {
  const { buildKernel, DRIVER_CHANGE, lackingFor } = await import(
    '../../../server/realkernel/build-kernel.ts'
  );
  const lacking = lackingFor(version);
  if (lacking.length > 0)
    throw new Unavailable(`not all is there: apt-get install ${lacking.join(' ')}`);
  const began = performance.now();
  const folder = await buildKernel(version, jobs, say);
  const seconds = Math.round((performance.now() - began) / MS_PER_S);
  print(`Linux ${version} is in ${folder}, after ${seconds} s (${DRIVER_CHANGE})`);
  return EXIT.OK;
}

async function points({
  version,
  json,
}: {
  readonly version: BuiltVersion;
  readonly json?: true;
}): Promise<ExitCode> {
  const files = builtKernel(version);
  if (files === 'none') {
    throw new Unavailable(
      `there is no kernel ${version} here: mmrace kernel build --version ${version}`,
    );
  }
  const { placesOf } = await import('../../../server/realkernel/places-of-points.ts');
  const places = await placesOf(version, files);
  if (json === true) print(JSON.stringify({ version, points: places }));
  else {
    const width = Math.max(...places.map(({ at }) => at.length));
    for (const { at, place } of places) print(`${at.padEnd(width)}  ${place}`);
    const missing = places.filter(({ found }) => !found).length;
    print(`${places.length - missing} of ${places.length} are there`);
  }
  return places.every(({ found }) => found) ? EXIT.OK : EXIT.BROKEN;
}
