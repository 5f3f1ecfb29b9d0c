/** Covers what it can by random search, in parts, so that progress can be told and a budget can end it. */
import type { NewExplored } from '../../explorer/explored.ts';
import { measure } from '../../explorer/measure.ts';
import { type SampleStrategy, sample } from '../../explorer/sample.ts';
import type { Covered } from './covered.ts';
import type { ExploreOptions } from './explore-options.ts';
import { streamOf } from './random-stream.ts';
import { coveredBy, type PartResult, partNumber, partResult, partsOf } from './sampled-parts.ts';

/** Goes on until something fails, the executions are spent, or `options.clock()` has passed `until`. */
export function coverBySampling(
  newExplored: NewExplored,
  options: ExploreOptions,
  strategy: SampleStrategy,
  until: number,
): Covered {
  const { stepsMax, depth, preemptionsMax, seed, budgetExecutions } = options;
  const randomOf = (execution: number) => streamOf(seed, execution);
  const measured = measure(newExplored, stepsMax, randomOf);
  const parts: PartResult[] = [];
  let [executions, steps, windowEntered] = [0, 0, 0];
  const goOn = () =>
    options.clock() < until && options.goOn?.() !== 'stop' ? ('go on' as const) : ('stop' as const);
  for (let part = 0; part < partsOf(budgetExecutions) && goOn() === 'go on'; part += 1) {
    const result = sample(newExplored, {
      strategy,
      stepsMax,
      depth,
      ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
      randomOf,
      ...partNumber(part, budgetExecutions, options.skipExecutions),
      counterexamples: 'first',
      measured,
      goOn,
    });
    parts.push(partResult(result));
    executions += result.executions;
    steps += result.steps;
    windowEntered += result.windowEntered;
    options.onProgress({ executions, steps, windowEntered, done: executions / budgetExecutions });
    if (result.counterexample !== 'none') break;
  }
  const facts = { ...options, strategy };
  return coveredBy(parts, measured, facts, options.goOn?.() === 'stop' ? 'stopped' : 'complete');
}
