/**
 * A search leaves out orders of steps that do not touch the same thing, and believes what steps tell of what they
 * touch. Code of a user may keep state that it tells nothing of; then orders were left out that matter. So executions
 * are drawn at random behind a search in which nothing failed, with nothing left out: each must end as one of the
 * search did, and steps that are said to commute must do so.
 */
import { independent } from '../../explorer/dependence.ts';
import type { NewExplored } from '../../explorer/explored.ts';
import { withinPreemptions } from '../../explorer/few-preemptions.ts';
import { atRandom } from '../../explorer/measure.ts';
import type { Outcomes } from '../../explorer/outcomes.ts';
import { type Replayed, replay, runWith } from '../../explorer/replay.ts';
import type { UntoldState } from '../../report/untold-state.ts';
import type { FoundFailure } from './covered.ts';
import { streamOf } from './random-stream.ts';

/** Executions that are drawn, unless the asker says how many. */
const DRAWN = 128;
/** Neighbouring steps of each that are taken in the other order, unless the asker says how many. */
const SWAPPED = 4;

export interface UntoldOptions {
  readonly stepsMax: number;
  readonly seed: number;
  readonly preemptionsMax?: number;
  readonly drawn?: number;
  /** Neighbours of each that are taken the other way round; a few unless said. */
  readonly swapped?: number;
  /** How executions of the search ended. 'not all': of those that differ in names alone it has seen one. */
  readonly outcomes: Outcomes | 'not all';
}

type Execution = Omit<Replayed, 'diverged'>;

/** A schedule that fails, how it shows that something was not told, or 'none'. */
export function untoldState(
  newExplored: NewExplored,
  options: UntoldOptions,
): FoundFailure | UntoldState | 'none' {
  const { stepsMax, seed, preemptionsMax, outcomes, drawn = DRAWN } = options;
  for (let n = 0; n < drawn; n += 1) {
    const random = streamOf(seed, n);
    const chooser = atRandom(random);
    const bounded =
      preemptionsMax === undefined ? chooser : withinPreemptions(chooser, preemptionsMax);
    const run = runWith(newExplored, bounded, stepsMax);
    if (run.failure !== 'none') return failing(run);
    if (run.ended === 'too long') continue;
    const state = run.explored.outcome();
    if (outcomes !== 'not all' && !outcomes.has(state)) return { kind: 'ends otherwise', state };
    // A swap may be a preemption more than the search was to look at.
    if (preemptionsMax !== undefined) continue;
    const found = inOtherOrders(newExplored, run, random, options);
    if (found !== 'none') return found;
  }
  return 'none';
}

function inOtherOrders(
  newExplored: NewExplored,
  run: Execution,
  random: () => number,
  { stepsMax, swapped = SWAPPED }: UntoldOptions,
): FoundFailure | UntoldState | 'none' {
  const pairs = commutingPairs(run);
  for (let swap = 0; swap < swapped && pairs.length > 0; swap += 1) {
    const [at = 0] = pairs.splice(Math.floor(random() * pairs.length), 1);
    const choices = run.steps.map(({ task }) => task);
    const [first, second] = [choices[at] as number, choices[at + 1] as number];
    choices.splice(at, 2, second, first);
    const other = replay(newExplored, choices, stepsMax);
    // Who begins to run may bear another number behind a swap.
    if (other.diverged !== 'none') continue;
    if (other.failure !== 'none') return failing(other);
    if (stepsOfEach(other) === stepsOfEach(run) && outcomeOf(other) === outcomeOf(run)) continue;
    return {
      kind: 'does not commute',
      first: nameOf(run, at),
      second: nameOf(run, at + 1),
    };
  }
  return 'none';
}

/** Places in an execution where two tasks take steps, one behind the other, that may come in any order. */
function commutingPairs({ steps }: Execution): number[] {
  return steps.flatMap((step, at) => {
    const next = steps[at + 1];
    if (next === undefined || next.task === step.task) return [];
    return independent(step.touches, next.touches) ? [at] : [];
  });
}

function failing({ failure, steps }: Execution): FoundFailure | 'none' {
  return failure === 'none' ? 'none' : { failure, choices: steps.map(({ task }) => task) };
}

function outcomeOf({ ended, explored }: Execution): string {
  return ended === 'complete' ? explored.outcome() : ended;
}

/** Without those in which a program of a scenario waits for its turn: it need not where its turn has come. */
function stepsOfEach({ steps }: Execution): string {
  const byTask = new Map<number, string[]>();
  for (const { task, step } of steps) {
    if (step.at.startsWith('program.')) continue;
    const own = byTask.get(task);
    if (own === undefined) byTask.set(task, [step.at]);
    else own.push(step.at);
  }
  return JSON.stringify([...byTask].sort(([a], [b]) => a - b));
}

function nameOf({ steps }: Execution, at: number): string {
  const step = steps[at];
  return step === undefined ? '' : `${step.actor} at ${step.step.at}`;
}
