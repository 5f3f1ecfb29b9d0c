/** What a random search can claim: never "holds", but how likely it is that it has missed something. */
import type { Measured } from '../../explorer/measure.ts';
import { detectionOf, missedAfter } from '../../explorer/pct.ts';
import type { SampleStrategy } from '../../explorer/sample.ts';
import type { Sampled } from '../../report/bound.ts';

const CONFIDENCE = 0.95;

export function sampledFacts(
  options: {
    readonly strategy: SampleStrategy;
    readonly seed: number;
    readonly depth: number;
    readonly preemptionsMax?: number;
  },
  measured: Pick<Measured, 'tasks' | 'steps'>,
  counts: { readonly executions: number; readonly beyond: number },
): Omit<Sampled, 'next'> {
  const { strategy, seed, depth } = options;
  const { tasks, steps } = measured;
  // A bound on preemptions takes away the change that the probability counts on.
  const claims = strategy === 'pct' && options.preemptionsMax === undefined;
  const detection = claims ? detectionOf(measured, depth) : 'none';
  const counted = counts.executions - counts.beyond;
  return {
    strategy,
    seed,
    depth,
    tasks,
    steps,
    beyond: counts.beyond,
    detection,
    missed: detection === 'none' ? 'none' : missedAfter(detection, counted),
    failingShareMax: 1 - (1 - CONFIDENCE) ** (1 / Math.max(1, counts.executions)),
  };
}
