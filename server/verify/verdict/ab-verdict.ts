/** One scenario on two kernels: is the patch safe, and what has it changed? */

import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { exploreScenario, type ScenarioVerdict } from '../explore/explore-scenario.ts';
import {
  compareOutcomes,
  type OutcomeBudget,
  type OutcomeChanges,
  type Outcomes,
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
  readonly outcomes: Outcomes;
}

export interface AbVerdict {
  readonly scenario: string;
  readonly before: SideAnswer;
  readonly after: SideAnswer;
  readonly changes: OutcomeChanges;
}

export type AbWord = 'holds' | 'broken' | 'unknown';

/** Both sides are searched for all that can come of them, and for their shortest counterexample. */
export function abVerdict(
  before: Side,
  after: Side,
  budget: OutcomeBudget & { readonly seed: number },
): AbVerdict {
  const [first, second] = [answerOf(before, budget), answerOf(after, budget)];
  return {
    scenario: before.plan.scenario.name,
    before: first,
    after: second,
    changes: compareOutcomes(first.outcomes, second.outcomes),
  };
}

function answerOf(
  { kernel, plan }: Side,
  budget: OutcomeBudget & { readonly seed: number },
): SideAnswer {
  const verdict = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: budget.executions,
    budgetSeconds: budget.seconds,
    seed: budget.seed,
    depth: 3,
    clock: budget.clock,
    onProgress: budget.onProgress,
  });
  return { kernel, verdict, outcomes: outcomesOf(plan, budget) };
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
