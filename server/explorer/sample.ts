/**
 * Random search, for what is too big to cover: uniform over ready tasks, PCT, or URW.
 *
 * Chance comes from outside: execution `n` is a function of the world and of its own random numbers, so any part of a
 * search can be run anywhere, and the parts put together.
 */

import type { NewExplored } from './explored.ts';
import { withinPreemptions } from './few-preemptions.ts';
import { atRandom, type Measured, measure } from './measure.ts';
import { countOutcome, type Outcome, type Outcomes } from './outcomes.ts';
import { pct } from './pct.ts';
import { type Chooser, runWith } from './replay.ts';
import type { FailingExecution } from './search.ts';
import { urw } from './urw.ts';

export type SampleStrategy = 'random' | 'pct' | 'urw';

export interface SampleOptions {
  readonly strategy: SampleStrategy;
  readonly stepsMax: number;
  /** PCT: the number of ordering constraints that the bug needs; 3 finds most. */
  readonly depth: number;
  /** Absent: any number of them. */
  readonly preemptionsMax?: number;
  /** A number from 0 up to 1, excluded. The stream of execution `n` depends on `n` alone. */
  readonly randomOf: (execution: number) => () => number;
  readonly first: number;
  readonly executions: number;
  readonly counterexamples: 'first' | 'all';
  /** What measure() says of this world and these numbers; absent: it is asked. */
  readonly measured?: Measured;
  /** Asked before each execution; 'stop' ends the search there. */
  readonly goOn?: (execution: number) => 'go on' | 'stop';
}

export interface SampleResult {
  readonly executions: number;
  readonly steps: number;
  readonly windowEntered: number;
  readonly failures: number;
  /** Executions that were cut after stepsMax steps. They have no outcome. */
  readonly tooLong: number;
  readonly outcomes: Outcomes;
  readonly counterexample: FailingExecution | 'none';
  /** What the choices were made with. */
  readonly measured: Measured;
  /** Executions with more tasks or more steps than measured: for them the probabilities of PCT are not claimed. */
  readonly beyond: number;
}

/** Runs executions number `first` up to `first + executions`. */
export function sample(newExplored: NewExplored, options: SampleOptions): SampleResult {
  const { stepsMax, randomOf, goOn } = options;
  const measured = options.measured ?? measure(newExplored, stepsMax, randomOf);
  const outcomes = new Map<string, Outcome>();
  const counts = { executions: 0, steps: 0, windowEntered: 0, failures: 0, tooLong: 0, beyond: 0 };
  let counterexample: FailingExecution | 'none' = 'none';
  for (let n = options.first; n < options.first + options.executions; n += 1) {
    if (goOn?.(n) === 'stop') break;
    const run = runWith(newExplored, chooserOf(options, randomOf(n), measured), stepsMax);
    counts.executions += 1;
    counts.steps += run.steps.length;
    if (run.explored.windowEntered()) counts.windowEntered += 1;
    const choices = run.steps.map((step) => step.task);
    if (choices.length > measured.steps || new Set(choices).size > measured.tasks) {
      counts.beyond += 1;
    }
    if (run.ended === 'too long') counts.tooLong += 1;
    else countOutcome(outcomes, run.failure, () => run.explored.outcome());
    if (run.failure === 'none') continue;
    counts.failures += 1;
    if (counterexample === 'none' || choices.length < counterexample.choices.length) {
      counterexample = { failure: run.failure, choices, steps: run.steps };
    }
    if (options.counterexamples === 'first') break;
  }
  return { ...counts, outcomes, counterexample, measured };
}

function chooserOf(options: SampleOptions, random: () => number, measured: Measured): Chooser {
  const chooser = freeChooserOf(options, random, measured);
  const { preemptionsMax } = options;
  return preemptionsMax === undefined ? chooser : withinPreemptions(chooser, preemptionsMax);
}

function freeChooserOf(options: SampleOptions, random: () => number, measured: Measured): Chooser {
  switch (options.strategy) {
    case 'random':
      return atRandom(random);
    case 'pct':
      return pct(random, measured.steps, options.depth);
    case 'urw':
      return urw(random, measured);
  }
}
