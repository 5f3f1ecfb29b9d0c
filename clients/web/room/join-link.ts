import { addressOfRoute } from '../route.ts';
import { recall } from '../shell/memory.ts';

/** Hosts that only this machine reaches. */
const OWN_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The address that phones are to come by: where this page is from, unless a person has said another. */
export function joinOrigin(): string {
  return recall('origin') || location.origin;
}

export function joinLink(code: string): string {
  return `${joinOrigin()}${addressOfRoute({ view: 'join', code })}`;
}

export function isReachedByPhones(origin: string): boolean {
  return !(URL.canParse(origin) && OWN_HOSTS.has(new URL(origin).hostname));
}
