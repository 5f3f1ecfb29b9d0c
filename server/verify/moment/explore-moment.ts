/** Explores everything that is reachable from a moment of a recorded run. */
import { explore, type Verdict } from '../explore/explore.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { type Moment, type MomentRun, newMomentRun } from './moment-world.ts';

/** Steps of one execution. */
export const MOMENT_STEPS_MAX = 5_000;

/** Throws what the machine throws. */
export function exploreMoment(
  moment: Moment,
  options: Omit<ExploreOptions, 'stepsMax' | 'onStep' | 'preemptionsMax'>,
): Verdict {
  /** Ends at which a client has departed. */
  const departed = new Set<string>();
  const newRun = (): MomentRun => {
    const run = newMomentRun(moment);
    const outcome = (): string => {
      const state = run.outcome();
      if (run.departures().length > 0) departed.add(state);
      return state;
    };
    return { ...run, outcome };
  };
  const verdict = explore(newRun, { ...options, stepsMax: MOMENT_STEPS_MAX });
  const { step, entries, run } = moment;
  const left = [...verdict.outcomes.values()].filter(({ state }) => departed.has(state));
  return {
    ...verdict,
    bound: {
      kind: 'moment',
      step,
      entries,
      last: run.entries.length,
      of: verdict.bound,
      executions: verdict.executions,
      departed: left.reduce((sum, { executions }) => sum + executions, 0),
    },
  };
}
