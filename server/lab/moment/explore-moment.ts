/** Explores everything that is reachable from a moment of a recorded run. */
import { explore, type Verdict } from '../explore/explore.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { hasDeparture, type Moment, newMomentRun } from './moment-world.ts';

/** Steps of one execution. */
export const MOMENT_STEPS_MAX = 5_000;

/** Throws what the machine throws. */
export function exploreMoment(
  moment: Moment,
  options: Omit<ExploreOptions, 'stepsMax' | 'onStep'>,
): Verdict {
  const verdict = explore(() => newMomentRun(moment), { ...options, stepsMax: MOMENT_STEPS_MAX });
  return { ...verdict, bound: boundOf(moment, verdict) };
}

/** What the future was: without it, `every interleaving` says nothing. */
function boundOf({ step, entries, run }: Moment, { bound, outcomes }: Verdict): string {
  const departed = [...outcomes].filter(([outcome]) => hasDeparture(outcome));
  const count = departed.reduce((sum, [, executions]) => sum + executions, 0);
  const left =
    count === 0
      ? ''
      : `; in ${count} of them a client was answered otherwise than recorded, gave back what it held and stopped`;
  const till = run.entries.length;
  return (
    `from entry ${step}, the ${entries} entries up to ${till} in every order that keeps each client's own: ` +
    `${bound}${left}`
  );
}
