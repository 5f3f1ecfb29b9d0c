/** Invalidations whose start or end a reader must see: most are told by what they make the devices do. */
import type { Event } from '../../abi/event.ts';

/** Entries that a device may have mirrored. */
const MAPS: ReadonlySet<string> = new Set([
  'present',
  'zero',
  'device-private',
  'device-exclusive',
]);

type Edge = Extract<Event, { kind: 'invalidate_range_start' | 'invalidate_range_end' }>;

/**
 * The numbers of starts and ends around `page` that decide: an end behind which an oracle complains at once, an end
 * behind which the same actor changes an entry that was there, if some oracle complains, and a start without an end, if
 * none does.
 */
export function decisiveBrackets(page: number, events: readonly Event[]): ReadonlySet<number> {
  const shown = new Set<number>();
  const open = new Map<number, Edge>();
  const ended = new Map<string, Edge>();
  const complained = events.some(({ kind }) => kind === 'violation');
  let before: Event | 'none' = 'none';
  for (const event of events) {
    if (event.kind === 'violation') {
      if (before !== 'none' && before.kind === 'invalidate_range_end') shown.add(before.n);
      continue;
    }
    if (isEdge(event) && event.first <= page && page < event.end) {
      if (event.kind === 'invalidate_range_start') open.set(event.id, event);
      else {
        open.delete(event.id);
        ended.set(`${event.actor} ${event.mm}`, event);
      }
    } else if (event.kind === 'pte' && event.page === page && MAPS.has(event.from.state)) {
      const covered = [...open.values()].some(({ mm }) => mm === event.mm);
      const last = ended.get(`${event.actor} ${event.mm}`);
      if (complained && !covered && last !== undefined) shown.add(last.n);
    }
    before = event;
  }
  if (complained) return shown;
  for (const { n } of open.values()) shown.add(n);
  return shown;
}

function isEdge(event: Event): event is Edge {
  return event.kind === 'invalidate_range_start' || event.kind === 'invalidate_range_end';
}
