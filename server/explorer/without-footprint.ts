/** Executions of which only the end matters: what the steps touch is not noted, which costs most of an execution. */

import type { NewExplored } from './explored.ts';
import type { Failure } from './failure.ts';
import { type Chooser, goOnWithSame } from './replay.ts';

export interface QuietRun {
  readonly failure: Failure | 'none';
  readonly choices: readonly number[];
  /** The step at which it failed; of what goes wrong when no task can go on, 'the end'. */
  readonly at: string | 'the end';
}

/** One execution under `chooser`, up to its end, its failure or `stepsMax`. */
export function runWithoutFootprint(
  newExplored: NewExplored,
  chooser: Chooser,
  stepsMax: number,
): QuietRun {
  const explored = newExplored();
  const { scheduler } = explored;
  const choices: number[] = [];
  let previous = 0;
  for (let depth = 0; depth < stepsMax; depth += 1) {
    const ready = scheduler.readyTasks().sort((a, b) => a.identity.id - b.identity.id);
    if (ready.length === 0) {
      return { failure: explored.failureAtEnd(scheduler.blockedTasks()), choices, at: 'the end' };
    }
    const task = chooser(ready, previous, depth);
    previous = task.identity.id;
    choices.push(previous);
    const { at } = task.pending;
    scheduler.step(task);
    const failure = explored.failure();
    if (failure !== 'none') return { failure, choices, at };
  }
  return { failure: 'none', choices, at: 'the end' };
}

/** Takes `choices` one by one; from the first that is not ready, or after the last, the task that ran goes on. */
export function replayQuietly(
  newExplored: NewExplored,
  choices: readonly number[],
  stepsMax: number,
): QuietRun {
  let fits = true;
  const chooser: Chooser = (ready, previous, depth) => {
    const wanted = fits ? choices[depth] : undefined;
    const found = ready.find((task) => task.identity.id === wanted);
    fits = found !== undefined;
    return found ?? goOnWithSame(ready, previous, depth);
  };
  return runWithoutFootprint(newExplored, chooser, stepsMax);
}
