/** Executes a journal again and says whether the same came of it, or where it began to differ. */

import type { Event } from '../abi/event.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Inbound, MachineSinks } from '../machine/remote/inbound.ts';
import { EventDigest } from './event-digest.ts';
import type { JournalHeader } from './journal-format.ts';
import type { JournalStream } from './read-journal.ts';

/** What a replay needs of a machine. */
export interface ReplayMachine {
  accept(inbound: Inbound): void;
  digest(): string;
}

export interface ReplayOptions {
  readonly newMachine: (config: MachineConfig, sinks: MachineSinks) => ReplayMachine;
  /** The model that runs here. */
  readonly model: JournalHeader['model'];
  /** Called for each event, in order. */
  readonly onEvent: (event: Event) => void;
}

export type Replayed =
  /** `closed`: without an end of the recording its final state is not known. */
  | {
      readonly outcome: 'identical';
      readonly entries: number;
      readonly events: number;
      readonly digest: string;
      readonly state: string;
      readonly closed: boolean;
    }
  /** After entry `n` (the line of the file it stands on) the event log, or at the end the state, was another. */
  | {
      readonly outcome: 'diverged';
      readonly n: number;
      readonly line: number;
      readonly what: 'event log' | 'final state';
      readonly expected: string;
      readonly actual: string;
    }
  /** The machine threw at entry `n`, as it may have when it was recorded: `recorded` says whether it went on then. */
  | {
      readonly outcome: 'threw';
      readonly n: number;
      readonly line: number;
      readonly recorded: 'went on' | 'ended here';
      readonly error: unknown;
    }
  /** The journal was cut from another model: its entries would mean something else here. */
  | { readonly outcome: 'other-model'; readonly expected: string; readonly actual: string };

/** Throws: UnknownPatch, from `newMachine`; JournalError, where the journal is wrong. */
export function replay(journal: JournalStream, options: ReplayOptions): Replayed {
  const { header, entries } = journal;
  if (header.model.hash !== options.model.hash) {
    return { outcome: 'other-model', expected: header.model.hash, actual: options.model.hash };
  }
  const digest = new EventDigest();
  const machine = options.newMachine(header.config, {
    // They go nowhere: the answers that came of it are in the journal already.
    outbound: () => undefined,
    event: (event) => {
      digest.add(event);
      options.onEvent(event);
    },
  });
  let last = { n: 0, line: 1 };
  for (const { n, line, inbound, settled } of entries) {
    last = { n, line };
    try {
      machine.accept(inbound);
    } catch (error) {
      const recorded = settled === 'none' ? 'ended here' : 'went on';
      return { outcome: 'threw', n, line, recorded, error };
    }
    if (settled === 'none') continue;
    const expected = logName(settled.events, settled.digest);
    const actual = logName(digest.events, digest.value());
    if (actual !== expected) {
      return { outcome: 'diverged', n, line, what: 'event log', expected, actual };
    }
  }
  const state = machine.digest();
  const { end } = journal;
  if (end !== 'none' && end.state !== state) {
    const { n, line } = last;
    const what = 'final state';
    return { outcome: 'diverged', n, line, what, expected: end.state, actual: state };
  }
  return {
    outcome: 'identical',
    entries: last.n,
    events: digest.events,
    digest: digest.value(),
    state,
    closed: end !== 'none',
  };
}

function logName(events: number, digest: string): string {
  return `${events} events, ${digest}`;
}
