import { createHash } from 'node:crypto';
import type { Event } from '../../abi/event.ts';
import { failureKey } from '../../explorer/failure.ts';
import type { Outcome } from '../../explorer/outcomes.ts';
import { askedBy, herdWords } from '../../report/asked-condition.ts';
import { describeBound } from '../../report/bound.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import type { LitmusResult } from '../../report/litmus.ts';
import type { ReportMeta, ReportWait } from '../../report/report-meta.ts';
import type { Turn } from '../../report/turn.ts';
import type { Verdict } from '../explore/explore.ts';
import type { Strategy } from '../explore/explore-options.ts';

/** What a search does not know of itself. */
export interface ExploredFacts {
  readonly name: string;
  readonly kernel: string;
  /** 'stock' for none. */
  readonly patch: string;
  readonly strategy: Strategy;
  /** The command that shows it again, or 'none'. */
  readonly reproduce: string;
  /** The question in full: its hash names the test. */
  readonly question: string;
  readonly waits: readonly ReportWait[];
  readonly turn?: Turn;
  readonly lockOrder?: readonly string[];
  readonly setup?: readonly Event[];
  /** The end of the counterexample: registers, entries, mirrors. */
  readonly end?: string;
}

/** A verdict of the explorer as reports show it: a failing execution is a positive one. */
export function metaOfExplored(verdict: Verdict, facts: ExploredFacts): ReportMeta {
  const { name, kernel, patch, reproduce, waits, turn, lockOrder, setup = [] } = facts;
  const { counterexample, windowEntered, executions } = verdict;
  const failed = counterexample !== 'none';
  const bound = describeBound(verdict.bound);
  return {
    name,
    kernel,
    patch,
    verdict: verdict.verdict,
    seen: failed ? describeFailure(counterexample.failure) : bound,
    bound,
    reproduce,
    litmus: litmusOf(verdict, facts),
    properties: [
      {
        name: 'race window entered',
        outcome: windowEntered > 0 ? 'pass' : 'error',
        reason: windowEntered > 0 ? '' : `never in ${executions} executions`,
      },
    ],
    waits,
    ...(turn === undefined ? {} : { turn }),
    ...(lockOrder === undefined ? {} : { lockOrder }),
    ...(setup.length === 0 ? {} : { setup }),
  };
}

function litmusOf(verdict: Verdict, facts: ExploredFacts): LitmusResult {
  const { outcomes, failures, executions, seconds } = verdict;
  const failing = failingOutcome(verdict);
  const sampled = facts.strategy !== 'dpor' && facts.strategy !== 'dfs';
  return {
    name: facts.name,
    form: sampled ? 'sampled' : 'exhaustive',
    complete: verdict.verdict === 'holds',
    states: [...outcomes.values()].map((outcome) => ({
      text: `${stateWords(outcome, failing, facts)};`,
      count: outcome.executions,
      meets: outcome === failing,
    })),
    ...askedBy(verdict.counterexample === 'none' ? 'none' : verdict.counterexample.failure),
    positive: failures,
    negative: executions - failures,
    seconds,
    hash: createHash('sha256').update(facts.question).digest('hex').slice(0, 32),
  };
}

/** A search ends at its first failure, which is the last outcome that it noted; shrinking may word it otherwise. */
function failingOutcome({ outcomes, counterexample }: Verdict): Outcome | undefined {
  if (counterexample === 'none') return undefined;
  return outcomes.get(failureKey(counterexample.failure)) ?? [...outcomes.values()].at(-1);
}

/** A violation is shown in its own words; where a condition failed, the state says more. */
function stateWords(
  outcome: Outcome,
  failing: Outcome | undefined,
  { end }: ExploredFacts,
): string {
  const { failure, state } = outcome;
  if (failure === 'none') return herdWords(state);
  const byState = failure.kind === 'condition' && outcome === failing && end !== undefined;
  return byState ? herdWords(end) : describeFailure(failure);
}
