/** What a random search can claim: never "holds", but how likely it is that it has missed something. */
import type { Measured } from '../../explorer/measure.ts';
import { detectionOf, missedAfter } from '../../explorer/pct.ts';
import type { SampleStrategy } from '../../explorer/sample.ts';
import { counted } from '../../report/lines/counted.ts';

export interface Sampled {
  readonly strategy: SampleStrategy;
  readonly seed: number;
  /** PCT: a bug of this depth needs so many orders between steps. */
  readonly depth: number;
  /** Most tasks of one execution (n) and most steps (k), as pilot executions measured them. */
  readonly tasks: number;
  readonly steps: number;
  /** Executions with more of either: of them nothing is claimed. */
  readonly beyond: number;
  /** PCT: the least probability that one execution shows a bug of this depth: 1 / (n * k^(depth-1)). */
  readonly detection: number | 'none';
  /** PCT: the most that the probability can be of having missed it in all executions: (1 - detection)^executions. */
  readonly missed: number | 'none';
  /** The first execution that has not been had: a search that goes on begins there. */
  readonly next: number;
  /** No failure in all executions: with 95 % confidence a smaller share than this of such executions fails. */
  readonly failingShareMax: number;
}

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

/** The claim of a search that found nothing, in one sentence or two. */
export function claimOf(sampled: Omit<Sampled, 'next'>, executions: number): string {
  const { strategy, seed, depth, tasks, steps, beyond, detection, missed } = sampled;
  const how =
    strategy === 'pct' ? `pct, depth ${depth}, seed ${seed}` : `${strategy}, seed ${seed}`;
  const said = `sampled: no failure in ${counted(executions, 'execution')} (${how})`;
  if (detection === 'none' || missed === 'none') {
    const share = percent(sampled.failingShareMax);
    return `${said}; with 95 % confidence fewer than ${share} of such executions fail`;
  }
  const exceeded = beyond === 0 ? '' : `, not counting ${beyond} executions that had more`;
  return (
    `${said}; one execution shows a bug of depth ${depth} with a probability of at least ` +
    `1/(n*k^${depth - 1}) = ${scientific(detection)} (n = ${tasks} tasks, k = ${steps} steps, as measured), ` +
    `and all of them have missed it with a probability of at most ${missedText(missed)}${exceeded}`
  );
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function scientific(probability: number): string {
  return probability >= 0.01 ? probability.toFixed(3) : probability.toExponential(1);
}

/** Never rounded to certainty. */
function missedText(missed: number): string {
  if (missed > 0.999) return missed > 0.999999 ? 'almost 1' : missed.toFixed(6);
  return missed < 0.001 ? missed.toExponential(1) : missed.toFixed(3);
}
