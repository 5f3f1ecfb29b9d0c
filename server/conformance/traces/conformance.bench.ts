/**
 * Traces of real Linux, replayed in process and compared after each operation. MMRACE_TRACES names the files or
 * folders, separated by colons; without it the few that lie here, which say little about long programs.
 */
import { fileURLToPath } from 'node:url';
import { type Bench, type Effort, type Measurement, repetitions } from '../../tidy/benchmark.ts';
import { newMachineWorld } from './machine-world.ts';
import type { TraceProgram } from './parse-program.ts';
import { readTraces } from './read-traces.ts';
import { runProgram } from './run-program.ts';

const SAMPLES = fileURLToPath(new URL('samples', import.meta.url));
const TRACES = process.env.MMRACE_TRACES?.split(':') ?? [SAMPLES];

interface Replayed {
  readonly programs: number;
  readonly ops: number;
  readonly seconds: number;
}

async function replayFor(programs: readonly TraceProgram[], ms: number): Promise<Replayed> {
  const begun = performance.now();
  let replayed = 0;
  let ops = 0;
  let now = begun;
  while (now - begun < ms) {
    for (const program of programs) {
      const outcome = await runProgram(program, newMachineWorld);
      if (outcome.kind === 'failed') throw new Error(`${outcome.program} differs from Linux`);
      replayed += 1;
      ops += outcome.ops;
    }
    now = performance.now();
  }
  return { programs: replayed, ops, seconds: (now - begun) / 1_000 };
}

async function replays(effort: Effort): Promise<Measurement[]> {
  const programs: TraceProgram[] = [];
  for await (const { program } of readTraces(TRACES)) programs.push(program);
  const { count, ms } = repetitions(effort);
  await replayFor(programs, ms);
  const runs: Replayed[] = [];
  while (runs.length < count) runs.push(await replayFor(programs, ms));
  return [
    { name: 'programs', unit: '1/s', values: runs.map((run) => run.programs / run.seconds) },
    { name: 'operations', unit: '1/s', values: runs.map((run) => run.ops / run.seconds) },
  ];
}

export const benches: readonly Bench[] = [{ name: 'conformance, in process', run: replays }];
