/** What a broken rule has done to somebody: until a stale entry is used, nobody has read anything wrong. */
import type { Event } from '../../../server/abi/event.ts';

type Violation = Extract<Event, { kind: 'violation' }>;

const MIRRORS = 'mirror coherence';
const VALUES = 'values';

/** `before` is the newest event that is no violation. */
export function harms({ rule, oracle }: Violation, before: Event['kind']): boolean {
  const isOfOrder = rule.startsWith('CR') || oracle === MIRRORS;
  return !isOfOrder || before === 'device-access' || before === 'cpu-access';
}

/** In two or three words. */
export function violationWords({ rule, oracle }: Violation, done: boolean): string {
  if (oracle === VALUES) return 'wrong value';
  if (oracle === MIRRORS) return done ? 'stale entry used' : 'stale entry';
  return rule.startsWith('CR') ? 'contract broken' : oracle;
}

/** The one that the story is about: the newest wrong value, else the first that did harm, else the first. */
export function punchlineOf(violations: readonly Violation[], quiet: ReadonlySet<number>): number {
  const wrong = violations.findLastIndex(({ oracle }) => oracle === VALUES);
  if (wrong >= 0) return wrong;
  return Math.max(
    0,
    violations.findIndex(({ n }) => !quiet.has(n)),
  );
}
