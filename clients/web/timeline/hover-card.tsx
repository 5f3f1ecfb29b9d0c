import type { Event } from '../../../server/abi/event.ts';
import { describeBody } from '../../../server/report/describe-event.ts';

export interface Hovered {
  readonly event: Event;
  /** Of the pointer, in the view. */
  readonly x: number;
  readonly y: number;
}

/** What the event under the pointer is, in a whole sentence; to the left of the pointer in the right half. */
export function HoverCard({
  hovered,
  width,
}: {
  readonly hovered: Hovered;
  readonly width: number;
}) {
  const { event, x, y } = hovered;
  const side = x > width / 2 ? { right: `${width - x + 12}px` } : { left: `${x + 12}px` };
  return (
    <p className="hover-card" style={{ ...side, top: `${y + 12}px` }}>
      <b>
        {event.n} {event.actor}
      </b>{' '}
      {describeBody(event)}
    </p>
  );
}
