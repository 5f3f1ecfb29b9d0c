/**
 * Writes checkpoints of labs whose recordings have grown, so that a later server begins near their ends. A lab has to
 * be at rest for it: one that has not been for a while is hushed for a moment.
 */
import { type Checkpoint, checkpointText } from '../journal/checkpoint.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import type { KeptRecorder } from '../journal/kept-recorder.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';

/** Milliseconds between two looks at all labs. */
const LOOK_MS = 20;
/** Milliseconds between two looks at a lab that is hushed, and how often that is done. */
const HUSHED_LOOK_MS = 5;
const HUSHED_LOOKS_MAX = 40;
/** Looks in which a lab comes to no rest by itself before it is hushed, and between two attempts. */
const LOOKS_BEFORE_HUSH = 5;
/** Bytes of a recording that are as long to replay as one entry: pages are many bytes and few steps. */
const BYTES_PER_ENTRY = 1_024;
/** A checkpoint may have as many times the bytes by which the recording has to grow before the next. */
const BYTES_TO_GROWTH = 2;

export interface CheckpointsOptions {
  readonly labs: Labs;
  readonly model: JournalHeader['model'];
  /** The recording of a lab that counts. */
  readonly recorderOf: (lab: Lab) => KeptRecorder | 'none';
  /** Entries of a recording between two checkpoints, about. */
  readonly every: number;
  /** Milliseconds between two of a lab at least. */
  readonly leastMs: number;
  readonly onWritten: (lab: string, recording: string, bytes: number) => void;
  readonly onFailed: (lab: string, error: unknown) => void;
}

interface Progress {
  readonly recorder: KeptRecorder;
  /** The position of the last checkpoint. */
  n: number;
  bytes: number;
  /** Where the one before it stood: if the last is of no use, a later server begins there. */
  olderBytes: number;
  /** Of the last checkpoint itself. */
  length: number;
  looks: number;
  /** When the last was made, by performance.now(). */
  madeAt: number;
  state: 'idle' | 'hushed' | 'writing';
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #progress = new WeakMap<Lab, Progress>();
  readonly #timer: NodeJS.Timeout;
  readonly #writing = new Set<Promise<void>>();
  #state: 'on' | 'closed' = 'on';

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Resolves when none is being written. */
  async close(): Promise<void> {
    this.#state = 'closed';
    clearInterval(this.#timer);
    await Promise.all(this.#writing);
  }

  #look(): void {
    for (const lab of this.#options.labs.all()) this.#guarded(lab, () => this.#lookAt(lab));
  }

  #lookAt(lab: Lab): void {
    const progress = this.#progressOf(lab);
    if (progress === 'none' || progress.state !== 'idle' || !this.#isDue(progress)) return;
    progress.looks += 1;
    if (this.#tryToWrite(lab, progress) || progress.looks % LOOKS_BEFORE_HUSH > 0) return;
    progress.state = 'hushed';
    this.#whileHushed(lab, progress, HUSHED_LOOKS_MAX);
  }

  #whileHushed(lab: Lab, progress: Progress, left: number): void {
    const over = left === 0 || this.#state === 'closed' || lab.state === 'closed';
    if (over || this.#tryToWrite(lab, progress)) {
      if (progress.state === 'hushed') progress.state = 'idle';
      lab.speakAgain();
      return;
    }
    lab.hush();
    setTimeout(
      () => this.#guarded(lab, () => this.#whileHushed(lab, progress, left - 1)),
      HUSHED_LOOK_MS,
    );
  }

  #isDue({ recorder, n, bytes, length, madeAt }: Progress): boolean {
    if (performance.now() - madeAt < this.#options.leastMs) return false;
    const { length: now } = recorder;
    const grown = now.bytes - bytes;
    const entries = Math.max(now.n - n, grown / BYTES_PER_ENTRY);
    return entries >= this.#options.every && grown * BYTES_TO_GROWTH >= length;
  }

  /** Returns whether the lab was at rest. */
  #tryToWrite(lab: Lab, progress: Progress): boolean {
    const stood = lab.checkpoint();
    if (stood === 'not at rest') return false;
    const { roles, ...rest } = stood;
    const { events, digest, ...end } = progress.recorder.position();
    const checkpoint: Checkpoint = {
      lab: lab.name,
      model: this.#options.model,
      position: { ...end, roles },
      log: { events, digest },
      ...rest,
    };
    const text = checkpointText(checkpoint);
    const { bytes: olderBytes } = progress;
    Object.assign(progress, {
      n: end.n,
      bytes: end.bytes,
      olderBytes,
      length: text.length,
      looks: 0,
      madeAt: performance.now(),
    });
    progress.state = 'writing';
    const writing = this.#write(lab.name, progress, text).finally(() => {
      this.#writing.delete(writing);
    });
    this.#writing.add(writing);
    return true;
  }

  async #write(lab: string, progress: Progress, text: string): Promise<void> {
    const { recorder } = progress;
    try {
      await recorder.writeCheckpoint(text);
      recorder.forgetBefore(progress.olderBytes);
      this.#options.onWritten(lab, recorder.path, text.length);
    } catch (error) {
      this.#options.onFailed(lab, error);
    }
    progress.state = 'idle';
  }

  #progressOf(lab: Lab): Progress | 'none' {
    const recorder = this.#options.recorderOf(lab);
    if (recorder === 'none' || lab.standing.state !== 'open') return 'none';
    const known = this.#progress.get(lab);
    if (known?.recorder === recorder) return known;
    const { checkpointed } = recorder;
    const made: Progress = {
      recorder,
      ...checkpointed,
      olderBytes: 0,
      length: 0,
      looks: 0,
      madeAt: performance.now(),
      state: 'idle',
    };
    this.#progress.set(lab, made);
    return made;
  }

  #guarded(lab: Lab, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.onFailed(lab.name, error);
    }
  }
}
