/**
 * Writes a journal as a lab runs. Each inbound event is in the file before the machine takes it, so a crash loses
 * at most the event that caused it to be looked for.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../abi/event.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';
import { EventDigest } from './event-digest.ts';
import {
  type EndLine,
  type EntryLine,
  JOURNAL_FORMAT,
  JOURNAL_VERSION,
  type JournalHeader,
  type SettledLine,
  type StoredInbound,
} from './journal-format.ts';

/** Where the inbound log of a machine goes as it grows. */
export interface Recorder {
  /** Before the machine takes it. */
  inbound(inbound: Inbound): void;
  /** What the machine says of it, in order. */
  event(event: Event): void;
  /** The machine has done all that it could. */
  settled(): void;
  /** `state` names the final state of the machine. */
  close(state: string): void;
}

export interface RecorderOptions {
  readonly directory: string;
  readonly model: JournalHeader['model'];
  /** Makes the file's name unique: the time, or a running number. */
  readonly stamp: string;
}

/** Opens `directory`/`lab`-`stamp`.jsonl. Throws what the file system throws, also if the file exists. */
export function fileRecorder(
  options: RecorderOptions,
  lab: string,
  config: MachineConfig,
): Recorder & { readonly path: string } {
  mkdirSync(options.directory, { recursive: true });
  const path = join(options.directory, `${lab}-${options.stamp}.jsonl`);
  const file = openSync(path, 'wx');
  const recorder = journalRecorder((line) => writeSync(file, line), {
    format: JOURNAL_FORMAT,
    version: JOURNAL_VERSION,
    model: options.model,
    lab,
    config,
  });
  return {
    ...recorder,
    path,
    close: (state) => {
      recorder.close(state);
      closeSync(file);
    },
  };
}

/** `write` gets whole lines, with their ends. */
export function journalRecorder(write: (line: string) => void, header: JournalHeader): Recorder {
  const digest = new EventDigest();
  let n = 0;
  const line = (value: JournalHeader | EntryLine | SettledLine | EndLine) =>
    write(`${JSON.stringify(value)}\n`);
  line(header);
  return {
    inbound: (inbound) => {
      n += 1;
      line({ n, inbound: stored(inbound) });
    },
    event: (event) => digest.add(event),
    settled: () => line({ n, events: digest.events, digest: digest.value() }),
    close: (state) => line({ end: n, events: digest.events, digest: digest.value(), state }),
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
