/**
 * From a schedule that fails to one for reading: in the smallest scenario and with the fewest switches that fail in the
 * same way, with the place where it was decided and the nearest schedule that is safe. What is shown was executed last.
 */

import { contextSwitches } from '../../explorer/blocks.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import { actorsIn, isLivelock } from '../../explorer/failure.ts';
import { tryFewSwitches } from '../../explorer/few-switches.ts';
import {
  nearestPassingSchedule,
  neighbours,
  pointOfNoReturn,
  runsOf,
} from '../../explorer/no-return.ts';
import type { Chooser } from '../../explorer/replay.ts';
import { type Alike, isAlike, shrink } from '../../explorer/shrink.ts';
import {
  type QuietRun,
  replayQuietly,
  runWithoutFootprint,
} from '../../explorer/without-footprint.ts';
import { storyOf } from '../../report/story/story.ts';
import { turnOf } from '../../report/turn.ts';
import { ROUNDS } from '../../scenario/repeated-rounds.ts';
import { goesRound, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { TURNS_MAX } from '../../scenario/watched-code.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { recordExecution } from '../answer/record-execution.ts';
import type { CounterexampleReport } from './explore.ts';
import { type Cycle, cycleOf, FAIRNESS, NO_TURN_FOR_OTHERS } from './livelock-cycle.ts';
import { swapsOfRows } from './row-swaps.ts';
import { type Smaller, smallerOnes, withoutIdle } from './smaller-scenario.ts';
import { followPaths, renamed, type ThreadPath, ThreadPaths } from './thread-paths.ts';

/** Executions that the point of no return may cost for each of its halvings. */
const NO_RETURN_EXECUTIONS_MAX = 3_000;
/** Smaller scenarios that are tried. */
const SMALLER_MAX = 100;
/** Schedules that each of them may cost beside the one that failed before. */
const SCHEDULES_MAX = 40;

/** The share of steps that a smaller scenario may have, where it has neither fewer threads nor fewer pages. */
const STEPS_KEPT = 0.9;

export interface MinimisedCounterexample {
  readonly report: CounterexampleReport;
  /** The scenario in which it fails. */
  readonly plan: ScenarioPlan;
}

interface Failing {
  readonly plan: ScenarioPlan;
  readonly run: QuietRun;
  readonly alike: Alike;
}

/** `choices` must fail in `plan`. What is shown in the end is `alike`. */
export function minimiseCounterexample(
  plan: ScenarioPlan,
  choices: readonly number[],
  alike: Alike = isAlike,
): MinimisedCounterexample {
  const found = withPaths(plan, choicesOf(choices));
  const { failure } = found.run;
  // Of what goes round without end every schedule nearby does so: there is nothing to shorten.
  if (goesRound(plan) && failure !== 'none' && isLivelock(failure)) {
    return { report: reportOf({ plan, run: found.run, alike }), plan };
  }
  const small = shrunk(onlyActing({ plan, run: found.run, alike }, found.paths));
  const smaller = smallestOf(small);
  const smallest = smaller === small ? small : shrunk(smaller);
  return { report: reportOf(smallest), plan: smallest.plan };
}

function choicesOf(choices: readonly number[]): Chooser {
  return (ready, _previous, depth) => {
    const found = ready.find((task) => task.identity.id === choices[depth]);
    return found ?? (ready[0] as (typeof ready)[number]);
  };
}

function shrunk(failing: Failing): Failing {
  const { plan, run, alike } = failing;
  const better = shrink(() => newScenarioRun(plan), run.choices, stepsMaxOf(plan), alike);
  return better === 'does not fail' ? failing : { ...failing, run: better };
}

interface WithPaths {
  readonly run: QuietRun;
  readonly paths: readonly ThreadPath[];
}

function withPaths(plan: ScenarioPlan, chooser: Chooser): WithPaths {
  const named = new ThreadPaths(plan.threads);
  const paths: ThreadPath[] = [];
  const noting: Chooser = (ready, previous, depth) => {
    named.see(ready);
    const task = chooser(ready, previous, depth);
    paths.push(named.pathOf(task));
    return task;
  };
  return { run: runWithoutFootprint(() => newScenarioRun(plan), noting, stepsMaxOf(plan)), paths };
}

/** Instances that have not acted, but for their callbacks, go. */
function onlyActing(failing: Failing, paths: readonly ThreadPath[]): Failing {
  const threads = paths.filter((path) => !path.includes('>'));
  const acting = [...new Set(threads.map((path) => path.split('/')[0] ?? ''))];
  const { failure } = failing.run;
  const about = failure === 'none' ? [] : actorsIn(failure);
  const blamed = acting.filter((actor) => about.includes(actor));
  // Whom the failure names, and one other: most races need no more.
  for (const actors of [...acting.map((one) => [...blamed, one]), acting]) {
    const smaller = withoutIdle(failing.plan, new Set(actors));
    const tried = smaller === 'none' ? 'no' : followed(failing, smaller, paths);
    if (tried !== 'no') return tried;
  }
  return failing;
}

/** Goes on from each smaller scenario that fails. */
function smallestOf(failing: Failing): Failing {
  // A condition is about what its operations do: with fewer of them it asks something else.
  const { failure } = failing.run;
  if (failure !== 'none' && failure.kind === 'condition') return failing;
  let best = failing;
  let tried = 0;
  for (let improved = true; improved && tried < SMALLER_MAX; ) {
    improved = false;
    const { paths } = withPaths(best.plan, choicesOf(best.run.choices));
    for (const smaller of smallerOnes(best.plan)) {
      tried += 1;
      if (tried > SMALLER_MAX) break;
      const next = failsLike(best, smaller, paths);
      if (next === 'no' || !isWorthIt(next, best)) continue;
      best = next;
      improved = true;
      break;
    }
  }
  return best;
}

/** The same schedule, as far as the smaller scenario has it. */
function followed(
  { run, alike }: Failing,
  { plan, names }: Smaller,
  paths: readonly ThreadPath[],
): Failing | 'no' {
  const wanted = paths.map((path) => renamed(path, names)).filter((path) => path !== 'gone');
  const newRun = () => newScenarioRun(plan);
  const tried = runWithoutFootprint(newRun, followPaths(plan.threads, wanted), stepsMaxOf(plan));
  return isAsGood(tried, run, alike) ? { plan, run: tried, alike } : 'no';
}

/** Does the smaller scenario fail in the same way, with no more switches? */
function failsLike(
  failing: Failing,
  { plan, names }: Smaller,
  paths: readonly ThreadPath[],
): Failing | 'no' {
  const same = followed(failing, { plan, names }, paths);
  // A thread alone has one schedule.
  if (same !== 'no' || plan.threads.length < 2) return same;
  const { run, alike } = failing;
  const newRun = () => newScenarioRun(plan);
  const { found } = tryFewSwitches(newRun, stepsMaxOf(plan), SCHEDULES_MAX);
  if (found === 'none') return 'no';
  const tried = replayQuietly(newRun, found.choices, stepsMaxOf(plan));
  return isAsGood(tried, run, alike) ? { plan, run: tried, alike } : 'no';
}

function isAsGood(tried: QuietRun, before: QuietRun, alike: Alike): boolean {
  const [now, then] = [contextSwitches(tried.choices), contextSwitches(before.choices)];
  return alike(tried, before) && now <= then;
}

/** Threads, and pages that there are or that a task works on. */
function sizeOf({ threads, vmas, instances }: ScenarioPlan): number {
  const ops = instances.flatMap((instance) => instance.threads.flat());
  const pages = [...vmas, ...ops].map((one) => ('pages' in one ? (one.pages ?? 1) : 1));
  return threads.length + pages.reduce((sum, count) => sum + count, 0) - ops.length;
}

/** Another scenario must be given in full to be seen again: a step or two are not worth that. */
function isWorthIt(now: Failing, before: Failing): boolean {
  if (sizeOf(now.plan) < sizeOf(before.plan)) return true;
  return now.run.choices.length <= STEPS_KEPT * before.run.choices.length;
}

/** What repeats: as the world has seen it, or as it is found behind some step. */
function roundOf(
  plan: ScenarioPlan,
  steps: readonly ExecutedStep[],
  world: ScenarioRun,
): Cycle | 'none' {
  const round = world.round();
  if (round === 'none') return cycleOf(plan, steps);
  if (world.roundOf() === 'between steps') {
    return { behind: steps.length, steps: round, rounds: TURNS_MAX, fairness: NO_TURN_FOR_OTHERS };
  }
  return { behind: steps.length - round.length, steps: round, rounds: ROUNDS, fairness: FAIRNESS };
}

/** Executes it once more, looks around, and puts it in the numbers of its events. */
function reportOf({ plan, run }: Failing): CounterexampleReport {
  const newRun = () => newScenarioRun(plan);
  const stepsMax = stepsMaxOf(plan);
  const { events, stepOfEvent, steps, failure, run: world } = recordExecution(plan, run.choices);
  const choices = steps.map((step) => step.task);
  if (failure === 'none') throw new KernelBug('SC1', { choices: run.choices });
  // Threads that keep each other busy are not doomed by a step: they only must go on so.
  const decided = isLivelock(failure)
    ? 'unknown'
    : pointOfNoReturn(newRun, choices, stepsMax, NO_RETURN_EXECUTIONS_MAX);
  const { rows } = storyOf(events);
  const swaps = [
    ...swapsOfRows(rows, events, stepOfEvent, steps.length),
    ...neighbours(runsOf(steps)),
  ];
  // Of a round without end every schedule nearby goes on for as long.
  const sibling =
    world.round() === 'none' ? nearestPassingSchedule(newRun, steps, stepsMax, swaps) : 'none';
  const stuck = world.stuck?.() ?? 'none';
  const cycle = isLivelock(failure) ? roundOf(plan, steps, world) : 'none';
  return {
    failure,
    choices,
    contextSwitches: contextSwitches(choices),
    steps,
    pointOfNoReturn: decided,
    nearestPassingSchedule: sibling,
    turn: turnOf(decided, sibling === 'none' ? 'none' : sibling.swapped, events, stepOfEvent),
    ...(stuck === 'none' ? {} : { stuck }),
    ...(cycle === 'none' ? {} : { livelock: cycle }),
  };
}
