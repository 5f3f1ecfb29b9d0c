/** Searches a scenario along with another thread: the same worlds, told apart in the same way. */
import type { OtherSearches } from '../../explorer/other-searches.ts';
import { searchStates } from '../../explorer/search-states.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { PointPairs } from '../../scheduler/point-pairs.ts';
import type { AlongCounts, AlongFound, SearchedWorlds } from './along.ts';
import { STATES_BYTES_MAX } from './explore-options.ts';
import { LockOrderWatch } from './lock-order-watch.ts';
import { symmetryOf } from './symmetric-devices.ts';
import { IndependenceCheck, withoutTwins } from './twins.ts';
import { UnreadSequences } from './unread-sequences.ts';

export interface SearchAlongOptions {
  readonly others: OtherSearches;
  readonly preemptionsMax?: number;
  readonly statesBytesMax?: number;
  /** Asked before each execution. */
  readonly goOn: (counts: AlongCounts) => 'go on' | 'stop';
}

/** Ends as well where the reason is gone for which these worlds may be searched instead of all. */
export function searchAlong(
  asked: ScenarioPlan,
  { twins, sequences, window }: SearchedWorlds,
  { others, preemptionsMax, statesBytesMax = STATES_BYTES_MAX, goOn }: SearchAlongOptions,
): AlongFound {
  const reduction = twins === 'left out' ? withoutTwins(asked) : 'none';
  const plan = reduction === 'none' ? asked : reduction.plan;
  const independence =
    reduction === 'none' ? 'none' : new IndependenceCheck(reduction.member, reduction.isOwn);
  const unread = new UnreadSequences();
  const watch = new LockOrderWatch();
  const points = new PointPairs();
  const symmetry = symmetryOf(plan);
  const world = sequences === 'unread' ? { sequences } : {};
  const { counterexample, ...result } = searchStates(
    points.of(watch.of(() => newScenarioRun(plan, world))),
    {
      stepsMax: stepsMaxOf(plan),
      counterexamples: 'first',
      others,
      bytesMax: statesBytesMax,
      ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
      ...(symmetry === 'none' ? {} : { symmetry }),
      ...(window === undefined ? {} : { window }),
      onStep: (step) => {
        if (independence !== 'none') independence.see(step);
        if (sequences === 'unread') unread.see(step);
      },
      goOn: (counts) => {
        const mayGo = independence === 'none' || independence.breach() === 'none';
        return mayGo && unread.state === 'unread' ? goOn(counts) : 'stop';
      },
    },
  );
  return {
    result: {
      ...result,
      counterexample: counterexample === 'none' ? 'none' : { ...counterexample, steps: [] },
    },
    lockOrder: watch.found(),
    pairs: points.found(),
    ...(independence === 'none' ? {} : { touched: independence.touched() }),
    sequences: unread.state,
  };
}
