/** One scenario on two kernels: is the patch safe, and what has it changed? */

import type { Progress } from '../../explorer/search.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { exploreScenario, type ScenarioVerdict } from '../explore/explore-scenario.ts';
import { interruptedVerdict } from '../explore/interrupted-verdict.ts';
import {
  type AllOutcomes,
  compareOutcomes,
  type OutcomeBudget,
  type OutcomeChanges,
  outcomesOf,
} from './outcomes.ts';

export interface Side {
  /** 'stock', the id of a patch, or a file. */
  readonly kernel: string;
  readonly plan: ScenarioPlan;
}

export interface SideAnswer {
  readonly kernel: string;
  readonly verdict: ScenarioVerdict;
  readonly outcomes: AllOutcomes;
}

export interface AbVerdict {
  readonly scenario: string;
  readonly before: SideAnswer;
  readonly after: SideAnswer;
  readonly changes: OutcomeChanges;
}

export type AbWord = 'holds' | 'broken' | 'unknown';

/** The budget of each of the searches, and how they are run. */
export interface AbBudget extends OutcomeBudget {
  readonly seed: number;
  /** Runs one search, or says that all are to end: what is not searched is unknown. */
  readonly attempt?: <T>(search: () => T) => T | 'interrupted';
}

/** Searches for one comparison. */
export const AB_SEARCHES = 4;

/** Both sides are searched for all that can come of them, and for their shortest counterexample. */
export function abVerdict(before: Side, after: Side, budget: AbBudget): AbVerdict {
  const [first, second] = [answerOf(before, budget), answerOf(after, budget)];
  const known = [first, second].every(({ outcomes }) => outcomes !== NOT_SEARCHED);
  return {
    scenario: before.plan.scenario.name,
    before: first,
    after: second,
    changes: known ? compareOutcomes(first.outcomes, second.outcomes) : NO_CHANGES,
  };
}

const NO_CHANGES: OutcomeChanges = { appeared: [], vanished: [], complete: 'no' };
const NOT_SEARCHED: AllOutcomes = {
  counts: new Map(),
  executions: 0,
  failures: 0,
  windowEntered: 0,
  complete: 'no',
};
const NOTHING_YET: Progress = { executions: 0, steps: 0, windowEntered: 0, done: 0 };

function answerOf({ kernel, plan }: Side, budget: AbBudget): SideAnswer {
  const { clock, seed, attempt = (search) => search() } = budget;
  const strategy = 'dpor';
  const began = clock();
  let progress = NOTHING_YET;
  const verdict = attempt(() =>
    exploreScenario(plan, {
      strategy,
      budgetExecutions: budget.executions,
      budgetSeconds: budget.seconds,
      seed,
      depth: 3,
      clock,
      onProgress: (now) => {
        progress = now;
        budget.onProgress(now);
      },
    }),
  );
  if (verdict === 'interrupted') {
    const seconds = (clock() - began) / 1_000;
    const interrupted = interruptedVerdict(plan, progress, { strategy, seconds });
    return { kernel, verdict: interrupted, outcomes: NOT_SEARCHED };
  }
  const outcomes = attempt(() => outcomesOf(plan, budget));
  return { kernel, verdict, outcomes: outcomes === 'interrupted' ? NOT_SEARCHED : outcomes };
}

/** Of all: 'broken' if the kernel after is in one; 'unknown' if any of the two sides is; else 'holds'. */
export function abWord(verdicts: readonly AbVerdict[]): AbWord {
  const words = verdicts.flatMap(({ before, after }) => [
    after.verdict.verdict,
    // A kernel that was broken before is no reason against the patch; one that is not known is.
    before.verdict.verdict === 'unknown' ? ('unknown' as const) : ('holds' as const),
  ]);
  if (words.includes('broken')) return 'broken';
  return words.includes('unknown') ? 'unknown' : 'holds';
}
