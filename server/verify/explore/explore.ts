/**
 * From a world to a verdict: `holds` within a stated bound, `broken` with the shortest counterexample found, or
 * `unknown` with the reason. "I stopped looking" is never "holds".
 */
import { contextSwitches } from '../../explorer/blocks.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { NewExplored } from '../../explorer/explored.ts';
import { type Failure, isLivelock } from '../../explorer/failure.ts';
import { tryFewSwitches } from '../../explorer/few-switches.ts';
import { nearestPassingSchedule, pointOfNoReturn, type Sibling } from '../../explorer/no-return.ts';
import { countOutcome, type Outcome, type Outcomes } from '../../explorer/outcomes.ts';
import { replay, roundRobin, runWith } from '../../explorer/replay.ts';
import { type Progress, type SearchResult, search } from '../../explorer/search.ts';
import { searchStates } from '../../explorer/search-states.ts';
import { shrink } from '../../explorer/shrink.ts';
import type { Stuck } from '../../explorer/stuck.ts';
import type { Bound, Sampled } from '../../report/bound.ts';
import { NO_TURN, type Turn } from '../../report/turn.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import type { Reach } from '../coverage/patch-reach.ts';
import { coverBySampling } from './cover-by-sampling.ts';
import type { Covered, Found } from './covered.ts';
import type { ExploreOptions } from './explore-options.ts';
import type { Cycle } from './livelock-cycle.ts';
import { distinctBreaches, type LockOrderBreach, LockOrderWatch } from './lock-order-watch.ts';

export interface CounterexampleReport {
  readonly failure: Failure;
  readonly choices: readonly number[];
  readonly contextSwitches: number;
  readonly steps: readonly ExecutedStep[];
  /** The number of the step after which every continuation fails, or 'unknown'. */
  readonly pointOfNoReturn: number | 'unknown';
  readonly nearestPassingSchedule: Sibling | 'none';
  /** Both in the numbers of the events. */
  readonly turn: Turn;
  /** Who waits for whom, if nobody could go on. */
  readonly stuck?: Stuck;
  /** What repeats, if threads keep each other from getting on. */
  readonly livelock?: Cycle;
}

/** From a schedule that fails to one for reading. */
export type Minimise = (
  newExplored: NewExplored,
  found: Found,
  stepsMax: number,
) => CounterexampleReport;

export interface Verdict {
  readonly verdict: 'holds' | 'broken' | 'unknown';
  /** What was covered: the reason for the verdict. */
  readonly bound: Bound;
  readonly executions: number;
  readonly steps: number;
  readonly seconds: number;
  /** Executions in which the race was possible at all. */
  readonly windowEntered: number;
  /** Executions that failed; only the first is looked for unless all are. */
  readonly failures: number;
  readonly outcomes: Outcomes;
  readonly counterexample: CounterexampleReport | 'none';
  /** Locks that were taken in the wrong order in some execution, whatever came of it. */
  readonly lockOrder: readonly LockOrderBreach[];
  /** What a random search can claim. */
  readonly sampled?: Sampled;
  /** What of the kernel and of the patches ran. Absent in a sample. */
  readonly reach?: Reach;
}

/** Schedules that are tried before the search proper: a stop and an intrusion, for each pair of tasks. */
const FEW_SWITCHES_MAX = 3_000;
/** Executions that the point of no return may cost for each of its halvings. */
const NO_RETURN_EXECUTIONS_MAX = 3_000;

/** Throws what the world throws: a crash of user code is never a verdict. */
export function explore(
  newExplored: NewExplored,
  options: ExploreOptions,
  minimise: Minimise = minimiseSchedule,
): Verdict {
  const began = options.clock();
  const watch = new LockOrderWatch();
  const covered = cover(watch.of(newExplored), options);
  const lockOrder = [...(covered.lockOrder ?? []), ...watch.found()];
  return conclude(newExplored, { ...covered, lockOrder }, options, began, minimise);
}

/** The verdict on what was covered, whoever did it, with the counterexample made for reading. */
export function conclude(
  newExplored: NewExplored,
  covered: Covered,
  options: ExploreOptions,
  began: number,
  minimise: Minimise = minimiseSchedule,
): Verdict {
  const counterexample =
    covered.found === 'none' ? 'none' : minimise(newExplored, covered.found, options.stepsMax);
  const seconds = (options.clock() - began) / 1000;
  return {
    ...judged(covered, options),
    executions: covered.executions,
    steps: covered.steps,
    seconds,
    windowEntered: covered.windowEntered,
    failures: covered.failures,
    outcomes: covered.outcomes,
    counterexample,
    lockOrder: distinctBreaches(covered.lockOrder ?? []),
    ...(covered.sampled === undefined ? {} : { sampled: covered.sampled }),
  };
}

function judged(covered: Covered, options: ExploreOptions): Pick<Verdict, 'verdict' | 'bound'> {
  const { found, ended, tooLong, windowEntered, sampled, executions } = covered;
  const { strategy, preemptionsMax, stepsMax } = options;
  const searched = {
    executions,
    strategy,
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
  };
  if (found !== 'none') return { verdict: 'broken', bound: { kind: 'found', ...searched } };
  const unknown = (bound: Bound) => ({ verdict: 'unknown' as const, bound });
  if (ended !== 'complete') {
    const why = options.goOn?.() === 'stop' ? 'interrupted' : 'budget';
    return unknown({ kind: 'stopped', why, ...searched });
  }
  if (tooLong > 0) return unknown({ kind: 'cut', cut: tooLong, stepsMax, ...searched });
  if (windowEntered === 0) return unknown({ kind: 'window never entered', ...searched });
  if (sampled !== undefined) return unknown({ kind: 'sampled', sampled, ...searched });
  return { verdict: 'holds', bound: { kind: 'every interleaving', ...searched } };
}

/** A search goes on with one task; whether all of them ever get on shows where each has its turn. */
function endlessWhereAllHaveTurns(newExplored: NewExplored, stepsMax: number): Covered | 'none' {
  const { failure, steps, explored } = runWith(newExplored, roundRobin(), stepsMax);
  if (failure === 'none' || !isLivelock(failure)) return 'none';
  const outcomes = new Map<string, Outcome>();
  countOutcome(outcomes, failure, () => '');
  return {
    ended: 'counterexample',
    executions: 1,
    steps: steps.length,
    windowEntered: explored.windowEntered() ? 1 : 0,
    failures: 1,
    tooLong: 0,
    outcomes,
    found: { choices: steps.map(({ task }) => task), failure },
  };
}

function cover(newExplored: NewExplored, options: ExploreOptions): Covered {
  const until = options.clock() + options.budgetSeconds * 1000;
  const livelock = endlessWhereAllHaveTurns(newExplored, options.stepsMax);
  if (livelock !== 'none') return livelock;
  if (options.strategy !== 'dpor' && options.strategy !== 'dfs') {
    return coverBySampling(newExplored, options, options.strategy, until);
  }
  const first = tryFewSwitches(
    newExplored,
    options.stepsMax,
    Math.min(FEW_SWITCHES_MAX, options.budgetExecutions),
    options.preemptionsMax,
    (executions, steps) => {
      options.onProgress({ executions, steps, windowEntered: 0, done: 0 });
      return options.clock() > until || options.goOn?.() === 'stop' ? 'stop' : 'go on';
    },
  );
  if (first.found !== 'none') {
    const { choices, failure } = first.found;
    const outcomes = new Map<string, Outcome>();
    countOutcome(outcomes, failure, () => '');
    return {
      ended: 'counterexample',
      executions: first.executions,
      steps: first.steps,
      windowEntered: first.windowEntered,
      failures: 1,
      tooLong: 0,
      outcomes,
      found: { choices, failure },
    };
  }
  const result = exhaust(newExplored, options, first.windowEntered, (progress) => {
    const all = {
      executions: first.executions + progress.executions,
      steps: first.steps + progress.steps,
      windowEntered: first.windowEntered + progress.windowEntered,
      done: progress.done,
    };
    options.onProgress(all);
    const spent = all.executions >= options.budgetExecutions || options.clock() > until;
    return spent || options.goOn?.() === 'stop' ? 'stop' : 'go on';
  });
  return {
    ...result,
    executions: first.executions + result.executions,
    steps: first.steps + result.steps,
    windowEntered: first.windowEntered + result.windowEntered,
    found: result.counterexample,
  };
}

/** Every interleaving, one way or the other. `entered`: how often the window was entered before. */
function exhaust(
  newExplored: NewExplored,
  options: ExploreOptions,
  entered: number,
  goOn: (progress: Progress) => 'go on' | 'stop',
): SearchResult {
  const { strategy, stepsMax, preemptionsMax, onStep, symmetry, counterexamples } = options;
  const common = {
    stepsMax,
    goOn,
    counterexamples: counterexamples ?? 'first',
    ...(onStep === undefined ? {} : { onStep }),
  } as const;
  // A world that cannot say what it holds is searched without a cache of its states.
  const tells = newExplored().contents !== undefined;
  if (preemptionsMax === undefined && (strategy === 'dfs' || !tells)) {
    return search(newExplored, { ...common, strategy: strategy === 'dfs' ? 'dfs' : 'dpor' });
  }
  const ofStates = {
    ...common,
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
    ...(symmetry === undefined ? {} : { symmetry }),
  };
  const result = searchStates(newExplored, ofStates);
  if (entered + result.windowEntered > 0 || result.ended !== 'complete') return result;
  // Executions end where a state is known: the window may lie behind it.
  return searchStates(newExplored, { ...ofStates, window: 'apart' });
}

/** Of a world that is no scenario: what can be told without one. */
export const minimiseSchedule: Minimise = (newExplored, found, stepsMax) => {
  const shrunk = shrink(newExplored, found.choices, stepsMax);
  const wanted = shrunk === 'does not fail' ? found.choices : shrunk.choices;
  const { steps, failure, explored } = replay(newExplored, wanted, stepsMax);
  if (failure === 'none') throw new KernelBug('SC1', { choices: wanted });
  const choices = steps.map((step) => step.task);
  const stuck = explored.stuck?.() ?? 'none';
  return {
    failure,
    choices,
    contextSwitches: contextSwitches(choices),
    steps,
    pointOfNoReturn: pointOfNoReturn(newExplored, choices, stepsMax, NO_RETURN_EXECUTIONS_MAX),
    nearestPassingSchedule: nearestPassingSchedule(newExplored, steps, stepsMax),
    turn: NO_TURN,
    ...(stuck === 'none' ? {} : { stuck }),
  };
};
