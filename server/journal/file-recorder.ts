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
import { join } from 'node:path';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Durability } from './durability.ts';
import { EventDigest } from './event-digest.ts';
import { JOURNAL_FORMAT, JOURNAL_VERSION, type JournalHeader } from './journal-format.ts';
import { summedLine } from './line-sum.ts';
import { type RecordedSoFar, type Recorder, recorderFrom } from './recorder.ts';
import { syncFolder } from './sync-folder.ts';

export interface RecorderOptions {
  readonly directory: string;
  readonly model: JournalHeader['model'];
  /** Makes the file's name unique: the time, or a running number. */
  readonly stamp: string;
  readonly durability: Durability;
}

export interface FileRecorder extends Recorder {
  readonly path: string;
  /** What was written so far is safe from a loss of power. */
  sync(): void;
  /** Of a recording that never became one: the file is removed. */
  discard(): void;
}

/** Opens `directory`/`lab`-`stamp`.jsonl. Throws what the file system throws, also if the file exists. */
export function fileRecorder(
  { directory, model, stamp, durability }: RecorderOptions,
  lab: string,
  config: MachineConfig,
  generation = 0,
): FileRecorder {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${lab}-${stamp}.jsonl`);
  const file = openSync(path, 'wx');
  const sums = new SummedFile(file, 0, durability);
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
    closeSync(file);
    unlinkSync(path);
    throw error;
  }
  return recorderOf(path, sums, { n: 0, digest: new EventDigest() });
}

/** Where a file ends that is to be gone on with: what stands behind `bytes` is what a crash left, and is cut off. */
export interface FileSoFar extends RecordedSoFar {
  readonly bytes: number;
  readonly sum: number;
}

/** Throws what the file system throws. */
export function continuedRecorder(
  path: string,
  soFar: FileSoFar,
  durability: Durability,
): FileRecorder {
  const file = openSync(path, 'a');
  try {
    if (fstatSync(file).size > soFar.bytes) ftruncateSync(file, soFar.bytes);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return recorderOf(path, new SummedFile(file, soFar.sum, durability), soFar);
}

function recorderOf(path: string, file: SummedFile, soFar: RecordedSoFar): FileRecorder {
  const recorder = recorderFrom((json) => file.write(json), soFar);
  return {
    ...recorder,
    path,
    sync: () => file.sync(),
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

/** Lines with sums at the end of an open file, each whole or not there. */
class SummedFile {
  readonly #file: number;
  readonly #durability: Durability;
  #sum: number;
  #state: 'open' | 'closed' = 'open';

  constructor(file: number, sum: number, durability: Durability) {
    this.#file = file;
    this.#sum = sum;
    this.#durability = durability;
  }

  write(json: string): void {
    const { line, sum } = summedLine(json, this.#sum);
    const bytes = Buffer.from(line);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      if (written > 0) ftruncateSync(this.#file, fstatSync(this.#file).size - written);
      throw error;
    }
    this.#sum = sum;
    this.#durability.wrote(this.#file);
  }

  sync(): void {
    if (this.#durability.mode !== 'none') fsyncSync(this.#file);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#durability.closes(this.#file);
    closeSync(this.#file);
  }
}
