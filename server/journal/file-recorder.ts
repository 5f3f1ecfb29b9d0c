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
import { writeCheckpoint } from './checkpoint-file.ts';
import type { Durability } from './durability.ts';
import type { JournalHeader } from './journal-format.ts';
import {
  BEGINNING,
  begunRecorder,
  type KeptRecorder,
  type KeptSoFar,
  keptRecorder,
  NO_CHECKPOINT,
  type RecordingEnd,
  type SummedLog,
} from './kept-recorder.ts';
import { summedLine } from './line-sum.ts';
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

/** Opens `directory`/`lab`-`stamp`.jsonl. Throws what the file system throws, also if the file exists. */
export function fileRecorder(
  { directory, model, stamp, durability, keep }: RecorderOptions,
  lab: string,
  config: MachineConfig,
  generation = 0,
): KeptRecorder {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${lab}-${stamp}.jsonl`);
  const file = { at: openSync(path, 'wx'), from: 0 };
  const lines = new SummedFile(path, file, BEGINNING, { durability, keep });
  try {
    const recorder = begunRecorder(path, lines, { model, lab, config, generation });
    if (durability.mode !== 'none') syncFolder(directory);
    return recorder;
  } catch (error) {
    lines.close();
    unlinkSync(path);
    throw error;
  }
}

/** Throws what the file system throws. */
export function continuedRecorder(
  path: string,
  soFar: KeptSoFar,
  options: Pick<RecorderOptions, 'durability' | 'keep'>,
  checkpointed = NO_CHECKPOINT,
): KeptRecorder {
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
  return keptRecorder(path, file, soFar, checkpointed);
}

/** Lines with sums at the end of a recording, each whole or not there. */
class SummedFile implements SummedLog {
  readonly #path: string;
  readonly #options: Pick<RecorderOptions, 'durability' | 'keep'>;
  /** The segment that is written, and how many bytes stand before it. */
  #file: { readonly at: number; readonly from: number };
  #end: RecordingEnd;
  #state: 'open' | 'closed' = 'open';

  constructor(
    path: string,
    file: { readonly at: number; readonly from: number },
    end: RecordingEnd,
    options: Pick<RecorderOptions, 'durability' | 'keep'>,
  ) {
    this.#path = path;
    this.#file = file;
    this.#end = { line: end.line, bytes: end.bytes, sum: end.sum };
    this.#options = options;
  }

  get end(): RecordingEnd {
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

  writeCheckpoint(text: string): Promise<void> {
    return writeCheckpoint(this.#path, text);
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
