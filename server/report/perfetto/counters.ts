/** What a device has, as series of numbers: pages in its own memory, pages that it maps, faults that it repeated. */
import type { Event } from '../../abi/event.ts';
import type { Spans } from '../timeline/spans.ts';
import { type AT, timeOf } from './trace-time.ts';

export interface CounterValue {
  readonly device: string;
  readonly name: 'pages resident' | 'pages mapped' | 'fault retries';
  /** Nanoseconds. */
  readonly time: number;
  readonly value: number;
}

/** An entry that changes from one device's frame to another's moves the counters of both. */
const RESIDENT_MOMENTS = ['resident', 'residentToo'] as const;

/** `events` in order, `spans` of the same events. One value for each change. */
export function counterValues(
  events: readonly Event[],
  spans: Spans,
  devices: ReadonlySet<string>,
): CounterValue[] {
  const values: CounterValue[] = [];
  const owners = new Map<number, string>();
  const resident = new Map<string, Map<string, number>>();
  const mapped = new Map<string, Set<number>>();
  const retries = new Map<string, number>();
  const sample = (
    n: number,
    device: string,
    name: CounterValue['name'],
    value: number,
    moment: keyof typeof AT,
  ) => values.push({ device, name, time: timeOf(n, moment), value });
  for (const event of events) {
    const host = spans.hostOf(event);
    if (event.kind === 'frame-alloc' && devices.has(host)) owners.set(event.pfn, host);
    if (event.kind === 'pte') {
      for (const [at, device] of changedResidents(event, host, owners, resident).entries()) {
        const frames = new Set(resident.get(device)?.values());
        const moment = RESIDENT_MOMENTS[at] ?? 'residentToo';
        sample(event.n, device, 'pages resident', frames.size, moment);
      }
    } else if (event.kind === 'mirror') {
      const pages = mapped.get(event.device) ?? new Set();
      mapped.set(event.device, pages);
      if (event.to.state === 'none') pages.delete(event.page);
      else pages.add(event.page);
      sample(event.n, event.device, 'pages mapped', pages.size, 'mapped');
    } else if (event.kind === 'return' && isRetry(event) && devices.has(host)) {
      const count = (retries.get(host) ?? 0) + 1;
      retries.set(host, count);
      sample(event.n, host, 'fault retries', count, 'retries');
    }
  }
  return values;
}

function isRetry({ function: name, result }: Extract<Event, { kind: 'return' }>): boolean {
  return name === 'hmm_range_fault' && result === 'EBUSY';
}

/** Keeps the frames of each device that entries point to. Returns: whose have changed: two at most. */
function changedResidents(
  { mm, page, from, to }: Extract<Event, { kind: 'pte' }>,
  host: string,
  owners: Map<number, string>,
  resident: Map<string, Map<string, number>>,
): string[] {
  const changed = new Set<string>();
  const place = `${mm} ${page}`;
  if (from.state === 'device-private') {
    const owner = owners.get(from.pfn);
    if (owner !== undefined && resident.get(owner)?.delete(place)) changed.add(owner);
  }
  if (to.state === 'device-private') {
    // A log that begins later does not say which actor allocated the frame; the one that inserts it is the next best.
    const owner = owners.get(to.pfn) ?? host;
    owners.set(to.pfn, owner);
    const frames = resident.get(owner) ?? new Map();
    resident.set(owner, frames.set(place, to.pfn));
    changed.add(owner);
  }
  return [...changed];
}
