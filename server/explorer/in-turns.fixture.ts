/** Searches that tell each other what they know, in one thread: each has a turn now and then. */
import assert from 'node:assert/strict';
import type { NewExplored } from './explored.ts';
import { failureKey } from './failure.ts';
import { StateSearch, type StateSearchOptions } from './search-states.ts';
import { newStatesLog, SharedStates } from './shared-states.ts';

export interface Turns {
  readonly searches: number;
  /** Who has how many executions next, over and over. */
  readonly order: readonly (readonly [search: number, executions: number])[];
  readonly wordsMax?: number;
}

export interface TurnsTaken {
  /** How executions ended, whoever had them; sorted. */
  readonly ends: readonly string[];
  /** Of all searches. */
  readonly executions: number;
}

/** Until one of them has come to its end. */
export function inTurns(
  build: NewExplored,
  options: StateSearchOptions,
  { searches, order, wordsMax }: Turns,
): TurnsTaken {
  const ends = new Set<string>();
  let had = 0;
  const watched: NewExplored = () => {
    const made = build();
    const outcome = made.outcome.bind(made);
    return Object.assign(made, {
      outcome: () => {
        const end = outcome();
        ends.add(end);
        return end;
      },
    });
  };
  const logs = Array.from({ length: searches }, () => newStatesLog(wordsMax));
  const all = logs.map(
    (_, own) =>
      new StateSearch(watched, {
        ...options,
        onFailure: (failure) => ends.add(failureKey(failure)),
        others: new SharedStates(logs, own),
      }),
  );
  for (;;) {
    for (const [which, executions] of [...order, [0, 1] as const]) {
      for (let at = 0; at < executions; at += 1) {
        const result = all[which]?.advance() ?? 'more';
        had += 1;
        if (result === 'more') continue;
        assert.equal(result.ended, 'complete');
        return { ends: [...ends].sort(), executions: had };
      }
    }
  }
}
