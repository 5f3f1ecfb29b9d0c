/** A recording that a later server goes on with: lines with sums, wherever they are kept. */
import { EventDigest } from './event-digest.ts';
import { JOURNAL_FORMAT, JOURNAL_VERSION, type JournalHeader } from './journal-format.ts';
import { type RecordedSoFar, type Recorder, recorderFrom } from './recorder.ts';

/** Where a recording ends, in lines and bytes of the whole. */
export interface RecordingEnd {
  readonly line: number;
  readonly bytes: number;
  readonly sum: number;
}

export const BEGINNING: RecordingEnd = { line: 0, bytes: 0, sum: 0 };

/** Where a recording stands, when its last entry is settled. */
export interface RecordedPosition extends RecordingEnd {
  /** Of the last entry. */
  readonly n: number;
  readonly events: number;
  readonly digest: string;
}

export type Checkpointed = Pick<RecordedPosition, 'n' | 'bytes'>;
export const NO_CHECKPOINT: Checkpointed = { n: 0, bytes: 0 };

/** Where a recording ends that is to be gone on with: what stands behind `bytes` is what a crash left. */
export interface KeptSoFar extends RecordedSoFar, RecordingEnd {}

/** Where lines with sums go, each whole or not at all. */
export interface SummedLog {
  readonly end: RecordingEnd;
  /** Throws as its storage does; then nothing was written. */
  write(json: string): void;
  /**
   * Present: lines leave together, and what entries come to is written once for those that do. `settle` is to be called
   * before they leave.
   */
  readonly gathers?: (settle: () => void) => void;
  /** What was written so far is safe from a loss of power, as far as is asked for. */
  sync(): void;
  /** Rejects as its storage does; then the checkpoints are as they were. */
  writeCheckpoint(text: string): Promise<void>;
  /** Throws as its storage does. */
  forgetBefore(place: number): void;
  close(): void;
}

export interface KeptRecorder extends Recorder {
  /** Of a file; elsewhere what stands for it. Ends in a name like `demo-2026.jsonl`. */
  readonly path: string;
  position(): RecordedPosition;
  /** How far it is. */
  readonly length: Checkpointed;
  /** Up to where a checkpoint stood when it was opened. */
  readonly checkpointed: Checkpointed;
  sync(): void;
  /** A later server may begin at it. Rejects as the storage does; then what was there before still is. */
  writeCheckpoint(text: string): Promise<void>;
  /** No reader begins before byte `place` any more: what need not be kept is removed. Throws as the storage does. */
  forgetBefore(place: number): void;
}

export function keptRecorder(
  path: string,
  log: SummedLog,
  soFar: RecordedSoFar,
  checkpointed = NO_CHECKPOINT,
): KeptRecorder {
  const recorder = recorderFrom((json) => log.write(json), soFar);
  let { n } = soFar;
  const { digest } = soFar;
  // The digest goes on from where its value was last asked for: a reader asks where a line says it.
  let state: 'settled' | 'unsettled' | 'to be said' = 'settled';
  const settle = (): void => {
    if (state !== 'to be said') return;
    state = 'settled';
    recorder.settled();
  };
  return {
    ...recorder,
    path,
    checkpointed,
    inbound(inbound, note) {
      recorder.inbound(inbound, note);
      n += 1;
      state = 'unsettled';
    },
    settled() {
      state = 'to be said';
      if (log.gathers === undefined) settle();
      else log.gathers(settle);
    },
    get length() {
      return { n, bytes: log.end.bytes };
    },
    position: () => {
      settle();
      return { ...log.end, n, events: digest.events, digest: digest.value() };
    },
    sync: () => log.sync(),
    writeCheckpoint: (text) => log.writeCheckpoint(text),
    forgetBefore: (place) => log.forgetBefore(place),
    close: (final) => {
      try {
        if (final !== 'unknown') settle();
        recorder.close(final);
        log.sync();
      } finally {
        log.close();
      }
    },
  };
}

/** One that begins: its header is written. Throws as `log` does. */
export function begunRecorder(
  path: string,
  log: SummedLog,
  header: Omit<JournalHeader, 'format' | 'version'>,
): KeptRecorder {
  log.write(JSON.stringify({ format: JOURNAL_FORMAT, version: JOURNAL_VERSION, ...header }));
  return keptRecorder(path, log, { n: 0, digest: new EventDigest() });
}
