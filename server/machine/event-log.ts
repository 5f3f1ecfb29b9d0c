import type { Event, EventBody, EventSink } from '../abi/event.ts';
import type { TaskContext } from '../task/context.ts';
import { stampedEvent } from './stamped-event.ts';

/**
 * Events that a log remembers for histories; older ones are forgotten. Whatever is kept is copied by each collection
 * of the young heap, so more than a history looks at would cost every event dearly.
 */
export const EVENTS_KEPT_MAX = 4_096;
/** How many are forgotten at a time. */
const EVENTS_FORGOTTEN = 1_024;

/** Numbers what happens, and says whose doing it was. */
export interface EventLog {
  /** Of the last event. */
  n: number;
  /** The last EVENTS_KEPT_MAX events or more, oldest first. */
  readonly kept: Event[];
  readonly listeners: ((event: Event) => void)[];
  /** Whether listeners are being called just now. */
  state: 'idle' | 'delivering';
  /** Events that came in meanwhile: a listener may emit (an oracle its violation). */
  readonly undelivered: Event[];
}

export function newEventLog(): EventLog {
  return { n: 0, kept: [], listeners: [], state: 'idle', undelivered: [] };
}

/** A sink that writes to `log` in the name of the running task. */
export function sinkOf(log: EventLog, context: TaskContext): EventSink {
  return (body) => append(log, context, body);
}

/** The events behind number `n`, if all of them are remembered. */
export function eventsAfter(log: EventLog, n: number): readonly Event[] | 'too-old' {
  const lacking = log.n - n;
  if (lacking < 0 || lacking > log.kept.length) return 'too-old';
  return log.kept.slice(log.kept.length - lacking);
}

function append(log: EventLog, context: TaskContext, body: EventBody): void {
  log.n += 1;
  const event = stampedEvent(log.n, context.current, body);
  log.kept.push(event);
  if (log.kept.length === EVENTS_KEPT_MAX + EVENTS_FORGOTTEN) log.kept.splice(0, EVENTS_FORGOTTEN);
  if (log.state === 'delivering') {
    log.undelivered.push(event);
    return;
  }
  log.state = 'delivering';
  // What listeners look at the running task does not learn.
  const { observer } = context;
  context.observer = 'listener';
  deliver(log, event);
  // Every listener gets an event before any gets what followed from it.
  while (log.undelivered.length > 0) deliver(log, log.undelivered.shift() as Event);
  context.observer = observer;
  log.state = 'idle';
}

function deliver(log: EventLog, event: Event): void {
  const { listeners } = log;
  for (let at = 0; at < listeners.length; at += 1) listeners[at]?.(event);
}
