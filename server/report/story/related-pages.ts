/** Pages whose story is a part of that of another: where its entry was, and where its frame is now. */
import type { Event, PteView } from '../../abi/event.ts';

/** `page`, where mremap() has moved it from or to, and what maps the frames that it was reached by too late. */
export function relatedPages(page: number, events: readonly Event[]): ReadonlySet<number> {
  const related = new Set([page]);
  for (const event of events) {
    if (event.kind === 'call' && event.function === 'mremap') addMoved(related, event.args);
  }
  const late = framesReachedLate(related, events);
  for (const event of events) {
    if (event.kind !== 'pte' || event.to.state !== 'present') continue;
    if (late.has(event.to.pfn)) related.add(event.page);
  }
  return related;
}

function addMoved(
  related: Set<number>,
  { first, end, to }: Extract<Event, { kind: 'call' }>['args'],
): void {
  if (typeof first !== 'number' || typeof end !== 'number' || typeof to !== 'number') return;
  for (const page of [...related]) {
    if (first <= page && page < end) related.add(page - first + to);
    if (to <= page && page < to + end - first) related.add(page - to + first);
  }
}

/** Frames that were read or written at one of `pages` whose entry named them no longer. */
function framesReachedLate(pages: ReadonlySet<number>, events: readonly Event[]): Set<number> {
  const entries = new Map<string, PteView>();
  const late = new Set<number>();
  for (const event of events) {
    if (!('page' in event && pages.has(event.page))) continue;
    const mm = 'mm' in event ? event.mm : 0;
    const entry = entries.get(`${mm} ${event.page}`);
    if (event.kind === 'pte') entries.set(`${mm} ${event.page}`, event.to);
    else if ('pfn' in event) {
      const names = entry !== undefined && 'pfn' in entry && entry.pfn === event.pfn;
      if (entry !== undefined && !names && entry.state !== 'zero') late.add(event.pfn);
    }
  }
  return late;
}
