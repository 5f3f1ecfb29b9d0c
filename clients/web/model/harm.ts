/** What a broken rule has done to somebody: until a stale entry is used, nobody has read anything wrong. */
import type { Event } from '../../../server/abi/event.ts';

/** 'none yet': nobody has read anything wrong by it. */
export type Harm = 'done' | 'none yet';

type Violation = Extract<Event, { kind: 'violation' }>;

const MIRRORS = 'mirror coherence';
const VALUES = 'values';

/** `before` is the newest event that is no violation. */
export function harmOf({ rule, oracle }: Violation, before: Event['kind']): Harm {
  const isOfOrder = rule.startsWith('CR') || oracle === MIRRORS;
  if (!isOfOrder) return 'done';
  return before === 'device-access' || before === 'cpu-access' ? 'done' : 'none yet';
}

/** In two or three words. */
export function violationWords({ rule, oracle }: Violation, harm: Harm): string {
  if (oracle === VALUES) return 'wrong value';
  if (oracle === MIRRORS) return harm === 'done' ? 'stale entry used' : 'stale entry';
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
