/** Restores labs: those of a folder as the server begins, one again that has failed, one of another server. */
import type { StoredLab } from '../journal/recording-store.ts';
import { type Found, findLab, type RestoreOptions, restoreLabs } from './restore-labs.ts';

export class Restoring {
  readonly #options: RestoreOptions;
  #found: Found[] = [];
  #state: 'on' | 'stopped' = 'on';
  /** One lab after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: Omit<RestoreOptions, 'stopped'>) {
    this.#options = { ...options, stopped: () => this.#state === 'stopped' };
  }

  /** The lab is there under its name. `read` throws: JournalError for what is not that lab; as the storage does. */
  find(name: string, read: () => StoredLab): void {
    this.#found.push(...findLab(this.#options, name, read));
  }

  /** Resolves when those that were found are where they were, or damaged. */
  lead(): Promise<void> {
    const found = this.#found;
    this.#found = [];
    this.#work = this.#work.then(() => restoreLabs(this.#options, found));
    return this.#work;
  }

  /** As find() and lead(), of one lab. */
  again(name: string, read: () => StoredLab): void {
    if (this.#state === 'stopped') return;
    this.find(name, read);
    this.#work = this.lead();
  }

  stop(): void {
    this.#state = 'stopped';
  }
}
