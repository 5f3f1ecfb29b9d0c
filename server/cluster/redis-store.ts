/** Recordings and labs in Redis: the lines of a recording are a stream. See scripts.ts. */
import { checkpointOf } from '../journal/checkpoint.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import {
  BEGINNING,
  begunRecorder,
  keptRecorder,
  type RecordingEnd,
  type SummedLog,
} from '../journal/kept-recorder.ts';
import { keptLabOf, keptLabText } from '../journal/lab-file.ts';
import { summedLine } from '../journal/line-sum.ts';
import { JournalError, journalLinesIn } from '../journal/read-journal.ts';
import type { RecordingStore, StoredLab, StoredRecording } from '../journal/recording-store.ts';
import { linesOfText, MissingPart, type WholeLine } from '../journal/whole-lines.ts';
import type { LabCommits } from './lab-commits.ts';
import type { RedisLink } from './redis-link.ts';
import { READ } from './scripts.ts';

/** Entries of a stream that are fetched at once. */
const RANGE_COUNT = 512;

export interface RedisStoreOptions {
  readonly link: RedisLink;
  readonly commits: LabCommits;
  readonly model: JournalHeader['model'];
  /** Bytes of a recording that are kept at least behind what no takeover needs. */
  readonly keep: number;
}

/** Its labs have to be claimed first: see placement.ts. */
export function redisStore(options: RedisStoreOptions): RecordingStore {
  const { commits, model } = options;
  const began = new Date().toISOString().replaceAll(/[:.]/g, '-').replace('Z', '');
  let stamps = 0;
  return {
    begin: (lab, config, generation) => {
      stamps += 1;
      const recording = `${lab}-${began}-${process.pid}-${stamps}.jsonl`;
      const log = new RedisLog(options, lab, recording, BEGINNING);
      return begunRecorder(recording, log, { model, lab, config, generation });
    },
    keep: (lab) => commits.keep(lab.name, lab.journal, lab.joinCode, keptLabText(lab)),
    lines: async (lab) => {
      await commits.safe();
      return (await readRedisLab(options, lab, commits.epochOf(lab))).recording.lines();
    },
    remove: (lab) => commits.over(lab),
    close: () => undefined,
  };
}

/**
 * What another server has kept of a lab that is this one's now, with all that is there of its recording.
 *
 * Rejects: JournalError for what is not a lab; what Redis says.
 */
export async function readRedisLab(
  options: RedisStoreOptions,
  lab: string,
  epoch: string,
): Promise<StoredLab> {
  const { link } = options;
  const path = `${link.address}/${lab}`;
  const read = await link.run(READ, [lab, epoch]);
  if (!Array.isArray(read)) throw new JournalError(path, 1, 'expected a lab of this server');
  const [text, header, ...checkpoints] = read.map(String);
  const kept = keptLabOf(text ?? '', lab, path);
  const parts: (readonly [number, string])[] = [];
  for (let after = 0; ; ) {
    const some = await link.range(`${lab}:${kept.journal}`, after, RANGE_COUNT);
    parts.push(...some);
    const last = some.at(-1);
    if (last === undefined || some.length < RANGE_COUNT) break;
    after = last[0];
  }
  const stored = { header: header ?? '', checkpoints, parts };
  return { kept, recording: new RedisRecording(options, lab, kept.journal, stored) };
}

interface Stored {
  readonly header: string;
  readonly checkpoints: readonly string[];
  /** Lines, each group with the place of its end. */
  readonly parts: readonly (readonly [number, string])[];
}

class RedisRecording implements StoredRecording {
  readonly path: string;
  readonly #options: RedisStoreOptions;
  readonly #lab: string;
  readonly #stored: Stored;
  readonly #bytes: Buffer;
  /** Bytes of the recording before what is there, and up to its end. */
  readonly #from: number;
  readonly #end: number;

  constructor(options: RedisStoreOptions, lab: string, recording: string, stored: Stored) {
    this.path = recording;
    this.#options = options;
    this.#lab = lab;
    this.#stored = stored;
    this.#bytes = Buffer.from(stored.parts.map(([, text]) => text).join(''));
    this.#end = stored.parts.at(-1)?.[0] ?? 0;
    this.#from = this.#end - this.#bytes.length;
  }

  lines(): ReturnType<StoredRecording['lines']> {
    return journalLinesIn(this.#wholeLines(), this.path);
  }

  linesBehind(position: Parameters<StoredRecording['linesBehind']>[0]) {
    const { bytes } = position;
    if (bytes < this.#from) throw new JournalError(this.path, 1, this.#missing(bytes).message);
    const text = this.#bytes.subarray(bytes - this.#from).toString();
    return journalLinesIn(linesOfText(text, bytes), this.path, position);
  }

  *ways(): ReturnType<StoredRecording['ways']> {
    for (const text of this.#stored.checkpoints) {
      if (text === '') continue;
      const read = checkpointOf(text, this.#lab, this.#options.model);
      if ('unusable' in read) yield { ...read, name: `a checkpoint of ${this.path}` };
      else yield read;
    }
    yield 'beginning';
  }

  goOn(soFar: Parameters<StoredRecording['goOn']>[0], checkpointed?: { n: number; bytes: number }) {
    const { commits } = this.#options;
    if (soFar.bytes < this.#end) {
      const text = this.#bytes.subarray(0, soFar.bytes - this.#from).toString();
      commits.rewrite(this.#lab, this.path, soFar.bytes, text);
    }
    const log = new RedisLog(this.#options, this.#lab, this.path, soFar);
    return keptRecorder(this.path, log, soFar, checkpointed);
  }

  *#wholeLines(): Generator<WholeLine> {
    const { header } = this.#stored;
    if (this.#from === 0) yield* linesOfText(this.#bytes.toString());
    else {
      yield* linesOfText(header);
      throw this.#missing(Buffer.byteLength(header));
    }
  }

  #missing(from: number): MissingPart {
    return new MissingPart(from, this.#from);
  }
}

/** Lines with sums at the end of a stream. They are written when their turn comes: see lab-commits.ts. */
class RedisLog implements SummedLog {
  readonly #options: RedisStoreOptions;
  readonly #lab: string;
  readonly #recording: string;
  #end: RecordingEnd;

  constructor(options: RedisStoreOptions, lab: string, recording: string, end: RecordingEnd) {
    this.#options = options;
    this.#lab = lab;
    this.#recording = recording;
    this.#end = { line: end.line, bytes: end.bytes, sum: end.sum };
  }

  gathers(settle: () => void): void {
    this.#options.commits.beforeNext(settle);
  }

  get end(): RecordingEnd {
    return this.#end;
  }

  write(json: string): void {
    const { line: before, bytes: begin, sum: sumBefore } = this.#end;
    const { line, sum } = summedLine(json, sumBefore);
    const end = begin + Buffer.byteLength(line);
    this.#end = { line: before + 1, bytes: end, sum };
    this.#options.commits.lines(this.#lab, this.#recording, begin, end, line);
  }

  /** What has to be there first is written first. */
  sync(): void {
    // See lab-commits.ts.
  }

  writeCheckpoint(text: string): Promise<void> {
    return this.#options.commits.checkpoint(this.#lab, this.#recording, text);
  }

  forgetBefore(place: number): void {
    const { keep, commits } = this.#options;
    const last = Math.min(place, this.#end.bytes - keep);
    if (last > 0) commits.trim(this.#lab, this.#recording, last);
  }

  close(): void {
    // A stream has no end of its own.
  }
}
