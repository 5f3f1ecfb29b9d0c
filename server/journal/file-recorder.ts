/** A journal in a file of its own: begun, or gone on with where an earlier server was stopped. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Durability } from './durability.ts';
import { EventDigest } from './event-digest.ts';
import { JOURNAL_FORMAT, JOURNAL_VERSION, type JournalHeader } from './journal-format.ts';
import { summedLine } from './line-sum.ts';
import { type RecordedSoFar, type Recorder, recorderFrom } from './recorder.ts';
import { removeSegments, segmentPath, segmentsOf, segmentWith } from './segments.ts';
import { syncFolder } from './sync-folder.ts';

export interface RecorderOptions {
  readonly directory: string;
  readonly model: JournalHeader['model'];
  /** Makes the file's name unique: the time, or a running number. */
  readonly stamp: string;
  readonly durability: Durability;
  readonly keep: Keep;
}

/** Bytes of a recording that are kept at least; what is older may be removed. */
export type Keep = number | 'all';
/** A recording is divided into so many parts of what is kept. */
const SEGMENTS_KEPT = 4;

/** Where a recording stands, when its last entry is settled. */
export interface RecordedPosition {
  /** Lines and bytes of the file. */
  readonly line: number;
  readonly bytes: number;
  readonly sum: number;
  /** Of the last entry. */
  readonly n: number;
  readonly events: number;
  readonly digest: string;
}

export type Checkpointed = Pick<RecordedPosition, 'n' | 'bytes'>;
const NO_CHECKPOINT: Checkpointed = { n: 0, bytes: 0 };

export interface FileRecorder extends Recorder {
  readonly path: string;
  position(): RecordedPosition;
  /** How far it is. */
  readonly length: Checkpointed;
  /** Up to where a checkpoint stood when it was opened. */
  readonly checkpointed: Checkpointed;
  /** What was written so far is safe from a loss of power. */
  sync(): void;
  /** No reader begins before byte `place` any more: what need not be kept is removed. Throws as a file system does. */
  forgetBefore(place: number): void;
  /** Of a recording that never became one: the file is removed. */
  discard(): void;
}

/** Opens `directory`/`lab`-`stamp`.jsonl. Throws what the file system throws, also if the file exists. */
export function fileRecorder(
  { directory, model, stamp, durability, keep }: RecorderOptions,
  lab: string,
  config: MachineConfig,
  generation = 0,
): FileRecorder {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${lab}-${stamp}.jsonl`);
  const file = { at: openSync(path, 'wx'), from: 0 };
  const sums = new SummedFile(path, file, { line: 0, bytes: 0, sum: 0 }, { durability, keep });
  const header: JournalHeader = {
    format: JOURNAL_FORMAT,
    version: JOURNAL_VERSION,
    model,
    lab,
    config,
    generation,
  };
  try {
    sums.write(JSON.stringify(header));
    if (durability.mode !== 'none') syncFolder(directory);
  } catch (error) {
    sums.close();
    unlinkSync(path);
    throw error;
  }
  return recorderOf(path, sums, { n: 0, digest: new EventDigest() });
}

/** Where a file ends that is to be gone on with: what stands behind `bytes` is what a crash left, and is cut off. */
export interface FileSoFar extends RecordedSoFar, FileEnd {}

interface FileEnd {
  /** Lines of the file. */
  readonly line: number;
  readonly bytes: number;
  readonly sum: number;
}

/** Throws what the file system throws. */
export function continuedRecorder(
  path: string,
  soFar: FileSoFar,
  options: Pick<RecorderOptions, 'durability' | 'keep'>,
  checkpointed = NO_CHECKPOINT,
): FileRecorder {
  const segments = segmentsOf(path);
  const last = segmentWith(segments, soFar.bytes - 1);
  // The last first: whenever this is stopped, nothing is missing between two of them.
  for (const { path: behind, from } of segments.toReversed()) {
    if (from > last.from) unlinkSync(behind);
  }
  const at = openSync(last.path, 'a');
  try {
    if (fstatSync(at).size > soFar.bytes - last.from) ftruncateSync(at, soFar.bytes - last.from);
  } catch (error) {
    closeSync(at);
    throw error;
  }
  const file = new SummedFile(path, { at, from: last.from }, soFar, options);
  return recorderOf(path, file, soFar, checkpointed);
}

function recorderOf(
  path: string,
  file: SummedFile,
  soFar: RecordedSoFar,
  checkpointed = NO_CHECKPOINT,
): FileRecorder {
  const recorder = recorderFrom((json) => file.write(json), soFar);
  let { n } = soFar;
  const { digest } = soFar;
  return {
    ...recorder,
    path,
    checkpointed,
    inbound(inbound, note) {
      recorder.inbound(inbound, note);
      n += 1;
    },
    get length() {
      return { n, bytes: file.end.bytes };
    },
    position: () => ({ ...file.end, n, events: digest.events, digest: digest.value() }),
    sync: () => file.sync(),
    forgetBefore: (place) => file.forgetBefore(place),
    discard: () => {
      file.close();
      unlinkSync(path);
    },
    close: (state) => {
      try {
        recorder.close(state);
        file.sync();
      } finally {
        file.close();
      }
    },
  };
}

/** Lines with sums at the end of a recording, each whole or not there. */
class SummedFile {
  readonly #path: string;
  readonly #options: Pick<RecorderOptions, 'durability' | 'keep'>;
  /** The segment that is written, and how many bytes stand before it. */
  #file: { readonly at: number; readonly from: number };
  #end: FileEnd;
  #state: 'open' | 'closed' = 'open';

  constructor(
    path: string,
    file: { readonly at: number; readonly from: number },
    end: FileEnd,
    options: Pick<RecorderOptions, 'durability' | 'keep'>,
  ) {
    this.#path = path;
    this.#file = file;
    this.#end = { line: end.line, bytes: end.bytes, sum: end.sum };
    this.#options = options;
  }

  get end(): FileEnd {
    return this.#end;
  }

  write(json: string): void {
    const { keep, durability } = this.#options;
    const { line: before, bytes: had, sum: sumBefore } = this.#end;
    if (keep !== 'all' && had - this.#file.from >= keep / SEGMENTS_KEPT) this.#nextSegment();
    const { line, sum } = summedLine(json, sumBefore);
    const bytes = Buffer.from(line);
    const { at } = this.#file;
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(at, bytes, written);
    } catch (error) {
      if (written > 0) ftruncateSync(at, fstatSync(at).size - written);
      throw error;
    }
    this.#end = { line: before + 1, bytes: had + bytes.length, sum };
    durability.wrote(at);
  }

  forgetBefore(place: number): void {
    const { keep } = this.#options;
    if (keep !== 'all') removeSegments(this.#path, place, { keep, length: this.#end.bytes });
  }

  sync(): void {
    if (this.#options.durability.mode !== 'none') fsyncSync(this.#file.at);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#options.durability.closes(this.#file.at);
    closeSync(this.#file.at);
  }

  /** The one before is on the disk, whatever the mode: only the last has to be looked after. */
  #nextSegment(): void {
    const { durability } = this.#options;
    const { bytes: from } = this.#end;
    const at = openSync(segmentPath(this.#path, from), 'wx');
    fsyncSync(this.#file.at);
    durability.closes(this.#file.at);
    closeSync(this.#file.at);
    this.#file = { at, from };
    if (durability.mode !== 'none') syncFolder(dirname(this.#path));
  }
}
