/** Who takes part in a log, and as what: read off the events, because a log made in one process has no attachments. */
import type { Event } from '../../abi/event.ts';

export type TimelineRole = 'cpu' | 'device';

export interface ActorSeen {
  readonly name: string;
  readonly role: TimelineRole;
  /** The how manieth of its role, from 0, in the order of the names. */
  readonly index: number;
}

/** CPUs before devices, each in the order of their names, `dev10` after `dev9`. */
export function actorsSeen(events: readonly Event[]): ActorSeen[] {
  const devices = new Set<string>();
  const others = new Set<string>();
  for (const event of events) {
    if (event.kind === 'attach' && event.role === 'observer') continue;
    if (event.kind === 'attach' && event.role === 'device') devices.add(event.actor);
    else others.add(event.actor);
    if ('device' in event && event.device !== '') devices.add(event.device);
  }
  const cpus = [...others].filter((name) => !devices.has(name));
  return [...numberedAs('cpu', cpus), ...numberedAs('device', [...devices])];
}

function numberedAs(role: TimelineRole, names: readonly string[]): ActorSeen[] {
  return names.toSorted(byName).map((name, index) => ({ name, role, index }));
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}
