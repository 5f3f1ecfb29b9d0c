/** Explores a scenario: with one device for all its twins where that is as good, else in full. */
import { answerOf } from '../../scenario/expectations.ts';
import { machineWords } from '../../scenario/machine-words.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import type { Covered } from './covered.ts';
import { conclude, explore, type Teller, type Verdict } from './explore.ts';
import type { ExploreOptions } from './explore-options.ts';
import { isLivelock } from './livelock-cycle.ts';
import { symmetryOf } from './symmetric-devices.ts';
import { tellCounterexample } from './tell-counterexample.ts';
import { Isolation, withoutTwins } from './twins.ts';

export type ScenarioExploreOptions = Omit<ExploreOptions, 'stepsMax' | 'onStep'>;

export interface ScenarioVerdict extends Verdict {
  /** The scenario that the counterexample belongs to: it may have fewer devices than was asked. */
  readonly plan: ScenarioPlan;
}

/** Throws what the world throws. */
export function exploreScenario(
  plan: ScenarioPlan,
  options: ScenarioExploreOptions,
): ScenarioVerdict {
  const exhaustive = options.strategy === 'dpor';
  const reduction = exhaustive ? withoutTwins(plan) : 'none';
  if (reduction !== 'none') {
    const isolation = new Isolation(reduction.member);
    const verdict = run(reduction.plan, {
      ...options,
      onStep: (step) => isolation.see(step),
      goOn: () => (isolation.breach() === 'none' ? (options.goOn?.() ?? 'go on') : 'stop'),
    });
    if (verdict.verdict === 'broken') return verdict;
    if (isolation.breach() === 'none') {
      const twins = reduction.leftOut === 1 ? '1 twin' : `${reduction.leftOut} twins`;
      const bound = `${verdict.bound}; ${reduction.member} stands for its ${twins}`;
      return { ...verdict, bound, plan: reduction.plan };
    }
  }
  return run(plan, options);
}

/** `exists` asks for what `forbid` fears: reaching it is the good answer. */
function run(plan: ScenarioPlan, options: Omit<ExploreOptions, 'stepsMax'>): ScenarioVerdict {
  const symmetry = options.strategy === 'dpor' ? symmetryOf(plan) : 'none';
  const all = {
    ...options,
    stepsMax: stepsMaxOf(plan),
    ...(symmetry === 'none' ? {} : { symmetry }),
  };
  return answered(plan, (tell) => explore(() => newScenarioRun(plan), all, tell));
}

/** The same of what was covered elsewhere. */
export function concludeScenario(
  plan: ScenarioPlan,
  covered: Covered,
  options: ExploreOptions,
  began: number,
): ScenarioVerdict {
  return answered(plan, (tell) =>
    conclude(() => newScenarioRun(plan), covered, options, began, tell),
  );
}

function answered(plan: ScenarioPlan, search: (tell: Teller) => Verdict): ScenarioVerdict {
  let smallest = plan;
  const searched = search((_, { choices }) => {
    const told = tellCounterexample(plan, choices);
    smallest = told.plan;
    return told.report;
  });
  const found = { ...searched, bound: `${searched.bound}${machineWords(plan)}` };
  const { counterexample } = found;
  if (counterexample === 'none') {
    return { ...found, verdict: answerOf(plan.question, found.verdict, 'none'), plan };
  }
  const { failure, livelock } = counterexample;
  // Bad luck looks the same at first. Only what can go on for ever under a fair scheduler is an answer.
  if (isLivelock(failure) && livelock === undefined) {
    const bound = `${failure}; but no state was seen to repeat under a fair scheduler: raise bounds.faults`;
    return { ...found, verdict: 'unknown', bound, counterexample: 'none', plan };
  }
  return { ...found, verdict: answerOf(plan.question, found.verdict, failure), plan: smallest };
}
