import type { Event } from '../../abi/event.ts';

/** By number: an oracle speaks while the event that it complains of is still on its way to others. */
export function inOrder(events: readonly Event[]): Event[] {
  return events.toSorted((a, b) => a.n - b.n);
}
