/**
 * The operations of a trace as calls: what a CPU does through CpuApi, what a device does as a verb
 * of dmirror. The same for a machine in this process and for clients in others.
 */
import type { DmirrorVerb } from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import type { CpuApi } from '../../abi/cpu-api.ts';
import { rangeAt } from '../../abi/cpu-call.ts';
import { answerToCall, bindCall } from '../../abi/cpu-calls.ts';
import type { Task } from '../../task/task.ts';
import { type OpResult, TRACE_VERBS, type TraceOp } from './trace-format.ts';

/** Operations that a device performs. */
export type TraceDeviceOp = Extract<TraceOp, { readonly dev: number }>;
/** Operations that a CPU thread performs: the one named, else `cpu0`. */
export type TraceCpuOp = Exclude<TraceOp, TraceDeviceOp>;

/** The name of the child that `fork` makes. */
export const CHILD = 'cpu1';

export function isTraceDeviceOp(op: TraceOp): op is TraceDeviceOp {
  return 'dev' in op;
}

/** Who performs `op`. */
export function actorOf(op: TraceCpuOp): 'cpu0' | 'cpu1' {
  return 'actor' in op ? op.actor : 'cpu0';
}

export function verbOf(op: TraceDeviceOp): DmirrorVerb {
  const { op: name, dev: _, addr, pages, ...rest } = op as TraceDeviceOp & Partial<Region>;
  const verb = TRACE_VERBS[name];
  if (addr === undefined) return { verb } as DmirrorVerb;
  const count = pages ?? (rest as { readonly values: readonly string[] }).values.length;
  return { verb, range: rangeAt({ address: addr, pages: count }), ...rest } as DmirrorVerb;
}

interface Region {
  readonly addr: string;
  readonly pages: number;
}

/** The parameters of `op` as the table of CPU calls has them. */
export function traceCallParams(op: TraceCpuOp): object {
  const {
    op: name,
    actor: _,
    addr,
    off,
    ...rest
  } = op as TraceCpuOp & { readonly actor?: string; readonly addr?: string; readonly off?: number };
  return {
    ...(addr === undefined ? {} : { address: addr }),
    ...(off === undefined ? {} : { offset: off }),
    ...(name === 'fork' ? { child: CHILD } : {}),
    ...rest,
  };
}

/** Performs `op` through the CpuApi of actorOf(op). Yields: yes. */
export function* performCpuOp(api: CpuApi, op: TraceCpuOp): Task<OpResult> {
  return answerToCall(op.op, yield* bindCall(op.op, traceCallParams(op))(api));
}
