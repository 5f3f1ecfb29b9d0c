/** Which events of a lab an observer wants to see. What is not named does not filter. */

import type { Event } from '../../../server/abi/event.ts';
import { EventBody } from '../../../server/abi/event.ts';

export interface EventFilter {
  readonly actors: readonly string[];
  readonly kinds: readonly Event['kind'][];
  readonly pages: readonly number[];
  /** Kernel functions and callbacks, in the kernel's spelling. */
  readonly functions: readonly string[];
}

/** Every kind of event, from the schema. */
export const FILTERED_KINDS: readonly Event['kind'][] = EventBody.anyOf.map(
  ({ properties }) => properties.kind.const,
);

/** What an actor does, or what is done to it; each of the filters that are given has to fit. */
export function passes(event: Event, { actors, kinds, pages, functions }: EventFilter): boolean {
  return (
    (actors.length === 0 || actors.some((actor) => isAbout(event, actor))) &&
    (kinds.length === 0 || kinds.includes(event.kind)) &&
    (pages.length === 0 || pages.some((page) => touches(event, page))) &&
    (functions.length === 0 || ('function' in event && functions.includes(event.function)))
  );
}

function isAbout(event: Event, actor: string): boolean {
  return event.actor === actor || ('device' in event && event.device === actor);
}

function touches(event: Event, page: number): boolean {
  if ('page' in event) return event.page === page;
  if ('first' in event) return event.first <= page && page < event.end;
  if (!('args' in event)) return false;
  const { args } = event;
  if (typeof args.first === 'number' && typeof args.end === 'number') {
    return args.first <= page && page < args.end;
  }
  return args.page === page;
}
