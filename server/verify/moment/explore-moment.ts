/** Explores everything that is reachable from a moment of a recorded run. */
import { explore, type Verdict } from '../explore/explore.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { hasDeparture, type Moment, newMomentRun } from './moment-world.ts';

/** Steps of one execution. */
export const MOMENT_STEPS_MAX = 5_000;

/** Throws what the machine throws. */
export function exploreMoment(
  moment: Moment,
  options: Omit<ExploreOptions, 'stepsMax' | 'onStep' | 'preemptionsMax'>,
): Verdict {
  const verdict = explore(() => newMomentRun(moment), {
    ...options,
    stepsMax: MOMENT_STEPS_MAX,
  });
  return { ...verdict, bound: boundOf(moment, verdict) };
}

/** What the future was: without it, `every interleaving` says nothing. */
function boundOf({ step, entries, run }: Moment, verdict: Verdict): string {
  const { executions, outcomes } = verdict;
  const order =
    `from entry ${step}, the ${entries} entries up to ${run.entries.length} in every order that keeps ` +
    `each client's own`;
  if (verdict.verdict === 'broken') return `${order}: found in ${executions} executions`;
  if (verdict.verdict === 'unknown') return `${order}: ${verdict.bound}`;
  const departed = [...outcomes].filter(([outcome]) => hasDeparture(outcome));
  const count = departed.reduce((sum, [, times]) => sum + times, 0);
  const left =
    count === 0
      ? ''
      : `; in ${count} of them a client was answered otherwise than recorded, gave back what it held and stopped`;
  return `${order}: all ${executions} executions that differ${left}`;
}
