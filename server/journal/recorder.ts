/**
 * Writes a journal as a lab runs. Each inbound event is in the file before the machine takes it, so a crash loses
 * at most the event that caused it to be looked for.
 */

import type { Event } from '../abi/event.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';
import { EventDigest } from './event-digest.ts';
import type {
  EndLine,
  EntryLine,
  JournalHeader,
  SessionKey,
  SettledLine,
  StoredInbound,
} from './journal-format.ts';
import type { LabLine } from './lab-lines.ts';

/** Which frame of its client an inbound event was, and the key of the session that begins with it. */
export interface FrameNote {
  readonly seq?: number;
  readonly key?: SessionKey;
}

/** Where the inbound log of a machine goes as it grows. What the file system throws is thrown: nothing was written. */
export interface Recorder {
  /** Before the machine takes it. */
  inbound(inbound: Inbound, note?: FrameNote): void;
  /** What the machine says of it, in order. */
  event(event: Event): void;
  /** The machine has done all that it could. */
  settled(): void;
  /** What a later server has to know besides. */
  lab(line: LabLine): void;
  /** `state` names the final state of the machine; 'unknown' of one that has failed: then there is no end. */
  close(state: string | 'unknown'): void;
}

/** Where a recording stands that is to go on. */
export interface RecordedSoFar {
  /** Of the last entry. */
  readonly n: number;
  readonly digest: EventDigest;
}

/** `write` gets JSON objects, one a line. */
export function journalRecorder(write: (line: string) => void, header: JournalHeader): Recorder {
  write(`${JSON.stringify(header)}\n`);
  return recorderFrom((json) => write(`${json}\n`), { n: 0, digest: new EventDigest() });
}

/** `write` gets JSON objects without line ends. */
export function recorderFrom(
  write: (json: string) => void,
  { n: before, digest }: RecordedSoFar,
): Recorder {
  let n = before;
  const line = (value: EntryLine | SettledLine | EndLine | LabLine) => write(JSON.stringify(value));
  return {
    inbound: (inbound, note) => {
      line({ n: n + 1, inbound: stored(inbound), ...note });
      n += 1;
    },
    event: (event) => digest.add(event),
    settled: () => line({ n, events: digest.events, digest: digest.value() }),
    lab: line,
    close: (state) => {
      if (state === 'unknown') return;
      line({ end: n, events: digest.events, digest: digest.value(), state });
    },
  };
}

/** As a journal has it: pages are base64. */
export function stored(inbound: Inbound): StoredInbound {
  if (inbound.kind !== 'request' && inbound.kind !== 'notify') return inbound;
  return { ...inbound, contents: inbound.contents.map(base64) };
}

function base64(page: PageContents): string {
  return Buffer.from(page.buffer, page.byteOffset, page.byteLength).toString('base64');
}
