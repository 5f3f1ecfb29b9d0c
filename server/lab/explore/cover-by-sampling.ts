/** Covers what it can by random search, in parts, so that progress can be told and a budget can end it. */
import type { NewExplored } from '../../explorer/explored.ts';
import { type SampleStrategy, sample } from '../../explorer/sample.ts';
import type { Covered, Found } from './covered.ts';
import type { ExploreOptions } from './explore-options.ts';
import { streamOf } from './random-stream.ts';

const SAMPLES_AT_ONCE = 200;

/** Goes on until something fails, the executions are spent, or `options.clock()` has passed `until`. */
export function coverBySampling(
  newExplored: NewExplored,
  options: ExploreOptions,
  strategy: SampleStrategy,
  until: number,
): Covered {
  const outcomes = new Map<string, number>();
  let [executions, steps, windowEntered, failures] = [0, 0, 0, 0];
  let found: Found | 'none' = 'none';
  while (executions < options.budgetExecutions && options.clock() < until && found === 'none') {
    const part = sample(newExplored, {
      strategy,
      stepsMax: options.stepsMax,
      depth: options.depth,
      randomOf: (execution) => streamOf(options.seed, execution),
      first: executions,
      executions: Math.min(SAMPLES_AT_ONCE, options.budgetExecutions - executions),
      counterexamples: 'first',
    });
    executions += part.executions;
    steps += part.steps;
    windowEntered += part.windowEntered;
    failures += part.failures;
    for (const [outcome, count] of part.outcomes) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    }
    found = part.counterexample;
    options.onProgress({ executions, steps, done: executions / options.budgetExecutions });
  }
  const ended = found === 'none' ? 'complete' : 'counterexample';
  return { ended, executions, steps, windowEntered, failures, tooLong: 0, outcomes, found };
}
