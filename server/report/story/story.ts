/**
 * What happened to one page, in kernel words: one row for each step that a reader must know, in the column of
 * its actor. Locks, allocations and answers that say nothing are left out.
 */

import type { Event } from '../../abi/event.ts';
import { CONTRACT_ORACLE } from '../../vocabulary/rules.ts';
import { pteWords } from '../event-words.ts';
import { NO_TURN, rowOfNoReturn, type Turn } from '../turn.ts';
import { markBug } from './mark-bug.ts';
import {
  cutAfterBug,
  dropBystanders,
  foldServices,
  mergePtes,
  mergeRuns,
} from './shorten-story.ts';
import type { StoryRow } from './story-row.ts';
import { StoryWriter } from './story-writer.ts';

export interface Story {
  readonly page: number;
  readonly rows: readonly StoryRow[];
  /** The CPU's entry before the first row, if it was something. */
  readonly atFirst: string | 'nothing special';
  /** The violation that the rows lead to, in the oracle's words. */
  readonly verdict: string | 'none';
}

/** The story of `page`, or of the page that the first violation is about, or of the page with the most events. */
export function storyOf(
  events: readonly Event[],
  page: number | 'choose' = 'choose',
  turn: Turn = NO_TURN,
): Story {
  // An oracle speaks while the event that it complains of is still on its way to others.
  const inOrder = events.toSorted((a, b) => a.n - b.n);
  const all = inOrder.filter((event) => event.kind === 'violation');
  // What went wrong shows a bug better than the rule of the contract that was broken before it.
  const violations = [...all.filter(isConsequence), ...all.filter((one) => !isConsequence(one))];
  const focus = page === 'choose' ? (violations[0]?.page ?? busiestPage(inOrder)) : page;
  const writer = new StoryWriter(focus, inOrder);
  for (const event of inOrder) writer.hear(event);
  const folded = mergePtes(foldServices(writer.rows));
  const verdict = markBug(folded, violations, focus);
  const rows = dropBystanders(cutAfterBug(folded));
  const first = rows[0]?.pteBefore ?? { state: 'none' };
  const merged = mergeRuns(rows);
  const decided = rowOfNoReturn(merged, turn);
  if (typeof decided === 'object') decided.turn = 'no return';
  return {
    page: focus,
    rows: merged,
    atFirst: first.state === 'none' ? 'nothing special' : pteWords(first),
    verdict,
  };
}

function isConsequence({ oracle }: Extract<Event, { kind: 'violation' }>): boolean {
  return oracle !== CONTRACT_ORACLE;
}

function busiestPage(events: readonly Event[]): number {
  const counts = new Map<number, number>();
  for (const event of events) {
    if (!('page' in event)) continue;
    counts.set(event.page, (counts.get(event.page) ?? 0) + 1);
  }
  let busiest = 0;
  for (const [page, count] of counts) if (count > (counts.get(busiest) ?? 0)) busiest = page;
  return busiest;
}
