/**
 * The race as a picture for a mail: plain ASCII, at most 75 columns, a step a row, each in the column of the actor that
 * did it. Two or three actors get columns; more, or names too long for a column, the time-slice form of
 * Documentation/mm/mmu_notifier.rst.
 */
import type { Event } from '../abi/event.ts';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';
import { markedLines } from './lines/marked-lines.ts';
import type { ReportMeta } from './report-meta.ts';
import { storyOf } from './story/story.ts';
import { framed, nothingHappened } from './story/story-frame.ts';
import type { StoryRow } from './story/story-row.ts';
import { actorsSeen } from './timeline/actors.ts';
import { sliceLabels, timeSlices } from './timeslice.ts';
import { NO_TURN, type Turn, turnLines } from './turn.ts';

export const DIAGRAM_COLUMNS_MAX = LIST_COLUMNS_MAX;
/** A longer story begins with its last steps. */
export const DIAGRAM_ROWS_MAX = 60;
const COLUMN_ACTORS_MAX = 3;
/** Narrower columns break an address. */
const COLUMN_WIDTH_MIN = 20;
const GAP = 1;

export interface DiagramOptions {
  /** The columns, from left to right. Default: the actors that took part, in the order of their first steps. */
  readonly actors?: readonly string[];
  /** The page that the story is about. Default: that of the first violation, or the one with the most events. */
  readonly page?: number;
  /** At most DIAGRAM_COLUMNS_MAX. */
  readonly columns: number;
  /** Where it was decided, and what would have been safe: in the numbers of the drawing. */
  readonly turn?: Turn;
}

/** How the drawings of a report are drawn. */
export function drawn({ turn }: ReportMeta): DiagramOptions {
  return { columns: DIAGRAM_COLUMNS_MAX, ...(turn === undefined ? {} : { turn }) };
}

interface Step extends StoryRow {
  readonly number: number;
}

/**
 * Draws what happened to one page.
 *
 * Returns: lines joined by newlines, none longer than `columns`, without a newline at the end; a sentence if
 * nothing happened.
 */
export function raceDiagram(
  events: readonly Event[],
  options: DiagramOptions = { columns: DIAGRAM_COLUMNS_MAX },
): string {
  const columns = Math.min(options.columns, DIAGRAM_COLUMNS_MAX);
  const turn = options.turn ?? NO_TURN;
  const story = storyOf(events, options.page ?? 'choose', turn);
  const shown = story.rows.filter((row) => options.actors?.includes(row.actor) ?? true);
  if (shown.length === 0) return nothingHappened(story, columns);
  const steps = shown.map((row, at) => ({ ...row, number: at + 1 }));
  const actors = (options.actors ?? firstSeen(shown)).filter((actor) =>
    shown.some((row) => row.actor === actor),
  );
  if (!fitsColumns(actors, columns)) {
    const slices = timeSlices(shown, actorsSeen(events), columns);
    return framed(story, slices, columns, turnLines(shown, turn, sliceLabels(shown)));
  }
  const below = turnLines(steps, turn, ({ number }) => `${number}`);
  return framed(story, inColumns(lastSteps(steps), actors, columns), columns, below);
}

function firstSeen(rows: readonly StoryRow[]): string[] {
  return [...new Set(rows.map((row) => row.actor))];
}

function lastSteps(steps: readonly Step[]): readonly Step[] {
  return steps.slice(-DIAGRAM_ROWS_MAX);
}

function columnWidth(actors: readonly string[], columns: number): number {
  return Math.floor(columns / actors.length) - GAP;
}

function fitsColumns(actors: readonly string[], columns: number): boolean {
  const width = columnWidth(actors, columns);
  return (
    actors.length <= COLUMN_ACTORS_MAX &&
    (actors.length === 1 || width >= COLUMN_WIDTH_MIN) &&
    actors.every((actor) => actor.length <= width)
  );
}

function inColumns(steps: readonly Step[], actors: readonly string[], columns: number): string[] {
  const stride = Math.floor(columns / actors.length);
  const spread = (cells: readonly string[]) => cells.map((cell) => cell.padEnd(stride)).join('');
  const lines = [spread(actors), spread(actors.map((actor) => '-'.repeat(actor.length)))];
  if (steps[0]?.number !== 1) lines.push('...');
  const digits = String(steps.at(-1)?.number ?? 1).length;
  for (const step of steps) {
    const indent = stride * actors.indexOf(step.actor);
    const isLast = step.actor === actors.at(-1);
    const width = isLast ? columns - indent : stride - GAP;
    for (const line of stepLines(step, digits, width)) lines.push(' '.repeat(indent) + line);
  }
  return lines;
}

/** `2. hmm_range_fault() = zero page`, wrapped with the continuation under the text. */
function stepLines(step: Step, digits: number, width: number): string[] {
  const label = `${String(step.number).padStart(digits)}. `;
  const indent = ' '.repeat(label.length);
  return markedLines(step.text, step, width - label.length).map(
    (line, at) => (at === 0 ? label : indent) + line,
  );
}
