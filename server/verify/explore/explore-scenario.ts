/** Explores a scenario: with one device for all its twins where that is as good, else in full. */

import type { ExecutedStep } from '../../explorer/execution.ts';
import { isLivelock } from '../../explorer/failure.ts';
import type { Alike } from '../../explorer/shrink.ts';
import type { Bound, Searched } from '../../report/bound.ts';
import { answerOf } from '../../scenario/expectations.ts';
import { machineFacts } from '../../scenario/machine-facts.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { judgedByReach, withReachOf } from '../coverage/reach.ts';
import type { Covered } from './covered.ts';
import { conclude, explore, type Minimise, type Verdict } from './explore.ts';
import type { ExploreOptions } from './explore-options.ts';
import { minimiseCounterexample } from './minimise-counterexample.ts';
import { ownCodeOf } from './own-code-check.ts';
import { symmetryOf } from './symmetric-devices.ts';
import { IndependenceCheck, withoutTwins } from './twins.ts';
import { mayGoUnread, UnreadSequences } from './unread-sequences.ts';

export type ScenarioExploreOptions = Omit<ExploreOptions, 'stepsMax' | 'onStep'>;

export interface ScenarioVerdict extends Verdict {
  /** The scenario that the counterexample belongs to: it may have fewer devices than was asked. */
  readonly plan: ScenarioPlan;
}

/** Nothing is said to hold of a patch or a driver that did not run. Throws what the world throws. */
export function exploreScenario(
  plan: ScenarioPlan,
  options: ScenarioExploreOptions,
): ScenarioVerdict {
  // A sample never says that anything holds, and is the same whether one thread takes it or several.
  if (options.strategy !== 'dpor' && options.strategy !== 'dfs') return searched(plan, options);
  const { value, reach } = withReachOf(plan, (watched) => searched(watched, options));
  return judgedByReach(value, reach);
}

function searched(plan: ScenarioPlan, options: ScenarioExploreOptions): ScenarioVerdict {
  const exhaustive = options.strategy === 'dpor';
  const reduction = exhaustive ? withoutTwins(plan) : 'none';
  if (reduction !== 'none') {
    const independence = new IndependenceCheck(reduction.member, reduction.isOwn);
    const verdict = run(reduction.plan, {
      ...options,
      onStep: (step) => independence.see(step),
      goOn: () => (independence.breach() === 'none' ? (options.goOn?.() ?? 'go on') : 'stop'),
    });
    if (verdict.verdict === 'broken') return verdict;
    if (independence.breach() === 'none') {
      const standsFor = { member: reduction.member, twins: reduction.leftOut };
      return { ...verdict, bound: withFacts(verdict.bound, { standsFor }), plan: reduction.plan };
    }
  }
  return run(plan, options);
}

function withFacts(
  bound: Bound,
  facts: Pick<Searched, 'standsFor' | 'kernel' | 'smallTables'>,
): Bound {
  return 'strategy' in bound ? { ...bound, ...facts } : bound;
}

/** `exists` asks for what `forbid` fears: reaching it is the good answer. */
function run(plan: ScenarioPlan, options: Omit<ExploreOptions, 'stepsMax'>): ScenarioVerdict {
  const symmetry = options.strategy === 'dpor' ? symmetryOf(plan) : 'none';
  const all = {
    ...options,
    stepsMax: stepsMaxOf(plan),
    ...(symmetry === 'none' ? {} : { symmetry }),
    ...(ownCodeOf(plan).length === 0 ? {} : { footprints: 'checked' as const }),
  };
  if (options.strategy === 'dpor' && options.preemptionsMax === undefined && mayGoUnread(plan)) {
    const sequences = new UnreadSequences();
    const unread = {
      ...all,
      onStep: (step: ExecutedStep) => {
        options.onStep?.(step);
        sequences.see(step);
      },
      goOn: () => (sequences.state === 'unread' ? (options.goOn?.() ?? 'go on') : 'stop'),
    };
    const verdict = answered(plan, (minimise) =>
      explore(() => newScenarioRun(plan, { sequences: 'unread' }), unread, minimise),
    );
    if (sequences.state === 'unread') return verdict;
  }
  return answered(plan, (minimise) => explore(() => newScenarioRun(plan), all, minimise));
}

/** The same of what was covered elsewhere. The counterexample is `alike` what was found. */
export function concludeScenario(
  plan: ScenarioPlan,
  covered: Covered,
  options: ExploreOptions,
  began: number,
  alike?: Alike,
): ScenarioVerdict {
  return answered(
    plan,
    (minimise) => conclude(() => newScenarioRun(plan), covered, options, began, minimise),
    alike,
  );
}

function answered(
  plan: ScenarioPlan,
  search: (minimise: Minimise) => Verdict,
  alike?: Alike,
): ScenarioVerdict {
  let smallest = plan;
  const searched = search((_, { choices }) => {
    const minimised = minimiseCounterexample(plan, choices, alike);
    smallest = minimised.plan;
    return minimised.report;
  });
  const found = { ...searched, bound: withFacts(searched.bound, machineFacts(plan)) };
  const { counterexample } = found;
  if (counterexample === 'none') {
    return { ...found, verdict: answerOf(plan.question, found.verdict, 'none'), plan };
  }
  const { failure, livelock } = counterexample;
  // Bad luck looks the same at first. Only what can go on for ever under a fair scheduler is an answer.
  if (isLivelock(failure) && livelock === undefined) {
    const bound: Bound = { kind: 'no fair round', failure };
    return { ...found, verdict: 'unknown', bound, counterexample: 'none', plan };
  }
  return { ...found, verdict: answerOf(plan.question, found.verdict, failure), plan: smallest };
}
