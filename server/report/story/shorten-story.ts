/** What a reader can do without. Each function takes rows in order and returns some of them, in order. */
import type { PteView } from '../../abi/event.ts';
import { pteChangeWords, pteWords } from '../event-words.ts';
import type { StoryRow } from './story-row.ts';
import { BY_A_STALE_ENTRY } from './story-writer.ts';

/** A migrate_to_ram without rows of others in between is its first row and by what became of the entry. */
export function foldServices(rows: readonly StoryRow[]): StoryRow[] {
  const disturbed = new Set<number>();
  for (const service of new Set(rows.map((row) => row.service))) {
    const first = rows.findIndex((row) => row.service === service);
    const last = rows.findLastIndex((row) => row.service === service);
    if (rows.slice(first, last).some((row) => row.service !== service)) disturbed.add(service);
  }
  return rows.filter(
    (row) => row.service === 0 || row.weight === 'main' || disturbed.has(row.service),
  );
}

/** An entry that is cleared and then set by the same actor, with nothing in between, changes once. */
export function mergePtes(rows: readonly StoryRow[]): StoryRow[] {
  const merged: StoryRow[] = [];
  for (const row of rows) {
    const before = merged.at(-1);
    if (before === undefined || !continues(before, row)) {
      merged.push(row);
      continue;
    }
    const from = before.pte === 'unchanged' ? row.pteBefore : before.pte.from;
    const to = row.pte === 'unchanged' ? row.pteBefore : row.pte.to;
    const place = placeIn(row);
    const between = before.pte === 'unchanged' ? row.pteBefore : before.pte.to;
    const text = `${place}: ${changeWords(from, between, to)}`;
    merged[merged.length - 1] = { ...before, last: row.last, text, pte: { from, to } };
  }
  return merged;
}

/** An entry that comes back to what it was is shown by what it was between. */
function changeWords(from: PteView, between: PteView, to: PteView): string {
  const [first, middle, last] = [from, between, to].map(pteWords);
  if (first !== last || first === middle) return pteChangeWords(from, to);
  return `${first} -> ${middle} -> ${last}`;
}

function continues(before: StoryRow, row: StoryRow): boolean {
  if (before.pte === 'unchanged' || row.pte === 'unchanged') return false;
  return before.actor === row.actor && before.mm === row.mm && placeIn(before) === placeIn(row);
}

/** `PTE 0x1000` of `PTE 0x1000: zero page -> empty`. */
function placeIn({ text }: StoryRow): string {
  return text.slice(0, text.indexOf(':'));
}

/** The story ends where the bug shows. */
export function cutAfterBug(rows: readonly StoryRow[]): readonly StoryRow[] {
  const bug = rows.findIndex((row) => row.bug !== 'none');
  return bug < 0 ? rows : rows.slice(0, bug + 1);
}

/** Actors who only set the scene before the others acted, or looked at it afterwards. At least two stay. */
export function dropBystanders(rows: readonly StoryRow[]): readonly StoryRow[] {
  let kept = rows;
  for (const actor of new Set(rows.map((row) => row.actor))) {
    // To be invalidated is not to act: the actor that caused it acts.
    const acts = kept.filter((row) => row.actor !== actor && row.kind !== 'invalidate');
    if (new Set(acts.map((row) => row.actor)).size < 2) continue;
    const [first, last] = [acts[0]?.n ?? 0, acts.at(-1)?.n ?? 0];
    const own = kept.filter((row) => row.actor === actor);
    const isIn = (row: StoryRow) => row.n < last && (row.n > first || makesItPossible(row, kept));
    if (own.some((row) => row.bug !== 'none' || isIn(row))) continue;
    kept = kept.filter((row) => row.actor !== actor);
  }
  return kept;
}

/** A second address space, an entry that others wait for or that some TLB still has: without it there is no race. */
function makesItPossible({ n, text, pte }: StoryRow, rows: readonly StoryRow[]): boolean {
  if (pte === 'unchanged') return text.startsWith('fork(');
  if (pte.to.state === 'migration') return true;
  return rows.some((row) => row.n > n && row.text.endsWith(BY_A_STALE_ENTRY));
}

/** The same step again and again is one row: `hmm_range_fault() = EBUSY (x3)`. */
export function mergeRuns(rows: readonly StoryRow[]): StoryRow[] {
  const merged: StoryRow[] = [];
  let first: StoryRow | 'none' = 'none';
  let times = 1;
  for (const [at, row] of rows.entries()) {
    const next = rows[at + 1];
    if (first === 'none') first = row;
    if (next?.actor === row.actor && next.text === row.text && row.bug === next.bug) {
      times += 1;
      continue;
    }
    const text = times === 1 ? row.text : `${row.text} (x${times})`;
    merged.push({ ...row, n: first.n, text });
    first = 'none';
    times = 1;
  }
  return merged;
}
