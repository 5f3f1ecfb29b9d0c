/** Explores a scenario: with one device for all its twins where that is as good, else in full. */

import type { ExecutedStep } from '../../explorer/execution.ts';
import { isLivelock } from '../../explorer/failure.ts';
import type { Alike } from '../../explorer/shrink.ts';
import type { Bound, Searched } from '../../report/bound.ts';
import { answerOf } from '../../scenario/expectations.ts';
import { machineFacts } from '../../scenario/machine-facts.ts';
import { goesRound, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { joinedReach } from '../coverage/joined-reach.ts';
import { judgedByReach, withReachOf } from '../coverage/reach.ts';
import type { Along, AlongFound, SearchedWorlds } from './along.ts';
import type { Covered } from './covered.ts';
import { conclude, explore, type Minimise, type Verdict } from './explore.ts';
import type { ExploreOptions } from './explore-options.ts';
import { minimiseCounterexample } from './minimise-counterexample.ts';
import { ownCodeOf } from './own-code-check.ts';
import { symmetryOf } from './symmetric-devices.ts';
import { IndependenceCheck, withoutTwins } from './twins.ts';
import { mayGoUnread, UnreadSequences } from './unread-sequences.ts';

export interface ScenarioExploreOptions
  extends Omit<ExploreOptions, 'stepsMax' | 'onStep' | 'along'> {
  /** Threads that search along. Absent: none. */
  readonly along?: Along;
}

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
  const { along, ...alone } = options;
  const others = along?.end() ?? [];
  if (others.length === 0) return judgedByReach(value, reach);
  const judged = judgedByReach(value, joinedReach([reach, ...others]));
  // Each may have reached one side of a line: only a thread that does it all knows what was not reached at all.
  const isMissed = 'missed' in judged.bound || judged.verdict !== value.verdict;
  return isMissed ? exploreScenario(plan, alone) : judged;
}

function searched(plan: ScenarioPlan, options: ScenarioExploreOptions): ScenarioVerdict {
  const exhaustive = options.strategy === 'dpor';
  // Whether all have their turns is asked of all.
  const reduction = exhaustive && !goesRound(plan) ? withoutTwins(plan) : 'none';
  if (reduction !== 'none') {
    const newCheck = () => new IndependenceCheck(reduction.member, reduction.isOwn);
    let independence = newCheck();
    const verdict = run(reduction.plan, 'left out', {
      ...options,
      onStep: (step) => independence.see(step),
      goOn: () => (independence.breach() === 'none' ? (options.goOn?.() ?? 'go on') : 'stop'),
      onAgain: () => {
        independence = newCheck();
      },
      onJoin: ({ touched }) => {
        if (touched !== undefined) independence.join(touched);
      },
    });
    if (verdict.verdict === 'broken') return verdict;
    if (independence.breach() === 'none') {
      const standsFor = { member: reduction.member, twins: reduction.leftOut };
      return { ...verdict, bound: withFacts(verdict.bound, { standsFor }), plan: reduction.plan };
    }
  }
  return run(plan, 'kept', options);
}

function withFacts(
  bound: Bound,
  facts: Pick<Searched, 'standsFor' | 'kernel' | 'smallTables'>,
): Bound {
  return 'strategy' in bound ? { ...bound, ...facts } : bound;
}

/** `exists` asks for what `forbid` fears: reaching it is the good answer. */
function run(
  plan: ScenarioPlan,
  twins: SearchedWorlds['twins'],
  { along, onAgain, onJoin, ...options }: RunOptions,
): ScenarioVerdict {
  const rounds = goesRound(plan) && options.preemptionsMax === undefined;
  const symmetry = options.strategy === 'dpor' && !rounds ? symmetryOf(plan) : 'none';
  const all = {
    ...options,
    ...(rounds ? { circles: 'judged' as const } : {}),
    stepsMax: stepsMaxOf(plan),
    ...(symmetry === 'none' ? {} : { symmetry }),
    ...(ownCodeOf(plan).length === 0 ? {} : { footprints: 'checked' as const }),
  };
  if (options.strategy === 'dpor' && options.preemptionsMax === undefined && mayGoUnread(plan)) {
    let sequences = new UnreadSequences();
    const unread: ExploreOptions = {
      ...all,
      ...alongIn(
        along,
        { twins, sequences: 'unread' },
        {
          onAgain: () => {
            sequences = new UnreadSequences();
            onAgain?.();
          },
          onJoin: (found) => {
            sequences.join(found.sequences);
            onJoin?.(found);
          },
        },
      ),
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
  const told = { ...all, ...alongIn(along, { twins, sequences: 'told' }, { onAgain, onJoin }) };
  return answered(plan, (minimise) => explore(() => newScenarioRun(plan), told, minimise));
}

interface StepsSeen {
  /** What was seen of steps does not count. */
  readonly onAgain?: (() => void) | undefined;
  /** What another thread has seen of steps counts, too. */
  readonly onJoin?: ((found: AlongFound) => void) | undefined;
}

interface RunOptions extends Omit<ExploreOptions, 'stepsMax' | 'along'>, StepsSeen {
  readonly along?: Along;
}

/** The threads that search along, for these worlds. */
function alongIn(
  along: Along | undefined,
  worlds: SearchedWorlds,
  { onAgain, onJoin }: StepsSeen,
): Pick<ExploreOptions, 'along'> {
  if (along === undefined) return {};
  return {
    along: {
      begin: (window) => along.begin({ ...worlds, ...window }),
      again: () => onAgain?.(),
      join: (found) => {
        for (const one of found) onJoin?.(one);
      },
    },
  };
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
