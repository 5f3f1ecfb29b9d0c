/** One search by several threads: what they agree on before it, and what each has seen when it is over. */
import type { OtherSearches } from '../../explorer/other-searches.ts';
import { countOutcome, type Outcome } from '../../explorer/outcomes.ts';
import { CUT_KEPT, type SearchResult } from '../../explorer/search.ts';
import type { StateSearchResult } from '../../explorer/search-states.ts';
import type { PairsReached } from '../../scheduler/point-pairs.ts';
import type { Reach } from '../coverage/reach.ts';
import type { LockOrderBreach } from './lock-order-watch.ts';
import type { TouchedByActors } from './twins.ts';
import type { UnreadSequences } from './unread-sequences.ts';

/** Which worlds of a scenario are searched, and how they are told apart. Plain data. */
export interface SearchedWorlds {
  readonly twins: 'left out' | 'kept';
  readonly sequences: 'unread' | 'told';
  readonly window?: 'apart';
}

export type AlongCounts = Pick<SearchResult, 'executions' | 'steps' | 'windowEntered'>;

/** What one thread has seen of a search. Plain data. */
export interface AlongFound {
  readonly result: StateSearchResult;
  readonly lockOrder: readonly LockOrderBreach[];
  readonly pairs: PairsReached;
  /** Where twins are left out. */
  readonly touched?: TouchedByActors;
  readonly sequences: UnreadSequences['state'];
}

/** Threads that search along with this one. */
export interface Along {
  begin(worlds: SearchedWorlds): AlongSearch;
  /** Ends them. What of the code ran in those that took part. */
  end(): readonly Reach[];
}

/** A search that has begun: each of them may come to its end first. */
export interface AlongSearch {
  readonly others: OtherSearches;
  /** One of them has come to its end, or has found what ends all. */
  isOver(): boolean;
  /** Of the other threads, until now. */
  counts(): AlongCounts;
  /** Ends it everywhere, and waits for what the other threads have seen. */
  end(): readonly AlongFound[];
}

/** What several searches of the same come to, of which each knew what the others had covered. */
export function together(results: readonly SearchResult[]): SearchResult {
  const sum = (
    of: 'executions' | 'steps' | 'windowEntered' | 'failures' | 'tooLong' | 'redundant',
  ) => results.reduce((total, result) => total + result[of], 0);
  const outcomes = new Map<string, Outcome>();
  for (const { failure, state, executions } of results.flatMap((one) => [
    ...one.outcomes.values(),
  ])) {
    countOutcome(outcomes, failure, () => state, executions);
  }
  const found = results.filter(({ counterexample }) => counterexample !== 'none');
  const whole = results.some(({ ended }) => ended === 'complete') ? 'complete' : 'stopped';
  return {
    ended: found.some(({ ended }) => ended === 'counterexample') ? 'counterexample' : whole,
    executions: sum('executions'),
    steps: sum('steps'),
    windowEntered: sum('windowEntered'),
    failures: sum('failures'),
    tooLong: sum('tooLong'),
    redundant: sum('redundant'),
    cut: results.flatMap(({ cut }) => cut).slice(0, CUT_KEPT),
    outcomes,
    counterexample: found[0]?.counterexample ?? 'none',
  };
}
