/** Calls and callbacks from their first event to their last, and whose doing each event was. */
import type { Event } from '../../abi/event.ts';

type Opening = Extract<Event, { kind: 'call' | 'callback' }>;
type Closing = Extract<Event, { kind: 'return' | 'callback-return' }>;

export interface Span {
  readonly opened: Opening;
  /** 'never': it had not come back when the log ended. */
  closed: Closing | 'never';
  /** Who is at work in it: the caller, or the device that was asked. */
  readonly host: string;
  /** For a callback who asked, which may be a device that serves a fault itself; for a call its host. */
  readonly asker: string;
  /** For a callback whose driver runs in the asking task: who asked, which the device's events name as their actor. */
  readonly thread: string;
}

export interface Spans {
  /** In the order of their first events. */
  readonly all: readonly Span[];
  /** Whose doing the event was: while a device serves a fault in the faulting task, that of the device. */
  hostOf(event: Event): string;
}

/** A task by its actor and its name. Two at once may have the same: nothing distinguishes them. */
export function threadOfSpan(event: Event): string {
  return `${event.actor} ${event.task}`;
}

/** `events` in order. */
export function spansOf(events: readonly Event[]): Spans {
  const all: Span[] = [];
  const open = new Map<string, Span[]>();
  const hosts = new Map<number, string>();
  for (const event of events) {
    const thread = threadOfSpan(event);
    const stack = open.get(thread) ?? [];
    open.set(thread, stack);
    const host = hostIn(stack, event);
    hosts.set(event.n, host);
    if (event.kind === 'call' || event.kind === 'callback') {
      const asker = servedIn(stack) ?? event.actor;
      const span: Span = { opened: event, closed: 'never', host, asker, thread };
      stack.push(span);
      all.push(span);
    } else if (event.kind === 'return' || event.kind === 'callback-return') {
      const at = stack.findLastIndex((span) => closes(event, span.opened));
      const [span] = at < 0 ? [] : stack.splice(at, 1);
      if (span !== undefined) span.closed = event;
    }
  }
  return { all, hostOf: (event) => hosts.get(event.n) ?? event.actor };
}

function hostIn(stack: readonly Span[], event: Event): string {
  if ('device' in event && event.kind !== 'violation') return event.device;
  return servedIn(stack) ?? event.actor;
}

/** The device whose driver is at work in another actor's thread. */
function servedIn(stack: readonly Span[]): string | undefined {
  return stack.findLast((span) => span.opened.kind === 'callback')?.host;
}

function closes(closing: Closing, opened: Opening): boolean {
  if (closing.function !== opened.function) return false;
  return closing.kind === 'return'
    ? opened.kind === 'call'
    : opened.kind === 'callback' && opened.device === closing.device;
}
