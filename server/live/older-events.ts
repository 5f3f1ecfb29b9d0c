/**
 * Events that a lab remembers no more: its recording has what came in, and the machine that takes it again has the same
 * events, number by number.
 */
import type { Event } from '../abi/event.ts';
import { checkpointPath, olderCheckpointPath, readCheckpoint } from '../journal/checkpoint-file.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import { type JournalLine, journalLines, journalLinesBehind } from '../journal/read-journal.ts';
import { MissingPart } from '../journal/whole-lines.ts';
import type { Machine, MachineFactory } from './machine-port.ts';

export interface EventsAsked {
  readonly recording: string;
  readonly lab: string;
  /** The number of the first, from 1. */
  readonly from: number;
  /** At most so many. */
  readonly count: number;
}

export type EventsRead =
  | { readonly kind: 'events'; readonly events: readonly Event[] }
  /** What stood before the older of two checkpoints is no longer kept. */
  | { readonly kind: 'removed' }
  /** The recording does not lead there: another model has written it, or it was changed. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** Begins at the checkpoint that is nearest. Throws what the file system throws. */
export function olderEvents(
  asked: EventsAsked,
  model: JournalHeader['model'],
  newMachine: MachineFactory,
): EventsRead {
  const events: Event[] = [];
  try {
    const begun = beginning(asked, model, newMachine, events);
    for (const line of begun.lines) {
      if (events.length === asked.count) break;
      if (line.kind === 'entry') begun.machine.accept(line.inbound);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.cause instanceof MissingPart) return { kind: 'removed' };
    // A machine that failed where it was recorded fails here: what it did before is told.
    if (events.length === 0) return { kind: 'unreadable', why: error.message };
  }
  return { kind: 'events', events };
}

interface Begun {
  readonly machine: Machine;
  readonly lines: IteratorObject<JournalLine>;
}

function beginning(
  { recording, lab, from, count }: EventsAsked,
  model: JournalHeader['model'],
  newMachine: MachineFactory,
  events: Event[],
): Begun {
  const [first] = journalLines(recording).take(1);
  if (first?.kind !== 'header') throw new Error('expected a header');
  if (first.header.model.hash !== model.hash) throw new Error('another model wrote it');
  const machine = newMachine(first.header.config, {
    outbound: () => undefined,
    event: (event) => {
      if (event.n >= from && events.length < count) events.push(event);
    },
  });
  for (const path of [checkpointPath(recording), olderCheckpointPath(recording)]) {
    const read = readCheckpoint(path, recording, lab, model);
    if (read === 'none' || 'unusable' in read || read.log.events >= from) continue;
    if (machine.resting === undefined) break;
    machine.resting.takeState(read.machine);
    return { machine, lines: journalLinesBehind(recording, read.position) };
  }
  return { machine, lines: journalLines(recording) };
}
