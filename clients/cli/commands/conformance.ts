import type { Command } from 'commander';
import { newMachineWorld } from '../../../server/conformance/traces/machine-world.ts';
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
import { machineOf, WITHOUT_SWAP } from '../../../server/conformance/traces/trace-machine.ts';
import { ending, print, say } from '../ending.ts';
import type { ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { runKernelSelftests } from '../kernel-selftests.ts';
import { newLiveConformanceWorld } from '../live-conformance-world.ts';
import { LiveLab, SEED_CLIENTS } from '../live-lab.ts';
import { startLocalServer } from '../local-server.ts';
import { newProgress, type ProgressLine } from '../progress.ts';
import { traceMachineConfig } from '../trace-machine-config.ts';

interface ConformanceOptions {
  readonly live?: true;
  readonly selftest?: true;
  readonly json?: true;
}

export function addConformanceCommand(program: Command): void {
  program
    .command('conformance')
    .description('replay traces recorded from a real kernel and compare every result and state')
    .argument('[files...]', 'trace files (*.jsonl, *.jsonl.gz), or folders of them')
    .option('--live', 'with devices and CPU in processes of their own, over WebSockets')
    .option('--selftest', "instead of traces: the kernel's HMM selftests, as KTAP")
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(ending(conformance));
}

const EXAMPLES = `
Examples:
  mmrace conformance traces/                  traces recorded from a real kernel
  mmrace conformance traces/migrate.jsonl.gz --live
  mmrace conformance --selftest               the kernel's own HMM selftests

Exit 0 if every program agrees, 1 at a difference.`;

async function conformance(
  files: readonly string[],
  { live, selftest, json }: ConformanceOptions,
): Promise<ExitCode> {
  if (selftest === true) {
    if (files.length > 0 || live === true) {
      throw new UsageError('--selftest takes no files and runs in this process');
    }
    return runKernelSelftests(json === true ? 'json' : 'text');
  }
  if (files.length === 0) throw new UsageError('expected trace files, or --selftest');
  const progress = newProgress('programs');
  const outcomes =
    live === true
      ? await runLive(files, progress)
      : await runAll(files, progress, (each) => newMachineWorld(each));
  progress.end();
  print(json === true ? JSON.stringify(tracesReport(outcomes)) : reportText(outcomes));
  return tracesExitCode(tracesReport(outcomes));
}

async function runAll(
  files: readonly string[],
  progress: ProgressLine,
  newWorld: NewWorld,
): Promise<ProgramOutcome[]> {
  const outcomes: ProgramOutcome[] = [];
  try {
    for await (const { program } of readTraces(files)) {
      outcomes.push(await runProgram(program, newWorld));
      progress.at(outcomes.length);
    }
  } catch (error) {
    if (error instanceof TraceError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  return outcomes;
}

async function runLive(
  files: readonly string[],
  progress: ProgressLine,
): Promise<ProgramOutcome[]> {
  const server = await startLocalServer({ host: '127.0.0.1', port: 0, logLevel: 'warn' });
  const lab = new LiveLab(server.openLab('conformance', traceMachineConfig(WITHOUT_SWAP)));
  try {
    await lab.start(server, SEED_CLIENTS);
    say(`three client processes have joined over ${server.webSocketUrl}`);
    return await runAll(files, progress, (program) =>
      newLiveConformanceWorld(lab, machineOf(program)),
    );
  } finally {
    await lab.end();
    await server.close();
  }
}
