/** Restores the labs of a folder: once as the server begins, and a lab again that has failed. */
import type { JournalHeader } from '../journal/journal-format.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import type { ServerConfig } from './config.ts';
import type { Recordings } from './recordings.ts';
import { type Found, findLab, findLabs, type RestoreOptions, restoreLabs } from './restore-labs.ts';

export interface RestoringOptions
  extends Pick<RestoreOptions, 'newLink' | 'onRestored' | 'onUnusable' | 'durability' | 'keep'> {
  readonly config: ServerConfig;
  readonly model: JournalHeader['model'];
  readonly labs: Labs;
  readonly recordings: Recordings | 'none';
}

export class Restoring {
  readonly #options: RestoreOptions | 'nothing';
  #found: Found[] = [];
  #state: 'on' | 'stopped' = 'on';
  /** One lab after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor({ config, recordings, ...options }: RestoringOptions) {
    const { recordTo: directory, restore } = config;
    this.#options =
      restore === 'new' || recordings === 'none'
        ? 'nothing'
        : {
            ...options,
            directory,
            goesOn: (lab, stay, recorder) => recordings.goesOn(lab, stay, recorder),
            stopped: () => this.#state === 'stopped',
          };
  }

  /** The labs are there under their names. Throws what the file system throws. */
  find(): void {
    if (this.#options !== 'nothing') this.#found = findLabs(this.#options);
  }

  /** Resolves when they are where they were, or damaged. */
  lead(): Promise<void> {
    const found = this.#found;
    this.#found = [];
    const options = this.#options;
    if (options === 'nothing') return this.#work;
    this.#work = this.#work.then(() => restoreLabs(options, found));
    return this.#work;
  }

  again({ name }: Lab): void {
    if (this.#options === 'nothing' || this.#state === 'stopped') return;
    this.#found.push(...findLab(this.#options, name));
    this.#work = this.lead();
  }

  stop(): void {
    this.#state = 'stopped';
  }
}
