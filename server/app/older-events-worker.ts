/** Reads a recording in a thread of its own: the one that serves clients must not stand still. */
import type { JournalHeader } from '../journal/journal-format.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { type EventsAsked, type EventsRead, olderEvents } from '../live/older-events.ts';

export interface EventsTask {
  readonly asked: EventsAsked;
  readonly model: JournalHeader['model'];
}

/** Called by the pool, by its name. Throws what the file system throws. */
export function readOlderEvents({ asked, model }: EventsTask): EventsRead {
  return olderEvents(asked, model, newLiveMachine);
}
