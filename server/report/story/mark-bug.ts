import type { Event } from '../../abi/event.ts';
import type { StoryRow } from './story-row.ts';

type Violation = Extract<Event, { kind: 'violation' }>;

/** Marks the step that shows the bug. Returns the oracle's words, or 'none' if there is no violation. */
export function markBug(
  rows: readonly StoryRow[],
  violations: readonly Violation[],
  page: number,
): string | 'none' {
  const [first, ...others] = violations.filter((violation) => violation.page === page);
  if (first === undefined) return violations[0]?.text ?? 'none';
  const row = shownBy(rows, first);
  if (row === 'none') return `[${first.rule}] ${first.text}`;
  row.bug = bugWord(first);
  // The words of the oracle that saw this very step say more than those of one that saw it coming.
  const next = rows[rows.indexOf(row) + 1]?.n ?? Number.POSITIVE_INFINITY;
  const about = others.find(({ n, rule }) => n > row.n && n < next && rule !== first.rule);
  const shown = row.kind === 'access' ? (about ?? first) : first;
  return `[${shown.rule}] ${shown.text}`;
}

/**
 * An access that goes wrong shows a bug better than the entry that was left behind: that of the violation itself,
 * or the next one of the same device before it maps or drops the page.
 */
function shownBy(rows: readonly StoryRow[], violation: Violation): StoryRow | 'none' {
  const last = rows.findLast((row) => row.n < violation.n) ?? 'none';
  if (last === 'none' || (last.actor === violation.device && last.kind === 'access')) return last;
  const later = rows.slice(rows.indexOf(last) + 1).filter((row) => row.actor === violation.device);
  const use = later.find((row) => row.kind !== 'step');
  return use?.kind === 'access' ? use : last;
}

const BUG_WORDS: readonly (readonly [oracle: RegExp, word: string])[] = [
  [/coheren|mirror|value/, 'stale'],
  [/frame/, 'freed frame'],
  [/dirty/, 'lost write'],
  [/left|leak|balance/, 'left behind'],
  [/progress|deadlock|livelock/, 'stuck'],
  [/or6|contract|driver/, 'contract'],
];

function bugWord(violation: Violation): string {
  return BUG_WORDS.find(([oracle]) => oracle.test(violation.oracle.toLowerCase()))?.[1] ?? '';
}
