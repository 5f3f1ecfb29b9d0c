/** What can come of a scenario at all, failures included: a search that does not stop at the first of them. */

import type { Explored } from '../../explorer/explored.ts';
import type { Progress } from '../../explorer/search.ts';
import {
  type StateSearchOptions,
  type StateSearchResult,
  searchStates,
} from '../../explorer/search-states.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';

export interface OutcomeBudget {
  readonly executions: number;
  /** Seconds of `clock`. */
  readonly seconds: number;
  /** Milliseconds, moving forwards. */
  readonly clock: () => number;
  readonly onProgress: (progress: Progress) => void;
}

export interface Outcomes {
  /** A failure, or else the end state, with the number of executions that came to it. */
  readonly counts: ReadonlyMap<string, number>;
  /** Those of `counts` that are failures. */
  readonly failing: ReadonlySet<string>;
  readonly executions: number;
  readonly failures: number;
  readonly windowEntered: number;
  /** 'no': the budget ended first, or an execution was cut; there may be outcomes that are not listed. */
  readonly complete: 'yes' | 'no';
}

/** Throws what the world throws. */
export function outcomesOf(plan: ScenarioPlan, budget: OutcomeBudget): Outcomes {
  const failing = new Set<string>();
  const found = searchTwice(plan, budget, failing);
  const { executions, failures, windowEntered } = found;
  const complete = found.ended === 'complete' && found.tooLong === 0 ? 'yes' : 'no';
  return { counts: found.outcomes, failing, executions, failures, windowEntered, complete };
}

/** An execution ends where a state is known: if none has shown the window, it is looked for behind those. */
function searchTwice(
  plan: ScenarioPlan,
  budget: OutcomeBudget,
  failing: Set<string>,
): StateSearchResult {
  const until = budget.clock() + budget.seconds * 1000;
  const note = (failure: string): string => {
    if (failure !== 'none') failing.add(failure);
    return failure;
  };
  const build = (): Explored => {
    const run = newScenarioRun(plan);
    return {
      ...run,
      failure: () => note(run.failure()),
      failureAtEnd: (stuck) => note(run.failureAtEnd(stuck)),
    };
  };
  const options: StateSearchOptions = {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: (progress) => {
      budget.onProgress(progress);
      const spent = progress.executions >= budget.executions || budget.clock() > until;
      return spent ? 'stop' : 'go on';
    },
  };
  const found = searchStates(build, options);
  if (found.windowEntered > 0 || found.ended !== 'complete') return found;
  return searchStates(build, { ...options, window: 'apart' });
}

/** One outcome that only one of two kernels has. */
export interface OutcomeChange {
  readonly outcome: string;
  readonly failing: 'yes' | 'no';
  /** Executions that came to it, of `of` in all. */
  readonly executions: number;
  readonly of: number;
}

export interface OutcomeChanges {
  readonly appeared: readonly OutcomeChange[];
  readonly vanished: readonly OutcomeChange[];
  /** 'no': one of the two searches did not end, so what is missing may only not have been seen. */
  readonly complete: 'yes' | 'no';
}

/** Failures first, then by how often. */
export function compareOutcomes(before: Outcomes, after: Outcomes): OutcomeChanges {
  const complete = before.complete === 'yes' && after.complete === 'yes' ? 'yes' : 'no';
  return { appeared: onlyIn(after, before), vanished: onlyIn(before, after), complete };
}

function onlyIn(these: Outcomes, those: Outcomes): OutcomeChange[] {
  return [...these.counts]
    .filter(([outcome]) => !those.counts.has(outcome))
    .map(
      ([outcome, executions]): OutcomeChange => ({
        outcome,
        failing: these.failing.has(outcome) ? 'yes' : 'no',
        executions,
        of: these.executions,
      }),
    )
    .sort((a, b) => rank(a) - rank(b) || b.executions - a.executions);
}

function rank({ failing }: OutcomeChange): number {
  return failing === 'yes' ? 0 : 1;
}
