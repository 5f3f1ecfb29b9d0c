/**
 * What a benchmark is. `npm run bench` finds every `*.bench.ts`, runs the `benches` that it exports one after the
 * other, each file in a process of its own, and prints medians and ratios. Nothing here decides a test.
 */

/** 'quick' takes seconds and only shows that the benchmark runs; 'full' is what numbers are quoted from. */
export type Effort = 'quick' | 'full';

/** Something that was measured, several times. */
export interface Measurement {
  readonly name: string;
  /** 'us': microseconds; 'x': times as much as the thing it is compared with. */
  readonly unit: 'us' | '1/s' | 'bytes' | 'x';
  /** One for each repetition, in order. */
  readonly values: readonly number[];
  /** The median is wanted at or below this. */
  readonly atMost?: number;
}

export interface Bench {
  readonly name: string;
  run(effort: Effort): Promise<readonly Measurement[]> | readonly Measurement[];
}

/** How often a measurement is repeated, and for how long each time (milliseconds). */
export function repetitions(effort: Effort): { readonly count: number; readonly ms: number } {
  return effort === 'full' ? { count: 7, ms: 1_000 } : { count: 3, ms: 100 };
}

/** The middle value; of an even number the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  if (!Number.isInteger(middle)) return upper;
  return (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Calls `round` for at least `ms` milliseconds. Returns calls a second. */
export function perSecond(ms: number, round: () => void): number {
  const begun = performance.now();
  let calls = 0;
  let now = begun;
  for (; now - begun < ms; now = performance.now()) {
    round();
    calls += 1;
  }
  return (calls * 1_000) / (now - begun);
}

/** The repetitions of one measurement, each value from a call of `once`. */
export function measured(
  name: string,
  unit: Measurement['unit'],
  count: number,
  once: () => number,
): Measurement {
  return { name, unit, values: Array.from({ length: count }, once) };
}

/** How many times as much as its rival something needs, repetition by repetition. */
export function against(
  name: string,
  values: readonly number[],
  rival: readonly number[],
): Measurement {
  const ratios = values.map((value, at) => value / (rival[at] ?? Number.NaN));
  return { name, unit: 'x', values: ratios };
}
