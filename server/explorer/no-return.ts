/** The point of no return of a counterexample, and its nearest sibling that is safe. */
import type { Touch } from '../task/context.ts';
import { independent } from './dependence.ts';
import type { ExecutedStep } from './execution.ts';
import type { NewExplored } from './explored.ts';
import { type SearchOptions, search } from './search.ts';
import { replayQuietly } from './without-footprint.ts';

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
  if (replayQuietly(newExplored, prefix, stepsMax).failure === 'none') return 'no';
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

/** The same world with `prefix` taken already; `onSafeEnd` is called for each execution that ends well. */
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

/** Numbers of steps, from 1, both included. */
export interface StepSpan {
  readonly first: number;
  readonly last: number;
}

export interface Sibling {
  /** The two neighbouring runs of steps that change places. */
  readonly swapped: readonly [StepSpan, StepSpan];
  readonly choices: readonly number[];
}

/**
 * The schedule that differs from a counterexample by one swap of neighbours, and is safe. `pairs` are the swaps to try,
 * the nearest first: two runs of steps each, of which the second comes behind the first. Default: neighbouring blocks.
 */
export function nearestPassingSchedule(
  newExplored: NewExplored,
  steps: readonly ExecutedStep[],
  stepsMax: number,
  pairs: readonly Sibling['swapped'][] = neighbours(runsOf(steps)),
): Sibling | 'none' {
  for (const [first, second] of pairs) {
    const adjacent = second.first === first.last + 1;
    if (adjacent && independent(touchesOf(steps, first), touchesOf(steps, second))) continue;
    const before = [
      ...tasksOf(steps, { first: 1, last: first.first - 1 }),
      ...tasksOf(steps, second),
    ];
    const behind = [
      ...tasksOf(steps, { first: first.first, last: second.first - 1 }),
      ...tasksOf(steps, { first: second.last + 1, last: steps.length }),
    ];
    for (const choices of [[...before, ...behind], before]) {
      const run = replayQuietly(newExplored, choices, stepsMax);
      // The second must be able to go first: else this is another schedule, and no swap.
      const isSwap = before.every((task, at) => run.choices[at] === task);
      if (isSwap && run.failure === 'none') {
        return { swapped: [first, second], choices: run.choices };
      }
    }
  }
  return 'none';
}

/** Every two neighbours, the last two first. */
export function neighbours(spans: readonly StepSpan[]): Sibling['swapped'][] {
  return spans
    .slice(1)
    .map((second, at): Sibling['swapped'] => [spans[at] as StepSpan, second])
    .reverse();
}

/** Steps that one task takes with no other in between. */
export function runsOf(steps: readonly ExecutedStep[]): StepSpan[] {
  const runs: { first: number; last: number }[] = [];
  for (const [at, step] of steps.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && steps[at - 1]?.task === step.task) last.last = at + 1;
    else runs.push({ first: at + 1, last: at + 1 });
  }
  return runs;
}

function tasksOf(steps: readonly ExecutedStep[], span: StepSpan): number[] {
  return steps.slice(span.first - 1, span.last).map((step) => step.task);
}

function touchesOf(steps: readonly ExecutedStep[], span: StepSpan): Touch[] {
  return steps.slice(span.first - 1, span.last).flatMap((step) => step.touches);
}
