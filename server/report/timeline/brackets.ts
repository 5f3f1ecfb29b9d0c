/** Invalidations of a range from start to end, with the devices that were asked meanwhile. */
import type { Event } from '../../abi/event.ts';
import type { Span } from './spans.ts';

type Start = Extract<Event, { kind: 'invalidate_range_start' }>;
type End = Extract<Event, { kind: 'invalidate_range_end' }>;

export interface Bracket {
  readonly start: Start;
  end: End | 'never';
  readonly callbacks: Span[];
}

/** `events` in order, `spans` of the same events. In the order of their starts. */
export function bracketsOf(events: readonly Event[], spans: readonly Span[]): Bracket[] {
  const brackets: Bracket[] = [];
  const open: Bracket[] = [];
  const callbacks = new Map(spans.map((span) => [span.opened.n, span]));
  for (const event of events) {
    if (event.kind === 'invalidate_range_start') {
      const bracket: Bracket = { start: event, end: 'never', callbacks: [] };
      brackets.push(bracket);
      open.push(bracket);
    } else if (event.kind === 'invalidate_range_end') {
      const at = open.findLastIndex(({ start }) => start.id === event.id);
      const [bracket] = at < 0 ? [] : open.splice(at, 1);
      if (bracket !== undefined) bracket.end = event;
    } else if (event.kind === 'callback' && event.function === 'invalidate') {
      const span = callbacks.get(event.n);
      const asking = open.findLast((bracket) => asks(bracket, event));
      if (span !== undefined) asking?.callbacks.push(span);
    }
  }
  return brackets;
}

/** A callback does not name its bracket: the same range for the same reason, and this device not asked yet. */
function asks(
  { start, callbacks }: Bracket,
  { args, device }: Extract<Event, { kind: 'callback' }>,
): boolean {
  const { first, end, event, owner } = args;
  if (start.first !== first || start.end !== end) return false;
  if ((event ?? start.event) !== start.event || (owner ?? start.owner) !== start.owner)
    return false;
  return callbacks.every(({ host }) => host !== device);
}
