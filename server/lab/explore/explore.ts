/**
 * From a world to a verdict: `holds` within a stated bound, `broken` with the shortest counterexample found, or
 * `unknown` with the reason. "I stopped looking" is never "holds".
 */
import { contextSwitches } from '../../explorer/blocks.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { NewExplored } from '../../explorer/explored.ts';
import { tryFewSwitches } from '../../explorer/few-switches.ts';
import { nearestSafeSibling, pointOfNoReturn, type Sibling } from '../../explorer/no-return.ts';
import { replay } from '../../explorer/replay.ts';
import { search } from '../../explorer/search.ts';
import { shrink } from '../../explorer/shrink.ts';
import { coverBySampling } from './cover-by-sampling.ts';
import type { Covered, Found } from './covered.ts';
import type { ExploreOptions } from './explore-options.ts';

export interface CounterexampleReport {
  readonly failure: string;
  readonly choices: readonly number[];
  readonly contextSwitches: number;
  readonly steps: readonly ExecutedStep[];
  /** The number of the step after which every continuation fails, or 'unknown'. */
  readonly pointOfNoReturn: number | 'unknown';
  readonly safeSibling: Sibling | 'none';
}

export interface Verdict {
  readonly verdict: 'holds' | 'broken' | 'unknown';
  /** What was covered, in one sentence. */
  readonly bound: string;
  readonly executions: number;
  readonly steps: number;
  readonly seconds: number;
  /** Executions in which the race was possible at all. */
  readonly windowEntered: number;
  /** Executions that failed; only the first is looked for unless all are. */
  readonly failures: number;
  /** Outcome to number of executions. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly counterexample: CounterexampleReport | 'none';
}

/** Schedules that are tried before the search proper: a stop and an intrusion, for each pair of tasks. */
const FEW_SWITCHES_MAX = 3_000;
/** Executions that the point of no return may cost for each of its halvings. */
const NO_RETURN_EXECUTIONS_MAX = 3_000;

/** Throws what the world throws: a crash of user code is never a verdict. */
export function explore(newExplored: NewExplored, options: ExploreOptions): Verdict {
  const began = options.clock();
  const covered = cover(newExplored, options);
  const counterexample =
    covered.found === 'none' ? 'none' : reportOf(newExplored, covered.found, options.stepsMax);
  const seconds = (options.clock() - began) / 1000;
  return {
    ...judged(covered, options),
    executions: covered.executions,
    steps: covered.steps,
    seconds,
    windowEntered: covered.windowEntered,
    failures: covered.failures,
    outcomes: covered.outcomes,
    counterexample,
  };
}

function judged(covered: Covered, options: ExploreOptions): Pick<Verdict, 'verdict' | 'bound'> {
  const executions = `${covered.executions} executions (${options.strategy})`;
  if (covered.found !== 'none') return { verdict: 'broken', bound: `found in ${executions}` };
  if (covered.ended !== 'complete') {
    return { verdict: 'unknown', bound: `the budget ended after ${executions}` };
  }
  if (covered.tooLong > 0) {
    const text = `${covered.tooLong} executions were cut after ${options.stepsMax} steps`;
    return { verdict: 'unknown', bound: text };
  }
  if (covered.windowEntered === 0) {
    return { verdict: 'unknown', bound: `the race window was never entered in ${executions}` };
  }
  if (options.strategy !== 'dpor' && options.strategy !== 'dfs') {
    return { verdict: 'unknown', bound: `sampled: no failure in ${executions}` };
  }
  return { verdict: 'holds', bound: `every interleaving of this scenario: ${executions}` };
}

function cover(newExplored: NewExplored, options: ExploreOptions): Covered {
  const until = options.clock() + options.budgetSeconds * 1000;
  if (options.strategy !== 'dpor' && options.strategy !== 'dfs') {
    return coverBySampling(newExplored, options, options.strategy, until);
  }
  const first = tryFewSwitches(
    newExplored,
    options.stepsMax,
    Math.min(FEW_SWITCHES_MAX, options.budgetExecutions),
  );
  if (first.found !== 'none') {
    const { choices, failure } = first.found;
    return {
      ended: 'counterexample',
      executions: first.executions,
      steps: first.steps,
      windowEntered: first.windowEntered,
      failures: 1,
      tooLong: 0,
      outcomes: new Map([[failure, 1]]),
      found: { choices, failure },
    };
  }
  const result = search(newExplored, {
    strategy: options.strategy,
    stepsMax: options.stepsMax,
    counterexamples: 'first',
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    goOn: (progress) => {
      options.onProgress(progress);
      const spent = progress.executions >= options.budgetExecutions || options.clock() > until;
      return spent ? 'stop' : 'go on';
    },
  });
  return { ...result, found: result.counterexample };
}

/**
 * Shrinks, then looks around: when was it decided, and what would have been safe? What is shown was executed last.
 */
function reportOf(newExplored: NewExplored, found: Found, stepsMax: number): CounterexampleReport {
  const shrunk = shrink(newExplored, found.choices, stepsMax);
  const best = shrunk === 'does not fail' ? asFound(newExplored, found, stepsMax) : shrunk;
  const { choices, failure, steps } = best;
  return {
    failure,
    choices,
    contextSwitches: contextSwitches(choices),
    steps,
    pointOfNoReturn: pointOfNoReturn(newExplored, choices, stepsMax, NO_RETURN_EXECUTIONS_MAX),
    safeSibling: nearestSafeSibling(newExplored, steps, stepsMax),
  };
}

function asFound(newExplored: NewExplored, found: Found, stepsMax: number) {
  const { steps } = replay(newExplored, found.choices, stepsMax);
  return { choices: found.choices, failure: found.failure, steps };
}
