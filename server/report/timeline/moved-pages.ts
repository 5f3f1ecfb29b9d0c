/** What came of each migration: read off the entries at its setup and at its end. */
import type { Event } from '../../abi/event.ts';
import { migrationsOf } from './migrations.ts';
import type { Spans } from './spans.ts';

export interface Moved {
  readonly succeeded: number;
  /** Pages that were collected and stayed where they were. */
  readonly failed: number;
}

const NOTHING = -1;

/** By the number of the event that ended the migration. `events` in order, `spans` of the same events. */
export function movedPages(events: readonly Event[], spans: Spans): Map<number, Moved> {
  const places = new Map(events.map((event, at) => [event.n, at]));
  const moved = new Map<number, Moved>();
  for (const { setup, device, ended } of migrationsOf(events, spans)) {
    if (ended === 'never') continue;
    const during = events.slice(places.get(setup.opened.n), places.get(ended.n));
    moved.set(ended.n, countMoves(during.filter((event) => spans.hostOf(event) === device)));
  }
  return moved;
}

/** The frame behind an entry, first and last: a migration entry stands for the frame that it came from. */
function countMoves(during: readonly Event[]): Moved {
  const frames = new Map<string, { readonly first: number; last: number }>();
  for (const event of during) {
    if (event.kind !== 'pte') continue;
    const key = `${event.mm} ${event.page}`;
    const seen = frames.get(key) ?? { first: frameOf(event.from), last: NOTHING };
    seen.last = frameOf(event.to);
    frames.set(key, seen);
  }
  const changed = [...frames.values()].filter(({ last }) => last !== NOTHING);
  const failed = changed.filter(({ first, last }) => first === last).length;
  return { succeeded: changed.length - failed, failed };
}

function frameOf(pte: Extract<Event, { kind: 'pte' }>['from']): number {
  return 'pfn' in pte ? pte.pfn : NOTHING;
}
