/** Where a run has turned bad, by the numbers of its events: so that every form of a report can mark it. */
import type { Event } from '../abi/event.ts';
import type { StoryRow } from './story/story-row.ts';

/** Events from `first` to `last`, both included. */
interface EventSpan {
  readonly first: number;
  readonly last: number;
}

export interface Turn {
  /** The first event behind which every continuation fails; one more than the last if that comes behind them all. */
  readonly noReturn: number | 'unknown';
  /** Two runs of events, the second behind the first: swapped, nothing happens. */
  readonly swapped: readonly [EventSpan, EventSpan] | 'none';
}

/** What marks the event that it was decided with. */
export const NO_RETURN_WORDS = 'point of no return: behind this every continuation fails';

export const NO_TURN: Turn = { noReturn: 'unknown', swapped: 'none' };

/** Steps in the numbers of events. `stepOfEvent` says of each event in which step it came; steps count from 1. */
export function turnOf(
  decided: number | 'unknown',
  swapped: Turn['swapped'],
  events: readonly Event[],
  stepOfEvent: readonly number[],
): Turn {
  const numberAt = (step: number): number => {
    const at = stepOfEvent.findIndex((of) => of >= step);
    return at < 0 ? (events.at(-1)?.n ?? 0) + 1 : (events[at]?.n ?? 0);
  };
  const spanOf = ({ first, last }: EventSpan): EventSpan => ({
    first: numberAt(first),
    last: numberAt(last + 1) - 1,
  });
  return {
    noReturn: decided === 'unknown' ? 'unknown' : numberAt(decided),
    swapped: swapped === 'none' ? 'none' : [spanOf(swapped[0]), spanOf(swapped[1])],
  };
}

/** The row that was under way, or about to begin, when it was decided; 'behind all' if that was after the last. */
export function rowOfNoReturn<Row extends StoryRow>(
  rows: readonly Row[],
  { noReturn }: Turn,
): Row | 'behind all' | 'unknown' {
  if (noReturn === 'unknown' || rows.length === 0) return 'unknown';
  return rows.find(({ last }) => last >= noReturn) ?? 'behind all';
}

/** The rows that begin in `span`. */
export function rowsIn<Row extends StoryRow>(rows: readonly Row[], span: EventSpan): Row[] {
  return rows.filter(({ n }) => span.first <= n && n <= span.last);
}

/** What a drawing says below: in the numbers that it shows. `labelOf` is how it calls a row. */
export function turnLines<Row extends StoryRow>(
  rows: readonly Row[],
  turn: Turn,
  labelOf: (row: Row) => string,
): string[] {
  const lines: string[] = [];
  const row = rowOfNoReturn(rows, turn);
  const last = rows.at(-1);
  if (row === 'behind all' && last !== undefined) {
    lines.push(`Point of no return: behind ${labelOf(last)}. From there every continuation fails.`);
  } else if (row !== 'behind all' && row !== 'unknown') {
    lines.push(`Point of no return: ${labelOf(row)}. After it every continuation fails.`);
  }
  if (turn.swapped === 'none') return lines;
  const [first, second] = turn.swapped.map((span) => rangeOf(rowsIn(rows, span), labelOf));
  if (first !== 'nothing' && second !== 'nothing') {
    lines.push(`Swap ${first} and ${second}, and nothing happens.`);
  }
  return lines;
}

function rangeOf<Row>(rows: readonly Row[], labelOf: (row: Row) => string): string {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return 'nothing';
  const [from, to] = [labelOf(first), labelOf(last)];
  return from === to ? from : `${from}-${to}`;
}
