/** Explores a scenario: with one device for all its twins where that is as good, else in full. */

import { isLivelock } from '../../explorer/failure.ts';
import type { Alike } from '../../explorer/shrink.ts';
import type { Bound, PatchNotReached, Searched } from '../../report/bound.ts';
import { answerOf } from '../../scenario/expectations.ts';
import { machineFacts } from '../../scenario/machine-facts.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { patchNotReached, type Reach, withReach } from '../coverage/patch-reach.ts';
import type { Covered } from './covered.ts';
import { conclude, explore, type Minimise, type Verdict } from './explore.ts';
import type { ExploreOptions } from './explore-options.ts';
import { minimiseCounterexample } from './minimise-counterexample.ts';
import { symmetryOf } from './symmetric-devices.ts';
import { Isolation, withoutTwins } from './twins.ts';

export type ScenarioExploreOptions = Omit<ExploreOptions, 'stepsMax' | 'onStep'>;

export interface ScenarioVerdict extends Verdict {
  /** The scenario that the counterexample belongs to: it may have fewer devices than was asked. */
  readonly plan: ScenarioPlan;
}

/** Nothing is said to hold of a patch that did not run. Throws what the world throws. */
export function exploreScenario(
  plan: ScenarioPlan,
  options: ScenarioExploreOptions,
): ScenarioVerdict {
  // A sample never says that anything holds, and is the same whether one thread takes it or several.
  if (options.strategy !== 'dpor' && options.strategy !== 'dfs') return searched(plan, options);
  const { value, reach } = withReach(plan, (watched) => searched(watched, options));
  return judgedByReach(value, reach);
}

/** `holds` of a patch that did not run is unknown. */
export function judgedByReach(value: ScenarioVerdict, reach: Reach): ScenarioVerdict {
  const missed = patchNotReached(reach);
  if (value.verdict !== 'holds' || missed === 'none' || !('strategy' in value.bound)) {
    return { ...value, reach };
  }
  const { patch, overridden, called, lines } = missed;
  const differing = called.length === 0 ? [] : (lines?.missed ?? []);
  const why: PatchNotReached = { kind: 'patch not reached', patch, overridden, lines: differing };
  return { ...value, verdict: 'unknown', bound: { ...value.bound, ...why }, reach };
}

function searched(plan: ScenarioPlan, options: ScenarioExploreOptions): ScenarioVerdict {
  const exhaustive = options.strategy === 'dpor';
  const reduction = exhaustive ? withoutTwins(plan) : 'none';
  if (reduction !== 'none') {
    const isolation = new Isolation(reduction.member, reduction.isOwn);
    const verdict = run(reduction.plan, {
      ...options,
      onStep: (step) => isolation.see(step),
      goOn: () => (isolation.breach() === 'none' ? (options.goOn?.() ?? 'go on') : 'stop'),
    });
    if (verdict.verdict === 'broken') return verdict;
    if (isolation.breach() === 'none') {
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
  };
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
