/**
 * A program with several actors at once: steps, each of them operations of the conformance format by different
 * actors that run together; the next step begins when all of them have ended.
 */
import { actorOf, isTraceDeviceOp } from '../traces/trace-calls.ts';
import type { TraceOp } from '../traces/trace-format.ts';

/**
 * `cpu0` and `cpu0-b` are threads of the process, `cpu1` is its forked child; `dev0` and `dev1` are the devices, and
 * `dev0-b` and `dev1-b` second threads that ask the same device for something.
 */
export const FUZZ_ACTORS = ['cpu0', 'cpu0-b', 'cpu1', 'dev0', 'dev0-b', 'dev1', 'dev1-b'] as const;
export type FuzzActor = (typeof FUZZ_ACTORS)[number];

/**
 * What is mapped, and whether there is swap, as in the sets of golden traces of these names; `huge` is `swap` with
 * transparent huge pages.
 */
export const FUZZ_SETS = ['anon', 'fork', 'mixed', 'swap', 'huge'] as const;
export type FuzzSet = (typeof FUZZ_SETS)[number];

/** Operations of one step at most. */
export const STEP_OPS_MAX = 4;

/** Which thread of its actor performs an operation: the first one, or the one beside it. */
export type FuzzThread = 'first' | 'second';

export interface FuzzOp {
  readonly op: TraceOp;
  readonly thread: FuzzThread;
}

/** No two operations of one step have the same actor. */
export type FuzzStep = readonly FuzzOp[];

export interface FuzzProgram {
  readonly set: FuzzSet;
  readonly steps: readonly FuzzStep[];
}

/** Who performs `op`. The child has one thread only. */
export function fuzzActorOf({ op, thread }: FuzzOp): FuzzActor {
  const actor = isTraceDeviceOp(op) ? deviceActor(op.dev) : actorOf(op);
  return thread === 'first' || actor === 'cpu1' ? actor : `${actor}-b`;
}

function deviceActor(dev: number): 'dev0' | 'dev1' {
  return dev === 0 ? 'dev0' : 'dev1';
}
