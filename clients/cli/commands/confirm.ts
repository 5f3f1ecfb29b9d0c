import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { DRIVER_CHANGE } from '../../../server/realkernel/build-kernel.ts';
import type { Confirmation } from '../../../server/realkernel/confirm.ts';
import {
  BUILT_VERSIONS,
  type BuiltVersion,
  builtKernel,
  type KernelFiles,
} from '../../../server/realkernel/kernel-cache.ts';
import type { Confirmed } from '../../../server/report/confirmed.ts';
import { confirmationLines, ktapLines, mailLine, plainConfirmation } from '../confirm/answer.ts';
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
  readonly vmlinux?: string;
  readonly patched?: true;
  readonly json?: true;
  readonly format?: 'ktap';
  readonly all?: true;
  readonly save?: string;
}

export function addConfirmCommand(program: Command): void {
  program
    .command('confirm')
    .description('play a counterexample on a real Linux kernel, and see whether it fails there')
    .argument('[question]', 'a token (mmr1.…), a file of explore --save or of fuzz, or a scenario')
    .option('--all', 'every scenario that ships, with each patch that breaks it, and every finding')
    .option(
      '--save <file>',
      'with --all: write the answers into a file, one a line, beside those of other kernels',
    )
    .addOption(patchOption('of a scenario: '))
    .option('--runs <number>', 'times that each schedule is played', wholeNumber(1, RUNS_MAX), RUNS)
    .addOption(
      new Option('--on <version>', 'the kernel that mmrace kernel build has built')
        .choices(BUILT_VERSIONS)
        .default('6.12'),
    )
    .option('--image <bzImage>', 'a kernel of your own; --on says which version it is nearest to')
    .option('--map <System.map>', 'of the same kernel')
    .option('--vmlinux <vmlinux>', 'of the same kernel, instead of --map')
    .option('--patched', 'the kernel of --image has the patch built in: nothing is left out of it')
    .option('--json', 'print one JSON object')
    .addOption(new Option('--format <name>', 'print a report instead').choices(['ktap']))
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
  mmrace confirm --all --runs 20 --save confirmed.jsonl
  mmrace confirm mmr1.… --runs 50 --json
  mmrace confirm found.json --image arch/x86/boot/bzImage --map System.map
  mmrace confirm seed-zero-page --patch ./mine.ts --image bzImage --vmlinux vmlinux --patched`;

async function confirmQuestion(
  question: string | undefined,
  options: ConfirmOptions,
): Promise<ExitCode> {
  if (options.json === true && options.format !== undefined) {
    throw new UsageError('--json and --format exclude each other');
  }
  if ((question === undefined) !== (options.all === true)) {
    throw new UsageError('name a question, or ask for --all');
  }
  if (options.patched === true && options.image === undefined) {
    throw new UsageError('--patched goes with --image: a kernel that has the patch');
  }
  const files = filesOf(options);
  const { checkQemu } = await import('../../../server/realkernel/qemu.ts');
  const missing = checkQemu();
  if (missing !== 'none') throw new Unavailable(missing);
  const { pointTable } = await import('../../../server/realkernel/points.ts');
  const table = pointTable(options.on);
  if (table === 'none') throw new UsageError(`there is no table of points for ${options.on}`);
  const schedules = question === undefined ? 'all' : await askedSchedules(question, options);
  const { confirm, vcpusFor } = await import('../../../server/realkernel/confirm.ts');
  const { VCPUS_MAX } = await import('../../../server/realkernel/re-enactment.ts');
  const { BootedKernel } = await import('../../../server/realkernel/guest-run.ts');
  if (options.json !== true) say(`booting Linux ${options.on} in QEMU`);
  const vcpus = schedules === 'all' ? VCPUS_MAX : vcpusFor(schedules.map(({ plan }) => plan));
  const kernel = await BootedKernel.boot(files, vcpus);
  const patched = options.patched === true ? 'built in' : 'here';
  const play = (asked: Asked) => confirm(kernel, table, { ...asked, patched }, options.runs);
  try {
    if (schedules === 'all') return await printAll(options, kernel.release, play);
    return await printSchedules(schedules, options, kernel.release, play);
  } finally {
    kernel.close();
  }
}

type Play = (asked: Asked) => Promise<Confirmation>;

async function printSchedules(
  schedules: readonly Asked[],
  { json, format }: ConfirmOptions,
  release: string,
  play: Play,
): Promise<ExitCode> {
  const answers: { readonly asked: Asked; readonly confirmation: Confirmation }[] = [];
  for (const asked of schedules) {
    const confirmation = await play(asked);
    answers.push({ asked, confirmation });
    if (json !== true && format === undefined)
      print(confirmationLines(asked, confirmation, release).join('\n'));
  }
  if (json === true) {
    const all = answers.map(({ asked, confirmation }) => plainConfirmation(asked, confirmation));
    print(JSON.stringify({ linux: release, driver: DRIVER_CHANGE, schedules: all }));
  } else if (format === 'ktap') {
    print([...ktapLines(answers), `# Linux ${release}, ${DRIVER_CHANGE}`].join('\n'));
  } else {
    print(`  (${DRIVER_CHANGE})`);
    for (const { asked, confirmation } of answers) {
      const line = mailLine(asked, confirmation, release);
      if (line !== 'none') print(`\n${line}`);
    }
  }
  return exitOf(answers.map(({ confirmation }) => confirmation.outcome));
}

async function printAll(
  { on, json, save }: ConfirmOptions,
  release: string,
  play: Play,
): Promise<ExitCode> {
  const { allQuestions, rowsOf } = await import('../confirm/everything.ts');
  const rows: Confirmed[] = [];
  for (const question of allQuestions()) {
    for (const row of await rowsOf(question, { on, linux: release }, play)) {
      rows.push(row);
      const detail = row.linuxDid === '' ? '' : `: ${row.linuxDid}`;
      const what = `${row.question} (${row.patch}, ${row.played})`;
      if (json !== true) print(`${row.outcome.padEnd(16)} ${what}${detail}`);
    }
  }
  if (json === true) print(JSON.stringify({ linux: release, driver: DRIVER_CHANGE, rows }));
  if (save !== undefined) saveRows(save, rows);
  return rows.some(({ outcome }) => outcome === 'not confirmed') ? EXIT.BROKEN : EXIT.OK;
}

/** Beside what other kernels said before. */
function saveRows(file: string, rows: readonly Confirmed[]): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const others = before
    .filter((line) => line !== '')
    .filter((line) => (JSON.parse(line) as Confirmed).kernel !== rows[0]?.kernel);
  const lines = [...others, ...rows.map((row) => JSON.stringify(row))].sort(byLinux);
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/** Kernels one after the other; the order of questions stays. */
function byLinux(a: string, b: string): number {
  const [first, second] = [a, b].map((line) => (JSON.parse(line) as Confirmed).linux);
  return (first ?? '').localeCompare(second ?? '', 'en', { numeric: true });
}

function exitOf(outcomes: readonly Confirmation['outcome'][]): ExitCode {
  if (outcomes.includes('not confirmed')) return EXIT.BROKEN;
  return outcomes.includes('not re-enactable') ? EXIT.UNKNOWN : EXIT.OK;
}

function filesOf({ image, map, vmlinux, on }: ConfirmOptions): KernelFiles {
  const symbols = vmlinux ?? map;
  if (image === undefined && symbols === undefined) {
    const built = builtKernel(on);
    if (built !== 'none') return built;
    throw new Unavailable(`there is no kernel ${on} here: mmrace kernel build --version ${on}`);
  }
  if (
    image === undefined ||
    symbols === undefined ||
    (map !== undefined && vmlinux !== undefined)
  ) {
    throw new UsageError(
      '--image goes with --map or --vmlinux: a kernel, and the System.map or vmlinux of the same build',
    );
  }
  for (const file of [image, symbols]) {
    if (!existsSync(file)) throw new UsageError(`${file}: there is no such file`);
  }
  return { kernel: image, map: symbols };
}
