/**
 * From a world to a verdict: `holds` within a stated bound, `broken` with the shortest counterexample found, or
 * `unknown` with the reason. "I stopped looking" is never "holds".
 */

import { contextSwitches } from '../../explorer/blocks.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { NewExplored } from '../../explorer/explored.ts';
import { type Failure, isLivelock } from '../../explorer/failure.ts';
import type { FairCircle } from '../../explorer/fair-circles.ts';
import { tryFewSwitches } from '../../explorer/few-switches.ts';
import { measure } from '../../explorer/measure.ts';
import { nearestPassingSchedule, pointOfNoReturn, type Sibling } from '../../explorer/no-return.ts';
import { countOutcome, type Outcome, type Outcomes } from '../../explorer/outcomes.ts';
import { type Chooser, replay, roundRobin, runWith } from '../../explorer/replay.ts';
import { type SampleStrategy, sample } from '../../explorer/sample.ts';
import { type Progress, type SearchResult, search } from '../../explorer/search.ts';
import {
  type StateSearchOptions,
  type StateSearchResult,
  searchStates,
} from '../../explorer/search-states.ts';
import { shrink } from '../../explorer/shrink.ts';
import type { Stuck } from '../../explorer/stuck.ts';
import { taskPath } from '../../explorer/task-path.ts';
import type { Bound, Sampled } from '../../report/bound.ts';
import { NO_TURN, type Turn } from '../../report/turn.ts';
import { type PairsReached, PointPairs } from '../../scheduler/point-pairs.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import type { Reach } from '../coverage/reach.ts';
import { together } from './along.ts';
import type { Covered, FoundFailure } from './covered.ts';
import { type AlongWorlds, type ExploreOptions, STATES_BYTES_MAX } from './explore-options.ts';
import type { Cycle } from './livelock-cycle.ts';
import { distinctBreaches, type LockOrderBreach, LockOrderWatch } from './lock-order-watch.ts';
import { streamOf } from './random-stream.ts';
import { coveredBy, type PartResult, partNumber, partResult, partsOf } from './sampled-parts.ts';
import { untoldState } from './untold-state.ts';

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
  /** Which task waits for which, if none could go on. */
  readonly stuck?: Stuck;
  /** What repeats, if threads keep each other from getting on. */
  readonly livelock?: Cycle;
}

/** From a schedule that fails to one for reading. */
export type Minimise = (
  newExplored: NewExplored,
  found: FoundFailure,
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
  /** Yield points of different tasks that followed each other. */
  readonly pairs?: PairsReached;
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
  const points = new PointPairs();
  const covered = checked(
    newExplored,
    cover(points.of(watch.of(newExplored)), options, points),
    options,
  );
  const lockOrder = [...(covered.lockOrder ?? []), ...watch.found()];
  const verdict = conclude(newExplored, { ...covered, lockOrder }, options, began, minimise);
  return { ...verdict, pairs: points.found() };
}

/** The verdict on what was covered, by one thread or several, with the counterexample made for reading. */
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

/** What a reduced search has covered, unless it shows that the search was not told what steps touch. */
function checked(newExplored: NewExplored, covered: Covered, options: ExploreOptions): Covered {
  const { footprints, strategy, symmetry } = options;
  const { found, ended, tooLong, outcomes } = covered;
  if (footprints !== 'checked' || strategy !== 'dpor') return covered;
  if (found !== 'none' || ended !== 'complete' || tooLong > 0) return covered;
  const shown = untoldState(newExplored, {
    ...options,
    outcomes: symmetry === undefined ? outcomes : 'not all',
  });
  if (shown === 'none') return covered;
  return 'kind' in shown ? { ...covered, untold: shown } : counted(covered, shown);
}

function judged(covered: Covered, options: ExploreOptions): Pick<Verdict, 'verdict' | 'bound'> {
  const { found, ended, tooLong, windowEntered, sampled, executions } = covered;
  const { strategy, preemptionsMax, stepsMax } = options;
  const searched = {
    executions,
    strategy,
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
    ...(covered.remembered === undefined ? {} : { remembered: covered.remembered }),
  };
  if (found !== 'none') return { verdict: 'broken', bound: { kind: 'found', ...searched } };
  const { untold } = covered;
  const unknown = (bound: Bound) => ({ verdict: 'unknown' as const, bound });
  if (ended !== 'complete') {
    const why = options.goOn?.() === 'stop' ? 'interrupted' : 'budget';
    return unknown({ kind: 'stopped', why, ...searched });
  }
  if (tooLong > 0) return unknown({ kind: 'cut', cut: tooLong, stepsMax, ...searched });
  if (untold !== undefined) return unknown({ kind: 'untold state', untold, ...searched });
  if (windowEntered === 0) return unknown({ kind: 'window never entered', ...searched });
  if (sampled !== undefined) return unknown({ kind: 'sampled', sampled, ...searched });
  return { verdict: 'holds', bound: { kind: 'every interleaving', ...searched } };
}

/**
 * What was cut may be a loop that only an unfair prefix leads into. From halfway on every task has its turn: if a round
 * of that repeats, no fair scheduler gets out of it either.
 */
function endlessBehind(
  newExplored: NewExplored,
  cut: readonly (readonly number[])[],
  stepsMax: number,
): FoundFailure | 'none' {
  for (const choices of cut) {
    const prefix = choices.slice(0, Math.floor(stepsMax / 2));
    const { failure, steps } = replay(newExplored, prefix, stepsMax, roundRobin());
    if (failure === 'none' || !isLivelock(failure)) continue;
    return { choices: steps.map(({ task }) => task), failure };
  }
  return 'none';
}

/** A search goes on with one task; whether all of them ever get on shows where each has its turn. */
function endlessWhereAllHaveTurns(newExplored: NewExplored, stepsMax: number): Covered | 'none' {
  const { failure, steps, explored } = runWith(newExplored, roundRobin(), stepsMax);
  if (failure === 'none' || !isLivelock(failure)) return 'none';
  const windowEntered = explored.windowEntered() ? 1 : 0;
  const choices = steps.map(({ task }) => task);
  return counted({ executions: 1, steps: steps.length, windowEntered }, { choices, failure });
}

function cover(newExplored: NewExplored, options: ExploreOptions, points: PointPairs): Covered {
  const until = options.clock() + options.budgetSeconds * 1000;
  const circles = options.circles ?? 'none';
  // Where circles are judged, the shortest way into one is found.
  const livelock =
    circles === 'judged' ? 'none' : endlessWhereAllHaveTurns(newExplored, options.stepsMax);
  if (livelock !== 'none') return livelock;
  if (options.strategy !== 'dpor' && options.strategy !== 'dfs') {
    return coverBySampling(newExplored, options, options.strategy, until);
  }
  // One task alone goes round for ever, and that says nothing.
  const fewMax = circles === 'judged' ? 0 : FEW_SWITCHES_MAX;
  const first = tryFewSwitches(
    newExplored,
    options.stepsMax,
    Math.min(fewMax, options.budgetExecutions),
    options.preemptionsMax,
    (executions, steps) => {
      options.onProgress({ executions, steps, windowEntered: 0, done: 0 });
      return options.clock() > until || options.goOn?.() === 'stop' ? 'stop' : 'go on';
    },
  );
  if (first.found !== 'none') return counted(first, first.found);
  const endless = endlessBehind(newExplored, first.cut, options.stepsMax);
  if (endless !== 'none') return counted(first, endless);
  const exhausting = { entered: first.windowEntered, points };
  const { lockOrder, remembered, ...result } = exhaust(
    newExplored,
    options,
    exhausting,
    (progress) => {
      const all = {
        executions: first.executions + progress.executions,
        steps: first.steps + progress.steps,
        windowEntered: first.windowEntered + progress.windowEntered,
        done: progress.done,
      };
      options.onProgress(all);
      const spent = all.executions >= options.budgetExecutions || options.clock() > until;
      return spent || options.goOn?.() === 'stop' ? 'stop' : 'go on';
    },
  );
  const { cut, counterexample, ...counts } = result;
  const { circle = 'none' } = result;
  const covered: Covered = {
    ...counts,
    ...(lockOrder === undefined ? {} : { lockOrder }),
    ...(remembered === undefined ? {} : { remembered }),
    executions: first.executions + result.executions,
    steps: first.steps + result.steps,
    windowEntered: first.windowEntered + result.windowEntered,
    found: counterexample,
  };
  if (counterexample !== 'none') return covered;
  if (circle !== 'none') return roundAndRound(newExplored, circle, covered, options.stepsMax);
  const found = endlessBehind(newExplored, cut, options.stepsMax);
  return found === 'none' ? covered : counted(covered, found);
}

/** The circle as an execution, until the world says that it goes round for ever; if it never does, it was cut. */
function roundAndRound(
  newExplored: NewExplored,
  { prefix, round }: FairCircle,
  covered: Covered,
  stepsMax: number,
): Covered {
  const chooser: Chooser = (ready, _previous, depth) => {
    const behind = depth - prefix.length;
    const wanted = behind < 0 ? prefix[depth] : round[behind % round.length];
    const found = ready.find(({ identity }) => taskPath(identity) === wanted);
    return found ?? (ready[0] as (typeof ready)[number]);
  };
  const { failure, steps } = runWith(newExplored, chooser, stepsMax);
  if (failure === 'none') return { ...covered, tooLong: covered.tooLong + 1 };
  return counted(covered, { choices: steps.map(({ task }) => task), failure });
}

/** What was searched, and then something was found. */
function counted(
  { executions, steps, windowEntered }: Pick<Covered, 'executions' | 'steps' | 'windowEntered'>,
  { choices, failure }: FoundFailure,
): Covered {
  const outcomes = new Map<string, Outcome>();
  countOutcome(outcomes, failure, () => '');
  return {
    ended: 'counterexample',
    executions,
    steps,
    windowEntered,
    failures: 1,
    tooLong: 0,
    outcomes,
    found: { choices, failure },
  };
}

type Exhausted = SearchResult &
  Pick<Covered, 'lockOrder' | 'remembered'> &
  Partial<Pick<StateSearchResult, 'circle'>>;

/** Every interleaving, one way or the other. `entered`: how often the window was entered before. */
function exhaust(
  newExplored: NewExplored,
  options: ExploreOptions,
  { entered, points }: { readonly entered: number; readonly points: PointPairs },
  goOn: (progress: Progress) => 'go on' | 'stop',
): Exhausted {
  const { strategy, circles, stepsMax, preemptionsMax, onStep, symmetry, counterexamples } =
    options;
  const common = {
    stepsMax,
    goOn,
    counterexamples: counterexamples ?? 'first',
    ...(onStep === undefined ? {} : { onStep }),
  } as const;
  // A world that cannot say what it holds is searched without a cache of its states.
  const hasContents = newExplored().contents !== undefined;
  if (preemptionsMax === undefined && (strategy === 'dfs' || !hasContents)) {
    const result = search(newExplored, {
      ...common,
      strategy: strategy === 'dfs' ? 'dfs' : 'dpor',
    });
    return result;
  }
  const ofStates = {
    ...common,
    bytesMax: options.statesBytesMax ?? STATES_BYTES_MAX,
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
    ...(symmetry === undefined ? {} : { symmetry }),
    ...(circles === undefined ? {} : { circles }),
  };
  // Circles are those of one search: what another thread has met is not in its graph.
  const along = circles === undefined ? options.along : undefined;
  const result = exhaustTogether(newExplored, ofStates, along, points);
  if (entered + result.windowEntered > 0 || result.ended !== 'complete') return result;
  // Executions end where a state is known: the window may lie behind it.
  return exhaustTogether(newExplored, { ...ofStates, window: 'apart' }, along, points);
}

/** With the threads that search along, if any. What fails is looked for again by one: the same for any number. */
function exhaustTogether(
  newExplored: NewExplored,
  options: StateSearchOptions,
  along: AlongWorlds | undefined,
  points: PointPairs,
): Exhausted {
  if (along === undefined) return withMemory(searchStates(newExplored, options));
  const { window } = options;
  const begun = along.begin(window === undefined ? {} : { window });
  const own = searchStates(newExplored, {
    ...options,
    others: begun.others,
    goOn: ({ executions, steps, windowEntered, done }) => {
      if (begun.isOver()) return 'stop';
      const theirs = begun.counts();
      return options.goOn({
        executions: executions + theirs.executions,
        steps: steps + theirs.steps,
        windowEntered: windowEntered + theirs.windowEntered,
        done,
      });
    },
  });
  const found = begun.end();
  const all = together([own, ...found.map(({ result }) => result)]);
  if (all.counterexample !== 'none') {
    along.again();
    const alone = searchStates(newExplored, options);
    if (alone.counterexample !== 'none') return withMemory(alone);
  }
  along.join(found);
  for (const { pairs } of found) points.join(pairs);
  return {
    ...all,
    ...rememberedBy([own, ...found.map(({ result }) => result)]),
    lockOrder: found.flatMap(({ lockOrder }) => lockOrder),
  };
}

function withMemory(result: StateSearchResult): Exhausted {
  return { ...result, ...rememberedBy([result]) };
}

/** What the one that remembers most can remember, unless each remembers all. */
function rememberedBy(results: readonly StateSearchResult[]): Pick<Covered, 'remembered'> {
  if (results.every(({ isFull }) => !isFull)) return {};
  const states = Math.max(...results.map((one) => one.states));
  return { remembered: { states, bytes: Math.max(...results.map(({ bytes }) => bytes)) } };
}

/** Of a world that is not a scenario: what can be said without one. */
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

// Covers what it can by random search, in parts, so that progress can be shown and a budget can end it.

/** Goes on until something fails, the executions are spent, or `options.clock()` has passed `until`. */
function coverBySampling(
  newExplored: NewExplored,
  options: ExploreOptions,
  strategy: SampleStrategy,
  until: number,
): Covered {
  const { stepsMax, depth, preemptionsMax, seed, budgetExecutions } = options;
  const randomOf = (execution: number) => streamOf(seed, execution);
  const measured = measure(newExplored, stepsMax, randomOf);
  const parts: PartResult[] = [];
  let [executions, steps, windowEntered] = [0, 0, 0];
  const goOn = () =>
    options.clock() < until && options.goOn?.() !== 'stop' ? ('go on' as const) : ('stop' as const);
  for (let part = 0; part < partsOf(budgetExecutions) && goOn() === 'go on'; part += 1) {
    const result = sample(newExplored, {
      strategy,
      stepsMax,
      depth,
      ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
      randomOf,
      ...partNumber(part, budgetExecutions, options.skipExecutions),
      counterexamples: 'first',
      measured,
      goOn,
    });
    parts.push(partResult(result));
    executions += result.executions;
    steps += result.steps;
    windowEntered += result.windowEntered;
    options.onProgress({ executions, steps, windowEntered, done: executions / budgetExecutions });
    if (result.counterexample !== 'none') break;
  }
  const facts = { ...options, strategy };
  return coveredBy(parts, measured, facts, options.goOn?.() === 'stop' ? 'stopped' : 'complete');
}
