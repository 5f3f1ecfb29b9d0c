/**
 * When what was written reaches the disk itself. A killed process loses nothing that was written, whatever the mode:
 * the system has it. A loss of power does.
 */
import { fdatasync, fdatasyncSync } from 'node:fs';

/**
 * 'none': when the system likes. 'batch': within BATCH_MS. 'each': before a client hears of it; what comes meanwhile
 * goes with the next batch.
 */
export const DURABILITY_MODES = ['none', 'batch', 'each'] as const;
export type DurabilityMode = (typeof DURABILITY_MODES)[number];

/** Milliseconds between a line and its way to the disk, at most, with 'batch'. */
export const BATCH_MS = 50;

/** Whether a client may hear of what came of what was recorded. */
export interface Safety {
  readonly mode: DurabilityMode;
  /** 'now', or calls back when what was written so far is as safe as it has to be before a client hears of it. */
  whenSafe(then: () => void): 'now' | 'later';
  /** Waits for the storage; 'cannot' if it can only be waited for by whenSafe(). Throws what the file system throws. */
  syncNow(): 'safe' | 'cannot';
}

export interface Durability extends Safety {
  /** A line was added to `file`. */
  wrote(file: number): void;
  /** `file` will not be written again. */
  closes(file: number): void;
}

type Sync = (file: number, done: (error: Error | null) => void) => void;

/** `failed` is called for a sync that failed: then nothing is safe any more, and no client hears of anything. */
export function newDurability(
  mode: DurabilityMode,
  failed: (error: Error) => void,
  sync: Sync = fdatasync,
): Durability {
  if (mode === 'none') return NOT_DURABLE;
  return new Batches(mode, failed, sync);
}

export const NOT_DURABLE: Durability = {
  mode: 'none',
  wrote: () => undefined,
  closes: () => undefined,
  whenSafe: () => 'now',
  syncNow: () => 'safe',
};

class Batches implements Durability {
  readonly mode: 'batch' | 'each';
  readonly #failed: (error: Error) => void;
  readonly #sync: Sync;
  /** Written since the batch that is under way began. */
  #written = new Set<number>();
  #waiting: (() => void)[] = [];
  #state: 'idle' | 'planned' | 'under way' | 'failed' = 'idle';

  constructor(mode: 'batch' | 'each', failed: (error: Error) => void, sync: Sync) {
    this.mode = mode;
    this.#failed = failed;
    this.#sync = sync;
  }

  wrote(file: number): void {
    this.#written.add(file);
    if (this.mode === 'batch' && this.#state === 'idle') {
      this.#state = 'planned';
      setTimeout(() => this.#begin(), BATCH_MS).unref();
    }
  }

  closes(file: number): void {
    this.#written.delete(file);
  }

  whenSafe(then: () => void): 'now' | 'later' {
    if (this.mode === 'batch') return 'now';
    if (this.#state === 'idle' && this.#written.size === 0) return 'now';
    this.#waiting.push(then);
    if (this.#state === 'idle') this.#begin();
    return 'later';
  }

  syncNow(): 'safe' {
    for (const file of this.#written) fdatasyncSync(file);
    this.#written.clear();
    return 'safe';
  }

  #begin(): void {
    const files = [...this.#written];
    const waiting = this.#waiting;
    this.#written = new Set();
    this.#waiting = [];
    this.#state = 'under way';
    let left = files.length;
    const done = (error: Error | null): void => {
      if (this.#state === 'failed') return;
      // A file that was closed meanwhile was synced as it was.
      if (error !== null && (error as NodeJS.ErrnoException).code !== 'EBADF') {
        this.#state = 'failed';
        this.#failed(error);
        return;
      }
      left -= 1;
      if (left <= 0) this.#done(waiting);
    };
    if (files.length === 0) this.#done(waiting);
    for (const file of files) this.#sync(file, done);
  }

  #done(waiting: readonly (() => void)[]): void {
    this.#state = 'idle';
    for (const then of waiting) then();
    if (this.#state !== 'idle') return;
    if (this.#waiting.length > 0) this.#begin();
    else if (this.mode === 'batch' && this.#written.size > 0) {
      this.#state = 'planned';
      setTimeout(() => this.#begin(), BATCH_MS).unref();
    }
  }
}
