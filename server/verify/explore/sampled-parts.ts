/**
 * A random search in parts: which executions belong to which, and what they come to together. The parts are the same
 * in whichever thread, so the sum is.
 */
import type { NewExplored } from '../../explorer/explored.ts';
import type { Measured } from '../../explorer/measure.ts';
import { countOutcome, type Outcome } from '../../explorer/outcomes.ts';
import type { SampleResult, SampleStrategy } from '../../explorer/sample.ts';
import type { Covered, FoundFailure } from './covered.ts';
import { type LockOrderBreach, LockOrderWatch } from './lock-order-watch.ts';
import { sampledFacts } from './sampled.ts';

/** Executions of one part: few enough to show progress, many enough to be worth sending to a thread. */
export const PART_EXECUTIONS = 200;

export interface SampledPart {
  readonly first: number;
  readonly executions: number;
}

export function partsOf(executions: number): number {
  return Math.ceil(executions / PART_EXECUTIONS);
}

/** Of a search of `executions`, behind the `skipped` first ones. */
export function partNumber(part: number, executions: number, skipped = 0): SampledPart {
  const first = part * PART_EXECUTIONS;
  return { first: skipped + first, executions: Math.min(PART_EXECUTIONS, executions - first) };
}

/** What a part came to. Plain data. */
export type PartResult = Omit<SampleResult, 'counterexample' | 'measured'> & {
  readonly found: FoundFailure | 'none';
  readonly lockOrder?: readonly LockOrderBreach[];
};

/** `run` samples the worlds that it is given, as its argument returns them. */
export function watchedPart(
  run: (watched: (newExplored: NewExplored) => NewExplored) => SampleResult,
): PartResult {
  const watch = new LockOrderWatch();
  const result = partResult(run((newExplored) => watch.of(newExplored)));
  return { ...result, lockOrder: watch.found() };
}

export function partResult({ counterexample, measured: _, ...counts }: SampleResult): PartResult {
  if (counterexample === 'none') return { ...counts, found: 'none' };
  const { choices, failure } = counterexample;
  return { ...counts, found: { choices, failure } };
}

/** Executions from the first on, up to one that has not been had. */
function withoutGap(parts: readonly PartResult[]): number {
  const broken = parts.findIndex((part) => part.executions < PART_EXECUTIONS);
  const whole = broken < 0 ? parts : parts.slice(0, broken + 1);
  return whole.reduce((sum, part) => sum + part.executions, 0);
}

/** `parts` in the order of their executions; those behind the first that failed do not count. */
export function coveredBy(
  parts: readonly PartResult[],
  measured: Measured,
  options: {
    readonly strategy: SampleStrategy;
    readonly seed: number;
    readonly depth: number;
    readonly preemptionsMax?: number;
    readonly skipExecutions?: number;
  },
  ended: 'complete' | 'stopped',
): Covered {
  const failing = parts.findIndex(({ found }) => found !== 'none');
  const counted = failing < 0 ? parts : parts.slice(0, failing + 1);
  const sum = (of: 'executions' | 'steps' | 'windowEntered' | 'failures' | 'tooLong' | 'beyond') =>
    counted.reduce((total, part) => total + part[of], 0);
  const outcomes = new Map<string, Outcome>();
  for (const { failure, state, executions } of counted.flatMap((part) => [
    ...part.outcomes.values(),
  ])) {
    countOutcome(outcomes, failure, () => state, executions);
  }
  const executions = sum('executions');
  return {
    ended: failing < 0 ? ended : 'counterexample',
    executions,
    steps: sum('steps'),
    windowEntered: sum('windowEntered'),
    failures: sum('failures'),
    tooLong: sum('tooLong'),
    outcomes,
    lockOrder: counted.flatMap(({ lockOrder = [] }) => lockOrder),
    found: counted.at(-1)?.found ?? 'none',
    sampled: {
      ...sampledFacts(options, measured, { executions, beyond: sum('beyond') }),
      next: (options.skipExecutions ?? 0) + withoutGap(counted),
    },
  };
}
