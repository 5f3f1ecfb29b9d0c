import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Confirmation } from '../../../server/realkernel/confirm.ts';
import {
  BUILT_VERSIONS,
  type BuiltVersion,
  builtKernel,
} from '../../../server/realkernel/kernel-cache.ts';
import { confirmationLines, mailLine, plainConfirmation } from '../confirm/answer.ts';
import { type Asked, askedSchedules } from '../confirm/asked-schedules.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { Unavailable, UsageError } from '../failure.ts';
import { patchOption } from '../patch-option.ts';
import { wholeNumber } from '../whole-number.ts';

const RUNS = 10;
const RUNS_MAX = 10_000;

interface ConfirmOptions {
  readonly patch: string;
  readonly runs: number;
  readonly on: BuiltVersion;
  readonly image?: string;
  readonly map?: string;
  readonly json?: true;
}

export function addConfirmCommand(program: Command): void {
  program
    .command('confirm')
    .description('play a counterexample on a real Linux kernel, and see whether it fails there')
    .argument('<question>', 'a token (mmr1.…), a file of explore --save, or a scenario')
    .addOption(patchOption('of a scenario: '))
    .option('--runs <number>', 'times that each schedule is played', wholeNumber(1, RUNS_MAX), RUNS)
    .addOption(
      new Option('--on <version>', 'the kernel that mmrace kernel build has built')
        .choices(BUILT_VERSIONS)
        .default('6.12'),
    )
    .option('--image <bzImage>', 'a kernel of your own; --on says which version it is nearest to')
    .option('--map <System.map>', 'of the same kernel')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(ending(confirmQuestion));
}

const HELP = `
The kernel runs in QEMU, one thread of the scenario on each CPU. A thread is held in the kernel where
the model switches away from it, by breakpoints of the emulator: nothing in the kernel is changed, but
for calls that a patch leaves out. At the end each page is written by whoever has it and read by all.
A counterexample has to fail in every run, and its safe sibling to be clean in every run. Of a
scenario that holds, the schedules that break it with its patches are played without them.

Exit codes: 0 confirmed, 1 not confirmed, 2 not re-enactable (the point is named), 64 the question is
wrong, 69 there is no QEMU or no kernel: mmrace kernel build.

Examples:
  mmrace confirm seed-zero-page --patch remove-second-invalidate
  mmrace confirm seed-zero-page
  mmrace confirm mmr1.… --runs 50 --json
  mmrace confirm found.json --image arch/x86/boot/bzImage --map System.map`;

async function confirmQuestion(question: string, options: ConfirmOptions): Promise<ExitCode> {
  const files = filesOf(options);
  const { checkQemu } = await import('../../../server/realkernel/qemu.ts');
  const missing = checkQemu();
  if (missing !== 'none') throw new Unavailable(missing);
  const schedules = await askedSchedules(question, options);
  const { confirm, vcpusFor } = await import('../../../server/realkernel/confirm.ts');
  const { BootedKernel } = await import('../../../server/realkernel/guest-run.ts');
  const { pointTable } = await import('../../../server/realkernel/points.ts');
  const table = pointTable(options.on);
  if (table === 'none') throw new UsageError(`there is no table of points for ${options.on}`);
  const json = options.json === true;
  if (!json) say(`booting Linux ${options.on} in QEMU`);
  const kernel = await BootedKernel.boot(files, vcpusFor(schedules.map(({ plan }) => plan)));
  const answers: { readonly asked: Asked; readonly confirmation: Confirmation }[] = [];
  try {
    for (const asked of schedules) {
      const confirmation = await confirm(kernel, table, asked, options.runs);
      answers.push({ asked, confirmation });
      if (!json) print(confirmationLines(asked, confirmation, kernel.release).join('\n'));
    }
    if (json) {
      const { release } = kernel;
      const all = answers.map(({ asked, confirmation }) => plainConfirmation(asked, confirmation));
      print(JSON.stringify({ linux: release, schedules: all }));
    } else
      for (const { asked, confirmation } of answers) {
        const line = mailLine(asked, confirmation, kernel.release);
        if (line !== 'none') print(`\n${line}`);
      }
  } finally {
    kernel.close();
  }
  return exitOf(answers.map(({ confirmation }) => confirmation));
}

function exitOf(confirmations: readonly Confirmation[]): ExitCode {
  const outcomes = confirmations.map(({ outcome }) => outcome);
  if (outcomes.includes('not confirmed')) return EXIT.BROKEN;
  return outcomes.includes('not re-enactable') ? EXIT.UNKNOWN : EXIT.OK;
}

function filesOf({ image, map, on }: ConfirmOptions): { kernel: string; map: string } {
  if (image === undefined && map === undefined) {
    const built = builtKernel(on);
    if (built !== 'none') return built;
    throw new Unavailable(`there is no kernel ${on} here: mmrace kernel build --version ${on}`);
  }
  if (image === undefined || map === undefined) {
    throw new UsageError(
      '--image and --map go together: a kernel, and the System.map of the same build',
    );
  }
  for (const file of [image, map]) {
    if (!existsSync(file)) throw new UsageError(`${file}: there is no such file`);
  }
  return { kernel: image, map };
}
