import type { Event } from '../../abi/event.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import { EVENTS_KEPT_MAX } from '../event-log.ts';

/** Events of each side that a violation names at most: enough to see how it came about. */
const HISTORY_EVENTS_MAX = 24;

export interface Histories {
  readonly cpu: number[];
  readonly device: number[];
}

/** What the kernel and what `device` did to `page` lately: numbers of events, oldest first. */
export function historiesOf(kept: readonly Event[], page: PageIndex, device: string): Histories {
  const cpu: number[] = [];
  const own: number[] = [];
  const oldest = Math.max(0, kept.length - EVENTS_KEPT_MAX);
  for (let at = kept.length - 1; at >= oldest; at -= 1) {
    const event = kept[at] as Event;
    if (!concerns(event, page)) continue;
    const side = isDevices(event, device) ? own : cpu;
    if (side.length < HISTORY_EVENTS_MAX) side.push(event.n);
    if (cpu.length === HISTORY_EVENTS_MAX && own.length === HISTORY_EVENTS_MAX) break;
  }
  return { cpu: cpu.reverse(), device: own.reverse() };
}

function concerns(event: Event, page: PageIndex): boolean {
  if ('page' in event) return event.page === page;
  if ('first' in event) return event.first <= page && page < event.end;
  if (event.kind === 'call' || event.kind === 'callback') {
    const { first, end, page: only } = event.args;
    if (typeof only === 'number') return only === page;
    return typeof first === 'number' && typeof end === 'number' && first <= page && page < end;
  }
  return false;
}

function isDevices(event: Event, device: string): boolean {
  return event.actor === device || ('device' in event && event.device === device);
}
