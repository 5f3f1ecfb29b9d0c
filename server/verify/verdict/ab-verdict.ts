/** One scenario on two kernels: is the patch safe, and what has it changed? */

import type { Progress } from '../../explorer/search.ts';
import { type Alike, isAlike } from '../../explorer/shrink.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { stepsMaxOf } from '../../scenario/scenario-world.ts';
import { judgedByReach, type Reach, withReachOf } from '../coverage/reach.ts';
import type { FoundFailure } from '../explore/covered.ts';
import {
  concludeScenario,
  exploreScenario,
  type ScenarioVerdict,
} from '../explore/explore-scenario.ts';
import { interruptedVerdict } from '../explore/interrupted-verdict.ts';
import {
  type AllOutcomes,
  compareOutcomes,
  failsLike,
  type OutcomeBudget,
  type OutcomeChange,
  type OutcomeChanges,
  outcomesOf,
} from './outcomes.ts';

export interface Side {
  /** As it was asked for: a version of Linux, 'stock', the id of a patch, or a file. */
  readonly kernel: string;
  /** 'stock', the id of a patch, or a file. */
  readonly patch: string;
  readonly plan: ScenarioPlan;
}

export interface SideAnswer extends Side {
  readonly verdict: ScenarioVerdict;
  readonly outcomes: AllOutcomes | 'not searched';
}

export interface AbVerdict {
  readonly scenario: string;
  readonly before: SideAnswer;
  readonly after: SideAnswer;
  readonly changes: OutcomeChanges;
}

const STRATEGY = 'dpor';

export type AbWord = 'holds' | 'broken' | 'unknown';

/** The budget of each of the searches, and how they are run. */
export interface AbBudget extends OutcomeBudget {
  readonly seed: number;
  /** Runs one search, or says that all are to end: what is not searched is unknown. */
  readonly attempt?: <T>(search: () => T) => T | 'interrupted';
}

/** Searches for one comparison. */
export const AB_SEARCHES = 4;

/** Both sides are searched for all that can come of them. The counterexample after is one that appeared, if one did. */
export function abVerdict(before: Side, after: Side, budget: AbBudget): AbVerdict {
  const [first, second] = [searched(before, budget), searched(after, budget)];
  const changes =
    first.outcomes === 'not searched' || second.outcomes === 'not searched'
      ? NO_CHANGES
      : compareOutcomes(first.outcomes, second.outcomes);
  const appeared = changes.appeared.find(({ failed }) => failed === 'first');
  const { failure } = appeared?.outcome ?? { failure: 'none' };
  const shown: Shown | undefined =
    appeared === undefined || failure === 'none' || first.outcomes === 'not searched'
      ? undefined
      : {
          failure,
          choices: appeared.choices,
          at: failsLike(first.outcomes, failure) ? appeared.at : 'anywhere',
        };
  return {
    scenario: before.plan.scenario.name,
    before: answered(first, budget),
    after: answered(second, budget, shown),
    changes,
  };
}

const NO_CHANGES: OutcomeChanges = { appeared: [], vanished: [], complete: false };
const NOTHING_YET: Progress = { executions: 0, steps: 0, windowEntered: 0, done: 0 };

/** A failure that is to be shown, at the step where it is new. */
interface Shown extends FoundFailure {
  readonly at: string | 'anywhere';
}

interface Searched extends Side {
  readonly outcomes: AllOutcomes | 'not searched';
  readonly reach: Reach | 'unknown';
  readonly progress: Progress;
  readonly began: number;
}

function searched(side: Side, budget: AbBudget): Searched {
  const began = budget.clock();
  let progress = NOTHING_YET;
  const onProgress = (now: Progress): void => {
    progress = now;
    budget.onProgress(now);
  };
  const found = attempted(budget, () =>
    withReachOf(side.plan, (watched) => outcomesOf(watched, { ...budget, onProgress })),
  );
  return {
    ...side,
    began,
    progress,
    outcomes: found?.value ?? 'not searched',
    reach: found?.reach ?? 'unknown',
  };
}

function attempted<T>({ attempt }: AbBudget, search: () => T): T | undefined {
  const answer = attempt === undefined ? search() : attempt(search);
  return answer === 'interrupted' ? undefined : (answer as T);
}

/**
 * The search for all outcomes answers the question as well. Only if it ended too early for that, and has seen nothing
 * fail, the question is asked alone: that takes fewer executions.
 */
function answered(side: Searched, budget: AbBudget, shown?: Shown): SideAnswer {
  const { kernel, patch, plan, outcomes, progress, began, reach } = side;
  const { seed, clock, onProgress } = budget;
  const options = {
    strategy: STRATEGY,
    budgetExecutions: budget.executions,
    budgetSeconds: budget.seconds,
    seed,
    depth: 3,
    clock,
    onProgress,
  } as const;
  const known =
    outcomes === 'not searched' ? undefined : attempted(budget, () => verdictOf(outcomes));
  const seconds = (clock() - began) / 1_000;
  const verdict = known ?? interruptedVerdict(plan, progress, { strategy: STRATEGY, seconds });
  return { kernel, patch, plan, verdict, outcomes };

  function verdictOf({ complete, covered }: AllOutcomes): ScenarioVerdict {
    if (!complete && covered.failures === 0) return exploreScenario(plan, options);
    const whole = { ...options, stepsMax: stepsMaxOf(plan) };
    if (shown === undefined) {
      const concluded = concludeScenario(plan, covered, whole, began);
      return reach === 'unknown' ? concluded : judgedByReach(concluded, reach);
    }
    const { at, ...found } = shown;
    const isThat: Alike = (tried, earlier) =>
      isAlike(tried, earlier) && (at === 'anywhere' || tried.at === at);
    return concludeScenario(plan, { ...covered, found }, whole, began, isThat);
  }
}

/** What of the kernel after makes the answer bad. */
export type ExitOn = 'broken' | 'appeared';

/** Failures that the kernel after has, and the kernel before has not. */
export function failuresThatAppeared({ changes }: AbVerdict): OutcomeChange[] {
  return changes.appeared.filter(
    ({ outcome }) => outcome.failure !== 'none' && !isReached(outcome),
  );
}

/** What `exists` looks for is no harm. */
function isReached({ failure }: OutcomeChange['outcome']): boolean {
  return failure !== 'none' && failure.kind === 'condition' && failure.how === 'reached';
}

/** Whether the kernel after can fail as the one before cannot: 'unknown' where too little was seen to say no. */
export function isWorse(one: AbVerdict): 'yes' | 'no' | 'unknown' {
  const { before, after, changes } = one;
  const [was, is] = [before.verdict.verdict, after.verdict.verdict];
  if (is !== 'broken') return is === 'unknown' || was === 'unknown' ? 'unknown' : 'no';
  if (was !== 'broken') return 'yes';
  if (failuresThatAppeared(one).length === 0) return changes.complete ? 'no' : 'unknown';
  const sawAllBefore = before.outcomes !== 'not searched' && before.outcomes.complete;
  return sawAllBefore ? 'yes' : 'unknown';
}

const WORD_OF_WORSE = { yes: 'broken', no: 'holds', unknown: 'unknown' } as const;

/** Of all: 'broken' if one is bad in the sense of `on`; 'unknown' if one is not known; else 'holds'. */
export function abWord(verdicts: readonly AbVerdict[], on: ExitOn = 'appeared'): AbWord {
  const words = verdicts.map((one): AbWord => {
    if (on === 'appeared') return WORD_OF_WORSE[isWorse(one)];
    const { before, after } = one;
    // A kernel that was broken before is no reason against the patch; one that is not known is.
    if (after.verdict.verdict !== 'holds') return after.verdict.verdict;
    return before.verdict.verdict === 'unknown' ? 'unknown' : 'holds';
  });
  if (words.includes('broken')) return 'broken';
  return words.includes('unknown') ? 'unknown' : 'holds';
}
