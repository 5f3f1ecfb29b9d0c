/**
 * URW, a uniform random walk over interleavings: each ready task is chosen in proportion to the steps that it and
 * the tasks that it will start have still to take. Where the numbers are exact and no task waits, every interleaving
 * is as likely as every other (Sen, ASE 2007; Zhao et al., ASPLOS 2025): a task that has still much to do would
 * otherwise come late in almost all of them. Here the numbers are means of pilot executions, and a task that waits
 * is left out until it can go on, so it comes near to that.
 */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Measured } from './measure.ts';
import type { Chooser } from './replay.ts';
import { parentOf, type TaskPath, TaskPaths } from './task-paths.ts';

/** A task that has taken all its expected steps must still be chosen at times. */
const WEIGHT_LEAST = 1;

export function urw(random: () => number, { stepsOf }: Measured): Chooser {
  const paths = new TaskPaths();
  const left = new Map<TaskPath, number>();
  return (ready) => {
    const weights = ready.map((task) => {
      const path = paths.pathOf(task);
      const known = left.get(path);
      if (known !== undefined) return Math.max(WEIGHT_LEAST, known);
      const whole = stepsOf.get(path) ?? WEIGHT_LEAST;
      left.set(path, whole);
      // What it has to do was its parent's to start until now.
      const { parent } = task.identity;
      if (parent !== 'none') take(left, parentOf(path), whole);
      return Math.max(WEIGHT_LEAST, whole);
    });
    const chosen = weighted(ready, weights, random());
    take(left, paths.pathOf(chosen), 1);
    return chosen;
  };
}

function take(left: Map<TaskPath, number>, path: TaskPath, steps: number): void {
  left.set(path, (left.get(path) ?? 0) - steps);
}

/** `share` is from 0 up to 1, excluded. */
function weighted(
  ready: readonly RunningTask[],
  weights: readonly number[],
  share: number,
): RunningTask {
  let rest = share * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return ready[at] as RunningTask;
  }
  return ready.at(-1) as RunningTask;
}
