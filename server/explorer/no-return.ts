/** The point of no return of a counterexample, and its nearest sibling that is safe. */
import type { Touch } from '../task/context.ts';
import { independent } from './dependence.ts';
import type { ExecutedStep } from './execution.ts';
import type { NewExplored } from './explored.ts';
import { replay } from './replay.ts';
import { type SearchOptions, search } from './search.ts';

/**
 * The number of the step (from 1) after which every continuation fails; 'unknown' if the budget of executions ran
 * out. Continuations are searched exhaustively, by halving.
 */
export function pointOfNoReturn(
  newExplored: NewExplored,
  choices: readonly number[],
  stepsMax: number,
  executionsMax: number,
): number | 'unknown' {
  let safe = 0;
  let doomed = choices.length;
  while (doomed - safe > 1) {
    const middle = Math.floor((safe + doomed) / 2);
    const found = everyContinuationFails(
      newExplored,
      choices.slice(0, middle),
      stepsMax,
      executionsMax,
    );
    if (found === 'unknown') return 'unknown';
    if (found === 'yes') doomed = middle;
    else safe = middle;
  }
  return doomed;
}

function everyContinuationFails(
  newExplored: NewExplored,
  prefix: readonly number[],
  stepsMax: number,
  executionsMax: number,
): 'yes' | 'no' | 'unknown' {
  // The default continuation is safe often enough to spare the search.
  if (replay(newExplored, prefix, stepsMax).failure === 'none') return 'no';
  let executions = 0;
  let safeOnes = 0;
  const options: SearchOptions = {
    strategy: 'dpor',
    stepsMax,
    counterexamples: 'all',
    goOn: (progress) => {
      executions = progress.executions;
      return executions < executionsMax && safeOnes === 0 ? 'go on' : 'stop';
    },
  };
  const found = search(
    after(newExplored, prefix, () => {
      safeOnes += 1;
    }),
    options,
  );
  if (safeOnes > 0) return 'no';
  return found.ended === 'complete' ? 'yes' : 'unknown';
}

/** The same world with `prefix` taken already; `onSafeEnd` is told of each execution that ends well. */
function after(
  newExplored: NewExplored,
  prefix: readonly number[],
  onSafeEnd: () => void,
): NewExplored {
  return () => {
    const explored = newExplored();
    const { scheduler } = explored;
    for (const choice of prefix) {
      const task = scheduler.readyTasks().find((ready) => ready.identity.id === choice);
      if (task === undefined) break;
      scheduler.step(task);
    }
    return {
      ...explored,
      failureAtEnd: (stuck) => {
        const failure = explored.failureAtEnd(stuck);
        if (failure === 'none') onSafeEnd();
        return failure;
      },
    };
  };
}

export interface Sibling {
  /** Numbers (from 1) of the two neighbouring steps that change places. */
  readonly swap: readonly [number, number];
  readonly choices: readonly number[];
}

/** The schedule that differs from a counterexample by one swap of neighbours that matter, and is safe. */
export function nearestSafeSibling(
  newExplored: NewExplored,
  steps: readonly ExecutedStep[],
  stepsMax: number,
): Sibling | 'none' {
  for (let at = steps.length - 2; at >= 0; at -= 1) {
    const [first, second] = [steps[at], steps[at + 1]];
    if (first === undefined || second === undefined || first.task === second.task) continue;
    // Swapping a whole run of the first task behind the second keeps the switch count.
    const from = runStart(steps, at);
    const moved = steps.slice(from, at + 1);
    if (independent(touchesOf(moved), second.touches)) continue;
    const choices = [
      ...steps.slice(0, from).map((step) => step.task),
      second.task,
      ...moved.map((step) => step.task),
    ];
    const run = replay(newExplored, choices, stepsMax);
    if (run.failure === 'none' && run.diverged === 'none') {
      return { swap: [at + 1, at + 2], choices: run.steps.map((step) => step.task) };
    }
  }
  return 'none';
}

function runStart(steps: readonly ExecutedStep[], at: number): number {
  let from = at;
  while (from > 0 && steps[from - 1]?.task === steps[at]?.task) from -= 1;
  return from;
}

function touchesOf(steps: readonly ExecutedStep[]): Touch[] {
  return steps.flatMap((step) => step.touches);
}
