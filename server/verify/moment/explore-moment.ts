/** Explores everything that is reachable from a moment of a recorded run. */
import { patchesIn } from '../../patches/patch-set.ts';
import { judgedByReach, type ReachWatch, withReach } from '../coverage/reach.ts';
import { explore, type Verdict } from '../explore/explore.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { type Moment, type MomentRun, newMomentRun } from './moment-world.ts';

/** Steps of one execution. */
export const MOMENT_STEPS_MAX = 5_000;

type MomentOptions = Omit<ExploreOptions, 'stepsMax' | 'onStep' | 'preemptionsMax'>;

/** Nothing is said to hold of a patch that did not run. Throws what the machine throws. */
export function exploreMoment(moment: Moment, options: MomentOptions): Verdict {
  const patches = patchesIn(moment.run.config.patch);
  const code = { patches: 'unknown' in patches ? [] : patches, drivers: [] };
  const { value, reach } = withReach(code, (watch) => explored(moment, options, watch));
  const { departed, ...verdict } = value;
  const judged = judgedByReach(verdict, reach);
  const { step, entries, run } = moment;
  return {
    ...judged,
    bound: {
      kind: 'moment',
      step,
      entries,
      last: run.entries.length,
      of: judged.bound,
      executions: verdict.executions,
      departed,
    },
  };
}

/** `departed`: executions in which a client was answered otherwise than recorded. */
function explored(
  moment: Moment,
  options: MomentOptions,
  { patches, aside }: Pick<ReachWatch, 'patches' | 'aside'>,
): Verdict & { readonly departed: number } {
  const byId = new Map(patches.map((one) => [one.id, one]));
  /** Ends at which a client has departed. */
  const departed = new Set<string>();
  const newRun = (): MomentRun => {
    const run = aside(() => newMomentRun(moment, byId));
    const outcome = (): string => {
      const state = run.outcome();
      if (run.departures().length > 0) departed.add(state);
      return state;
    };
    return { ...run, outcome };
  };
  const verdict = explore(newRun, { ...options, stepsMax: MOMENT_STEPS_MAX });
  const left = [...verdict.outcomes.values()].filter(({ state }) => departed.has(state));
  return { ...verdict, departed: left.reduce((sum, { executions }) => sum + executions, 0) };
}
