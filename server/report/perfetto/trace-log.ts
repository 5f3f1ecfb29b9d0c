import type { Event } from '../../abi/event.ts';
import { type Bracket, bracketsOf } from '../timeline/brackets.ts';
import { inOrder } from '../timeline/event-order.ts';
import { type MigrationSeen, migrationsOf } from '../timeline/migrations.ts';
import { type Spans, spansOf } from '../timeline/spans.ts';

/** An event log, read once for all that a trace draws of it. */
export interface TraceLog {
  /** In order. */
  readonly events: readonly Event[];
  readonly spans: Spans;
  readonly brackets: readonly Bracket[];
  readonly migrations: readonly MigrationSeen[];
  /**
   * The step at which something that began at step `began` is drawn to end: that of `closed`, or a step of its own
   * behind the log, so that what began earlier ends later.
   */
  endOf(began: number, closed: Event | 'never'): number;
}

export function readLog(unordered: readonly Event[]): TraceLog {
  const events = inOrder(unordered);
  const spans = spansOf(events);
  const brackets = bracketsOf(events, spans.all);
  const open = new Set<number>();
  for (const { opened, closed } of spans.all) if (closed === 'never') open.add(opened.n);
  const migrations = migrationsOf(events, spans);
  for (const { setup, ended } of migrations) if (ended === 'never') open.add(setup.opened.n);
  for (const { start, end } of brackets) if (end === 'never') open.add(start.n);
  const last = events.at(-1)?.n ?? 0;
  const lastFirst = [...open].sort((a, b) => b - a);
  const ends = new Map(lastFirst.map((began, at) => [began, last + 1 + at]));
  return {
    events,
    spans,
    brackets,
    migrations,
    endOf: (began, closed) => (closed === 'never' ? (ends.get(began) ?? last + 1) : closed.n),
  };
}
