import { createHash } from 'node:crypto';
import type { Event } from '../../abi/event.ts';
import { askedBy, herdWords, isCondition } from '../../report/asked-condition.ts';
import type { LitmusResult } from '../../report/litmus.ts';
import type { ReportMeta, Wait } from '../../report/report-meta.ts';
import type { Turn } from '../../report/turn.ts';
import type { Verdict } from '../explore/explore.ts';
import type { Strategy } from '../explore/explore-options.ts';

/** What a search does not know of itself. */
export interface ExploredFacts {
  readonly name: string;
  /** 'stock' for none. */
  readonly patch: string;
  readonly strategy: Strategy;
  /** The command that shows it again, or 'none'. */
  readonly reproduce: string;
  /** The question in full: its hash names the test. */
  readonly question: string;
  readonly waits: readonly Wait[];
  readonly turn?: Turn;
  readonly lockOrder?: readonly string[];
  readonly setup?: readonly Event[];
  /** The end of the counterexample: registers, entries, mirrors. */
  readonly end?: string;
}

/** A verdict of the explorer as reports tell it: a failing execution is a positive one. */
export function metaOfExplored(verdict: Verdict, facts: ExploredFacts): ReportMeta {
  const { name, patch, reproduce, waits, turn, lockOrder, setup = [] } = facts;
  const { counterexample, windowEntered, executions } = verdict;
  const failed = counterexample !== 'none';
  return {
    name,
    patch,
    verdict: verdict.verdict,
    seen: failed ? counterexample.failure : verdict.bound,
    bound: verdict.bound,
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
    complete: verdict.verdict === 'holds' ? 'yes' : 'no',
    states: [...outcomes].map(([text, count]) => ({
      text: `${stateWords(text, failing, facts)};`,
      count,
      meets: text === failing ? 'yes' : 'no',
    })),
    ...askedBy(verdict.counterexample === 'none' ? 'none' : verdict.counterexample.failure),
    positive: failures,
    negative: executions - failures,
    seconds,
    hash: createHash('sha256').update(facts.question).digest('hex').slice(0, 32),
  };
}

/** A search ends at its first failure, which is the last outcome that it noted; shrinking may word it otherwise. */
function failingOutcome({ outcomes, counterexample }: Verdict): string | undefined {
  if (counterexample === 'none') return undefined;
  if (outcomes.has(counterexample.failure)) return counterexample.failure;
  return [...outcomes.keys()].at(-1);
}

/** A violation is told in its own words; where a condition failed, the state says more. */
function stateWords(text: string, failing: string | undefined, { end }: ExploredFacts): string {
  const byState = isCondition(text) && text === failing && end !== undefined;
  if (byState) return herdWords(end);
  return /^\w+: /.test(text) ? text : herdWords(text);
}
