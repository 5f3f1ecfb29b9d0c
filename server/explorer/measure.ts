/**
 * How long executions are and how many tasks they have, by running some: what PCT and URW must know beforehand. A
 * measurement, not a bound: a later execution may be longer.
 */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { NewExplored } from './explored.ts';
import { pct } from './pct.ts';
import { type Chooser, goOnWithSame, runWith } from './replay.ts';
import { parentOf, type TaskPath, TaskPaths } from './task-paths.ts';

export interface Measured {
  /** Most tasks of one execution. */
  readonly tasks: number;
  /** Most steps of one execution. */
  readonly steps: number;
  /** Mean number of steps of a task and of all the tasks that it starts, over the executions that had it. */
  readonly stepsOf: ReadonlyMap<TaskPath, number>;
}

/** One execution without needless switches, then so many at random and so many under priorities. */
const RANDOM_PILOTS = 20;
const PRIORITY_PILOTS = 20;
/** More changes of priority than PCT is asked for as a rule: executions get longer by them. */
const PRIORITY_DEPTH = 8;

/** Pilots have numbers of their own, far behind those of executions that count. */
const FIRST_PILOT = 1_000_000_000;

/** Runs the pilots of a world: the same for the same numbers. */
export function measure(
  newExplored: NewExplored,
  stepsMax: number,
  randomOf: (execution: number) => () => number,
): Measured {
  let [tasks, steps] = [0, 0];
  const sums = new Map<TaskPath, { steps: number; executions: number }>();
  for (let pilot = 0; pilot <= RANDOM_PILOTS + PRIORITY_PILOTS; pilot += 1) {
    const chooser = pilotOf(pilot, randomOf(FIRST_PILOT + pilot), steps);
    const counted = runCounting(newExplored, chooser, stepsMax);
    tasks = Math.max(tasks, counted.stepsOf.size);
    steps = Math.max(steps, counted.steps);
    for (const [path, own] of counted.stepsOf) {
      const sum = sums.get(path) ?? { steps: 0, executions: 0 };
      sums.set(path, { steps: sum.steps + own, executions: sum.executions + 1 });
    }
  }
  const means = [...sums].map(([path, sum]) => [path, sum.steps / sum.executions] as const);
  return { tasks, steps, stepsOf: new Map(means) };
}

function pilotOf(pilot: number, random: () => number, stepsSoFar: number): Chooser {
  if (pilot === 0) return goOnWithSame;
  return pilot <= RANDOM_PILOTS ? atRandom(random) : pct(random, stepsSoFar, PRIORITY_DEPTH);
}

/** Any of the ready tasks, each as likely. */
export function atRandom(random: () => number): Chooser {
  return (ready) => ready[Math.floor(random() * ready.length)] as RunningTask;
}

/** Steps count for the task that takes them and for all those above it. */
function runCounting(
  newExplored: NewExplored,
  chooser: Chooser,
  stepsMax: number,
): { readonly steps: number; readonly stepsOf: ReadonlyMap<TaskPath, number> } {
  const paths = new TaskPaths();
  const stepsOf = new Map<TaskPath, number>();
  const run = runWith(
    newExplored,
    (ready, previous, depth) => {
      for (const task of ready) {
        const path = paths.pathOf(task);
        if (!stepsOf.has(path)) stepsOf.set(path, 0);
      }
      const chosen = chooser(ready, previous, depth);
      for (let path = paths.pathOf(chosen); path !== ''; path = parentOf(path)) {
        stepsOf.set(path, (stepsOf.get(path) ?? 0) + 1);
      }
      return chosen;
    },
    stepsMax,
  );
  return { steps: run.steps.length, stepsOf };
}
