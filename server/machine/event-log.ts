import type { Event, EventBody, EventSink } from '../protocol/event.ts';
import type { TaskContext } from '../task/context.ts';
import { stampedEvent } from './stamped-event.ts';

/**
 * Events that a log remembers for histories; older ones are forgotten. Whatever is kept is copied by each collection
 * of the young heap, so more than a history looks at would cost every event dearly.
 */
export const EVENTS_KEPT_MAX = 4_096;

/** Numbers what happens, and says whose doing it was. */
export interface EventLog {
  /** Of the last event. */
  n: number;
  /** The last EVENTS_KEPT_MAX events or more, oldest first. */
  readonly kept: Event[];
  readonly listeners: ((event: Event) => void)[];
  /** Events that some listener has not seen yet, because a listener's own event came in between. */
  readonly undelivered: Event[];
}

export function newEventLog(): EventLog {
  return { n: 0, kept: [], listeners: [], undelivered: [] };
}

/** A sink that writes to `log` in the name of whoever is running. */
export function sinkOf(log: EventLog, context: TaskContext): EventSink {
  return (body) => append(log, context, body);
}

function append(log: EventLog, context: TaskContext, body: EventBody): void {
  log.n += 1;
  const event = stampedEvent(log.n, context.current, body);
  log.kept.push(event);
  if (log.kept.length > 2 * EVENTS_KEPT_MAX) log.kept.splice(0, EVENTS_KEPT_MAX);
  // A listener may emit (an oracle its violation): everybody hears of the cause first.
  log.undelivered.push(event);
  if (log.undelivered.length > 1) return;
  for (let next = event; ; next = log.undelivered[0] as Event) {
    for (const listener of log.listeners) listener(next);
    log.undelivered.shift();
    if (log.undelivered.length === 0) return;
  }
}
