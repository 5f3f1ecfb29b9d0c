import type { ActorSeen } from '../timeline/actors.ts';

/** One element of `traceEvents`: the trace event format of Chrome, as Perfetto reads it. */
export interface TraceRecord {
  readonly ph: 'X' | 'i' | 'C' | 'M' | 'b' | 'e' | 's' | 't' | 'f';
  readonly pid: number;
  readonly tid: number;
  /** Microseconds, fractions allowed. */
  readonly ts: number;
  readonly name: string;
  readonly [field: string]: unknown;
}

/** All CPUs are threads of the process that has the mm. */
export const CPU_PID = 1;
const FIRST_DEVICE_PID = 100;

export function pidOf({ role, index }: ActorSeen): number {
  return role === 'cpu' ? CPU_PID : FIRST_DEVICE_PID + index;
}

export function micros(nanoseconds: number): number {
  return nanoseconds / 1_000;
}
