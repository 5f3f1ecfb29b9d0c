import { Argument, type Command, Option } from 'commander';
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

const ACTIONS = ['build', 'points'] as const;
type Action = (typeof ACTIONS)[number];

export function addKernelCommand(program: Command): void {
  program
    .command('kernel')
    .description('kernels that mmrace confirm runs: build one, look up its points')
    .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
    .addOption(new Option('--version <version>', 'which').choices(BUILT_VERSIONS).default('6.12'))
    .option('--jobs <number>', 'of build: compilers at once', wholeNumber(1, JOBS_MAX), JOBS)
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(
      ending((action: Action, options: KernelOptions) =>
        action === 'build' ? build(options) : points(options),
      ),
    );
}

const EXAMPLES = `
build makes one from the distribution's sources, in some minutes; points looks up in its text where a
thread can be held. MMRACE_KERNELS names the folder that they are kept in; default:
~/.cache/mmrace/kernels.

Exit codes: 0 done, all points are there; 1 some are not; 69 something has to be installed or built.

Examples:
  mmrace kernel build
  mmrace kernel build --jobs 8
  mmrace kernel points --json`;

interface KernelOptions {
  readonly version: BuiltVersion;
  readonly jobs: number;
  readonly json?: true;
}

async function build({ version, jobs, json }: KernelOptions): Promise<ExitCode> {
  const { buildKernel, DRIVER_CHANGE, lackingFor } = await import(
    '../../../server/realkernel/build-kernel.ts'
  );
  const lacking = lackingFor(version);
  if (lacking.length > 0)
    throw new Unavailable(`not all is there: apt-get install ${lacking.join(' ')}`);
  const began = performance.now();
  const folder = await buildKernel(version, jobs, say);
  const seconds = Math.round((performance.now() - began) / MS_PER_S);
  if (json === true) print(JSON.stringify({ version, folder, seconds, driver: DRIVER_CHANGE }));
  else print(`Linux ${version} is in ${folder}, after ${seconds} s (${DRIVER_CHANGE})`);
  const { checkQemu } = await import('../../../server/realkernel/qemu.ts');
  const files = builtKernel(version);
  if (json === true || files === 'none' || checkQemu() !== 'none') return EXIT.OK;
  say('looking up the points at which a thread can be held');
  const { placesOf } = await import('../../../server/realkernel/places-of-points.ts');
  const places = await placesOf(version, files);
  for (const { at, place } of places.filter((one) => !one.found)) print(`${at}: ${place}`);
  print(found(places));
  return EXIT.OK;
}

function found(places: readonly { readonly found: boolean }[]): string {
  return `${places.filter((one) => one.found).length} of ${places.length} points are there`;
}

async function points({ version, json }: KernelOptions): Promise<ExitCode> {
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
    print(found(places));
  }
  return places.every((one) => one.found) ? EXIT.OK : EXIT.BROKEN;
}
