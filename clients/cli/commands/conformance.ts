import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  DEFAULT_KERNEL,
  FIRST_KERNEL,
  KERNEL_IDS,
  type KernelId,
} from '../../../server/abi/kernel-ids.ts';
import { newMachineWorld } from '../../../server/conformance/traces/machine-world.ts';
import type { TraceProgram } from '../../../server/conformance/traces/parse-program.ts';
import { readTraces, TraceError } from '../../../server/conformance/traces/read-traces.ts';
import {
  reportText,
  tracesExitCode,
  tracesReport,
} from '../../../server/conformance/traces/report.ts';
import {
  type NewWorld,
  type ProgramOutcome,
  runProgram,
} from '../../../server/conformance/traces/run-program.ts';
import { shippedRecordings } from '../../../server/conformance/traces/shipped-recordings.ts';
import {
  kernelOfFile,
  machineOf,
  WITHOUT_SWAP,
} from '../../../server/conformance/traces/trace-machine.ts';
import { STOCK_NAME } from '../../../server/patches/joint-name.ts';
import type { Patch } from '../../../server/patches/patch.ts';
import { type CodeNotReached, notReachedText } from '../../../server/report/code-reached.ts';
import { notReached, watchReach } from '../../../server/verify/coverage/reach.ts';
import { ending, print, say } from '../ending.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { reachingAdvice } from '../explore/reaching-advice.ts';
import { UsageError } from '../failure.ts';
import { runKernelSelftests } from '../kernel-selftests.ts';
import { newLiveConformanceWorld } from '../live-conformance-world.ts';
import { LiveLab, SEED_CLIENTS } from '../live-lab.ts';
import { startLocalServer } from '../local-server.ts';
import { patchesFrom } from '../own-patch.ts';
import { patchOption } from '../patch-option.ts';
import { newProgress, type ProgressLine } from '../progress.ts';
import { traceMachineConfig } from '../trace-machine-config.ts';

interface ConformanceOptions {
  readonly kernel?: KernelId;
  readonly patch: string;
  readonly live?: true;
  readonly selftest?: true;
  readonly hugePages?: 'always' | 'never';
  readonly json?: true;
}

export function addConformanceCommand(program: Command): void {
  program
    .command('conformance')
    .description('replay traces recorded from a real kernel and compare every result and state')
    .argument('[files...]', 'trace files (*.jsonl, *.jsonl.gz), or folders of them')
    .addOption(
      new Option(
        '--kernel <version>',
        'the version of Linux (default: what the folder says, as linux-6.12; else 6.1)',
      ).choices(KERNEL_IDS),
    )
    .addOption(patchOption())
    .option('--live', 'with devices and CPU in processes of their own, over WebSockets')
    .option('--selftest', "instead of traces: the kernel's HMM selftests, as KTAP")
    .addOption(
      new Option(
        '--huge-pages <when>',
        'selftests that ask for none: transparent_hugepage/enabled (never, as with madvise)',
      ).choices(['always', 'never']),
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(ending(conformance));
}

const EXAMPLES = `
Examples:
  mmrace conformance traces/                  traces recorded from a real kernel
  mmrace conformance linux-6.12/              those of another one, on that
  mmrace conformance traces/migrate.jsonl.gz --live
  mmrace conformance linux-6.1/ --patch ./mine.ts   what they say of a patch of yours
  mmrace conformance --selftest               the kernel's own HMM selftests
  mmrace conformance --selftest --kernel 6.12 --huge-pages always

Without files: the recordings that ship. Exit 0 if every program agrees, 1 at a difference, 2 if the patch
runs in none.`;

async function conformance(
  files: readonly string[],
  { kernel, patch, live, selftest, hugePages, json }: ConformanceOptions,
): Promise<ExitCode> {
  if (selftest === true) {
    if (files.length > 0 || live === true || patch !== STOCK_NAME) {
      throw new UsageError('--selftest takes no files and no patch, and runs in this process');
    }
    const machine = { kernel: kernel ?? FIRST_KERNEL, thp: hugePages ?? 'never' } as const;
    return runKernelSelftests(machine, json === true ? 'json' : 'text');
  }
  if (hugePages !== undefined) throw new UsageError('--huge-pages is for --selftest');
  const chosen = files.length > 0 ? files : shippedRecordings(kernel ?? DEFAULT_KERNEL);
  if (chosen.length === 0) throw new UsageError('expected trace files, or --selftest');
  const progress = newProgress('programs');
  const run = { files: chosen, kernel: kernel ?? 'as recorded', progress } as const;
  if (live === true) {
    if (patch !== STOCK_NAME) throw new UsageError('--patch: leave --live out');
    const outcomes = await runLive(run);
    progress.end();
    return told(outcomes, 'none', json);
  }
  const { outcomes, reach } = await runHere(run, await patchesFrom(patch));
  progress.end();
  return told(outcomes, notReached(reach), json);
}

/** Agreement of a patch that did not run says nothing of it. */
function told(
  outcomes: readonly ProgramOutcome[],
  missed: CodeNotReached | 'none',
  json: true | undefined,
): ExitCode {
  const report = tracesReport(outcomes);
  const why = missed === 'none' ? '' : whyUnknown(missed);
  if (json === true)
    print(JSON.stringify({ ...report, ...(why === '' ? {} : { notReached: why }) }));
  else print(`${reportText(outcomes)}${why === '' ? '' : `unknown: ${why}\n`}`);
  const code = tracesExitCode(report);
  return code === EXIT.OK && missed !== 'none' ? EXIT.UNKNOWN : code;
}

function whyUnknown(missed: CodeNotReached): string {
  const advice = reachingAdvice(missed);
  return `${notReachedText(missed)} in none of them${advice === '' ? '' : `; ${advice}`}`;
}

async function runHere(run: Run, patches: readonly Patch[]) {
  const watch = watchReach({ patches, drivers: [] });
  try {
    const outcomes = await runAll(run, (each, version) =>
      newMachineWorld(each, { version, patches: watch.patches }),
    );
    return { outcomes, reach: watch.reach() };
  } finally {
    watch.end();
  }
}

interface Run {
  readonly files: readonly string[];
  /** 'as recorded': as the folder of each file says. */
  readonly kernel: KernelId | 'as recorded';
  readonly progress: ProgressLine;
}

type NewWorldOn = (program: TraceProgram, kernel: KernelId) => ReturnType<NewWorld>;

async function runAll(
  { files, kernel, progress }: Run,
  newWorld: NewWorldOn,
): Promise<ProgramOutcome[]> {
  const outcomes: ProgramOutcome[] = [];
  try {
    for await (const { program, file } of readTraces(files)) {
      const recorded = kernelOfFile(resolve(file));
      const other = recorded === 'not said' ? FIRST_KERNEL : recorded;
      const on = kernel === 'as recorded' ? other : kernel;
      const outcome = await runProgram(program, (each) => newWorld(each, on));
      outcomes.push({ ...outcome, kernel: on });
      progress.at(outcomes.length);
    }
  } catch (error) {
    if (error instanceof TraceError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  return outcomes;
}

async function runLive(run: Run): Promise<ProgramOutcome[]> {
  const server = await startLocalServer({ host: '127.0.0.1', port: 0, logLevel: 'warn' });
  const lab = new LiveLab(server.openLab('conformance', traceMachineConfig(WITHOUT_SWAP)));
  try {
    await lab.start(server, SEED_CLIENTS);
    say(`three client processes have joined over ${server.webSocketUrl}`);
    return await runAll(run, (program, kernel) =>
      newLiveConformanceWorld(lab, { ...machineOf(program), kernel }),
    );
  } finally {
    await lab.end();
    await server.close();
  }
}
