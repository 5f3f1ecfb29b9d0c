/** What can come of a scenario at all, failures included: a search that does not stop at the first of them. */

import type { Outcome, Outcomes } from '../../explorer/outcomes.ts';
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

export interface AllOutcomes {
  readonly counts: Outcomes;
  readonly executions: number;
  readonly failures: number;
  readonly windowEntered: number;
  /** 'no': the budget ended first, or an execution was cut; there may be outcomes that are not listed. */
  readonly complete: 'yes' | 'no';
}

/** Throws what the world throws. */
export function outcomesOf(plan: ScenarioPlan, budget: OutcomeBudget): AllOutcomes {
  const found = searchTwice(plan, budget);
  const { executions, failures, windowEntered } = found;
  const complete = found.ended === 'complete' && found.tooLong === 0 ? 'yes' : 'no';
  return { counts: found.outcomes, executions, failures, windowEntered, complete };
}

/** An execution ends where a state is known: if none has shown the window, it is looked for behind those. */
function searchTwice(plan: ScenarioPlan, budget: OutcomeBudget): StateSearchResult {
  const until = budget.clock() + budget.seconds * 1000;
  const build = () => newScenarioRun(plan);
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
  readonly outcome: Pick<Outcome, 'failure' | 'state'>;
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
export function compareOutcomes(before: AllOutcomes, after: AllOutcomes): OutcomeChanges {
  const complete = before.complete === 'yes' && after.complete === 'yes' ? 'yes' : 'no';
  return { appeared: onlyIn(after, before), vanished: onlyIn(before, after), complete };
}

function onlyIn(these: AllOutcomes, those: AllOutcomes): OutcomeChange[] {
  return [...these.counts]
    .filter(([key]) => !those.counts.has(key))
    .map(([, outcome]) => ({ outcome, executions: outcome.executions, of: these.executions }))
    .sort((a, b) => rank(a) - rank(b) || b.executions - a.executions);
}

function rank({ outcome }: OutcomeChange): number {
  return outcome.failure === 'none' ? 1 : 0;
}
