/** Runs one given schedule, and on from its end without needless switches. */

import type { RunningTask } from '../scheduler/scheduler.ts';
import { type ExecutedStep, takeStep } from './execution.ts';
import type { Explored, NewExplored } from './explored.ts';
import type { Failure } from './failure.ts';

/** What an execution came to. */
export interface Replayed {
  readonly failure: Failure | 'none';
  /** 'too long': it has taken stepsMax steps and was not over. */
  readonly ended: 'complete' | 'failed' | 'too long';
  readonly steps: readonly ExecutedStep[];
  readonly explored: Explored;
  /** The first choice that was not ready when its turn came, or 'none'. */
  readonly diverged: number | 'none';
}

/** Chooses among ready tasks (never empty, by ascending number). `previous` is who ran last, 0 at first. */
export type Chooser = (
  ready: readonly RunningTask[],
  previous: number,
  depth: number,
) => RunningTask;

/** The task that ran goes on; else the first. */
export const goOnWithSame: Chooser = (ready, previous) =>
  ready.find((task) => task.identity.id === previous) ?? (ready[0] as RunningTask);

/** Everybody who is ready has a turn before anybody has another. */
export function roundRobin(): Chooser {
  const turns = new Map<number, number>();
  let turn = 0;
  return (ready) => {
    let next = ready[0] as RunningTask;
    const turnOf = (task: RunningTask): number => turns.get(task.identity.id) ?? 0;
    for (const task of ready) if (turnOf(task) < turnOf(next)) next = task;
    turn += 1;
    turns.set(next.identity.id, turn);
    return next;
  };
}

/** Takes `choices` one by one; from the first that is not ready, or after the last, `after` chooses. */
export function replay(
  newExplored: NewExplored,
  choices: readonly number[],
  stepsMax: number,
  after: Chooser = goOnWithSame,
): Replayed {
  let diverged: number | 'none' = 'none';
  const chooser: Chooser = (ready, previous, depth) => {
    const wanted = diverged === 'none' ? choices[depth] : undefined;
    if (wanted === undefined) return after(ready, previous, depth);
    const found = ready.find((task) => task.identity.id === wanted);
    if (found !== undefined) return found;
    diverged = depth;
    return after(ready, previous, depth);
  };
  const run = runWith(newExplored, chooser, stepsMax);
  return { ...run, diverged };
}

/** One execution under `chooser`, up to its end, its failure or `stepsMax`. */
export function runWith(
  newExplored: NewExplored,
  chooser: Chooser,
  stepsMax: number,
): Omit<Replayed, 'diverged'> {
  const explored = newExplored();
  const { scheduler } = explored;
  const steps: ExecutedStep[] = [];
  let previous = 0;
  for (let depth = 0; depth < stepsMax; depth += 1) {
    const ready = scheduler.readyTasks().sort((a, b) => a.identity.id - b.identity.id);
    if (ready.length === 0) {
      const failure = explored.failureAtEnd(scheduler.blockedTasks());
      return { failure, ended: failure === 'none' ? 'complete' : 'failed', steps, explored };
    }
    const task = chooser(ready, previous, depth);
    previous = task.identity.id;
    steps.push(takeStep(explored, task));
    const failure = explored.failure();
    if (failure !== 'none') return { failure, ended: 'failed', steps, explored };
  }
  return { failure: 'none', ended: 'too long', steps, explored };
}
