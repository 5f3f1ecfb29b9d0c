/**
 * Random search, for what is too big to cover: uniform over ready tasks, PCT (Burckhardt et al., ASPLOS 2010), and
 * weighted by how much each task has still to do, which comes closer to uniform over interleavings (URW).
 *
 * Chance comes from outside: the same numbers give the same executions.
 */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { NewExplored } from './explored.ts';
import { type Chooser, goOnWithSame, runWith } from './replay.ts';
import type { Counterexample } from './search.ts';

export type SampleStrategy = 'random' | 'pct' | 'urw';

export interface SampleOptions {
  readonly strategy: SampleStrategy;
  readonly stepsMax: number;
  /** PCT: the number of ordering constraints that the bug needs; 3 finds most. */
  readonly depth: number;
  /** A number from 0 up to 1, excluded. The stream of execution `n` depends on `n` alone. */
  readonly randomOf: (execution: number) => () => number;
  readonly first: number;
  readonly executions: number;
  readonly counterexamples: 'first' | 'all';
}

export interface SampleResult {
  readonly executions: number;
  readonly steps: number;
  readonly windowEntered: number;
  readonly failures: number;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly counterexample: Counterexample | 'none';
  /** PCT: the least probability that one execution shows a bug of this depth; 'none' for the others. */
  readonly detection: number | 'none';
}

/** Runs executions number `first` up to `first + executions`. */
export function sample(newExplored: NewExplored, options: SampleOptions): SampleResult {
  const pilot = runWith(newExplored, goOnWithSame, options.stepsMax);
  const length = pilot.steps.length;
  const counts = countSteps(pilot.steps.map((step) => step.name));
  const tasks = new Set(pilot.steps.map((step) => step.task)).size;
  const outcomes = new Map<string, number>();
  let [executions, steps, windowEntered, failures] = [0, 0, 0, 0];
  let counterexample: Counterexample | 'none' = 'none';
  for (let n = options.first; n < options.first + options.executions; n += 1) {
    const chooser = chooserOf(options, options.randomOf(n), length, counts);
    const run = runWith(newExplored, chooser, options.stepsMax);
    executions += 1;
    steps += run.steps.length;
    if (run.explored.windowEntered()) windowEntered += 1;
    const outcome = run.failure === 'none' ? run.explored.outcome() : run.failure;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (run.failure === 'none') continue;
    failures += 1;
    const choices = run.steps.map((step) => step.task);
    if (counterexample === 'none' || choices.length < counterexample.choices.length) {
      counterexample = { failure: run.failure, choices, steps: run.steps };
    }
    if (options.counterexamples === 'first') break;
  }
  const detection =
    options.strategy === 'pct' ? 1 / (tasks * Math.max(1, length) ** (options.depth - 1)) : 'none';
  return { executions, steps, windowEntered, failures, outcomes, counterexample, detection };
}

function countSteps(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function chooserOf(
  options: SampleOptions,
  random: () => number,
  length: number,
  counts: ReadonlyMap<string, number>,
): Chooser {
  switch (options.strategy) {
    case 'random':
      return (ready) => ready[Math.floor(random() * ready.length)] as RunningTask;
    case 'pct':
      return pct(random, length, options.depth);
    case 'urw':
      return urw(random, counts);
  }
}

/** Random priorities; at `depth - 1` random steps the running task falls to the bottom. */
function pct(random: () => number, length: number, depth: number): Chooser {
  const priorities = new Map<number, number>();
  const changes = new Map<number, number>();
  for (let change = 1; change < depth; change += 1) {
    changes.set(Math.floor(random() * Math.max(1, length)), -change);
  }
  return (ready, _previous, step) => {
    let best = ready[0] as RunningTask;
    for (const task of ready) {
      const { id } = task.identity;
      if (!priorities.has(id)) priorities.set(id, random());
      if ((priorities.get(id) ?? 0) > (priorities.get(best.identity.id) ?? 0)) best = task;
    }
    const lowered = changes.get(step);
    if (lowered !== undefined) priorities.set(best.identity.id, lowered);
    return best;
  };
}

/** A task is chosen in proportion to the steps it still has, as far as a pilot execution can tell. */
function urw(random: () => number, counts: ReadonlyMap<string, number>): Chooser {
  const taken = new Map<number, number>();
  return (ready) => {
    const weights = ready.map(({ identity }) =>
      Math.max(1, (counts.get(identity.name) ?? 1) - (taken.get(identity.id) ?? 0)),
    );
    let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
    let chosen = ready[ready.length - 1] as RunningTask;
    for (const [at, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) {
        chosen = ready[at] as RunningTask;
        break;
      }
    }
    const { id } = chosen.identity;
    taken.set(id, (taken.get(id) ?? 0) + 1);
    return chosen;
  };
}
