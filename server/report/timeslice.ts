/**
 * The race in slices of time, after Documentation/mm/mmu_notifier.rst: for more actors than there is room for columns.
 * What one actor does with no other in between is one slice; devices that are invalidated at once share one.
 */
import type { Event } from '../abi/event.ts';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';
import { markedLines } from './lines/marked-lines.ts';
import { wrapText } from './lines/wrap-text.ts';
import { storyOf } from './story/story.ts';
import { framed, nothingHappened } from './story/story-frame.ts';
import type { StoryRow } from './story/story-row.ts';
import { type ActorSeen, actorsSeen } from './timeline/actors.ts';
import { NO_TURN, type Turn, turnLines } from './turn.ts';

/** With more, a slice names only those who do something. */
const IDLE_ACTORS_SHOWN_MAX = 6;
/** Narrower slices have no room for a thread's name and a word. */
const COLUMNS_MIN = 40;
/** A longer story begins with its last slices. */
export const TIME_SLICES_MAX = 60;

export interface TimeSliceOptions {
  /** Default: that of the first violation, or the one with the most events. */
  readonly page?: number;
  /** At most LIST_COLUMNS_MAX; at least COLUMNS_MIN. */
  readonly columns: number;
  /** Where it was decided, and what would have been safe: in the numbers of the slices. */
  readonly turn?: Turn;
}

/** Returns: lines joined by newlines, none longer than `columns`, without a newline at the end. */
export function timeSliceDiagram(
  events: readonly Event[],
  options: TimeSliceOptions = { columns: LIST_COLUMNS_MAX },
): string {
  const columns = Math.max(COLUMNS_MIN, Math.min(options.columns, LIST_COLUMNS_MAX));
  const turn = options.turn ?? NO_TURN;
  const story = storyOf(events, options.page ?? 'choose', turn);
  if (story.rows.length === 0) return nothingHappened(story, columns);
  const below = turnLines(story.rows, turn, sliceLabels(story.rows));
  return framed(story, timeSlices(story.rows, actorsSeen(events), columns), columns, below);
}

/** Which slice shows a row: `Time 3`. */
export function sliceLabels(rows: readonly StoryRow[]): (row: StoryRow) => string {
  const labels = new Map<StoryRow, string>();
  for (const [at, slice] of slicesOf(rows).entries()) {
    for (const row of [...slice.values()].flat()) labels.set(row, `Time ${at + 1}`);
  }
  return (row) => labels.get(row) ?? '';
}

/** The slices alone, after a line that says who is which thread. */
export function timeSlices(
  rows: readonly StoryRow[],
  everybody: readonly ActorSeen[],
  columns: number,
): string[] {
  const acting = new Set(rows.map((row) => row.actor));
  const shown = everybody.filter(({ name }) => acting.has(name));
  const threads = new Map(shown.map((actor) => [actor.name, threadName(actor)]));
  const label = Math.max(...[...threads.values()].map((thread) => thread.length)) + 2;
  const names = [...threads].map(([name, thread]) => `${thread}=${name}`).join('  ');
  const slices = slicesOf(rows);
  const skipped = Math.max(0, slices.length - TIME_SLICES_MAX);
  const lines = [...wrapText(names, columns), ...(skipped > 0 ? ['...'] : [])];
  for (const [at, slice] of slices.slice(skipped).entries()) {
    lines.push(`[Time ${skipped + at + 1}] `.padEnd(columns - 1, '-'));
    for (const [name, thread] of threads) {
      const steps = slice.get(name) ?? [];
      if (steps.length === 0 && threads.size > IDLE_ACTORS_SHOWN_MAX) continue;
      const [first = '', ...rest] = sliceLines(steps, columns - label);
      lines.push(thread.padEnd(label) + first);
      for (const line of rest) lines.push(' '.repeat(label) + line);
    }
  }
  return lines;
}

function threadName({ role, index }: ActorSeen): string {
  return `${role === 'cpu' ? 'CPU' : 'DEV'}-thread-${index}`;
}

type Slice = Map<string, StoryRow[]>;

function slicesOf(rows: readonly StoryRow[]): Slice[] {
  const slices: Slice[] = [];
  for (const row of rows) {
    let slice = slices.at(-1);
    if (slice === undefined || !belongs(slice, row)) {
      slice = new Map();
      slices.push(slice);
    }
    const steps = slice.get(row.actor) ?? [];
    slice.set(row.actor, [...steps, row]);
  }
  return slices;
}

function belongs(slice: Slice, row: StoryRow): boolean {
  if (slice.size === 1 && slice.has(row.actor)) return true;
  return [...slice.values()].flat().every(({ kind }) => kind === row.kind && kind === 'invalidate');
}

function sliceLines(steps: readonly StoryRow[], width: number): string[] {
  const bug = steps.find((step) => step.bug !== 'none')?.bug ?? 'none';
  const turn = steps.find((step) => step.turn !== 'none')?.turn ?? 'none';
  return markedLines(`{${steps.map(({ text }) => text).join('; ')}}`, { bug, turn }, width);
}
