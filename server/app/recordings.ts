/** The recordings of a server: one for each machine and, of labs that are kept, what a later server has to know. */
import { basename } from 'node:path';
import type { KeptRecorder } from '../journal/kept-recorder.ts';
import { JournalError } from '../journal/read-journal.ts';
import type { RecordingStore } from '../journal/recording-store.ts';
import { MissingPart } from '../journal/whole-lines.ts';
import type { Lab } from '../live/lab.ts';
import { NOT_RECORDED, type TooFar } from '../live/lab-past.ts';
import type { Stay } from '../live/labs.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Inbound } from '../machine/remote/inbound.ts';

/** Entries that are read between two turns of the event loop. */
const ENTRIES_PER_TURN = 256;

export interface RecordingsOptions {
  readonly store: RecordingStore;
  /** Whether a later server opens the labs again. */
  readonly labs: 'kept' | 'forgotten';
}

export class Recordings {
  /** Where they are, one for each machine, oldest first. */
  readonly paths: string[] = [];
  readonly #options: RecordingsOptions;
  /** The recording of each lab that counts. */
  readonly #current = new Map<string, KeptRecorder>();
  readonly #stays = new Map<string, Stay>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** A recording for a machine that begins. Throws as its storage does. */
  record(lab: string, config: MachineConfig, generation: number): KeptRecorder {
    const recorder = this.#options.store.begin(lab, config, generation);
    this.#current.set(lab, recorder);
    this.paths.push(recorder.path);
    return recorder;
  }

  /** A lab of an earlier server goes on in the recording that it had. */
  goesOn(lab: Lab, stay: Stay, recorder: KeptRecorder): void {
    this.#current.set(lab.name, recorder);
    this.#stays.set(lab.name, stay);
    this.paths.push(recorder.path);
  }

  /** The recording of the lab that counts. */
  recorderOf({ name }: Lab): KeptRecorder | 'none' {
    return this.#current.get(name) ?? 'none';
  }

  /** The first `count` events that the machine of the lab took in. Rejects: JournalError, and as a file system does. */
  async entriesOf(lab: Lab, count: number): Promise<readonly Inbound[] | TooFar> {
    const recorder = this.recorderOf(lab);
    if (recorder === 'none') return NOT_RECORDED;
    const entries: Inbound[] = [];
    try {
      for (const line of await this.#options.store.lines(lab.name, recorder.path)) {
        if (line.kind !== 'entry') continue;
        entries.push(line.inbound);
        if (entries.length === count) break;
        // Between slices the server does what else there is.
        if (entries.length % ENTRIES_PER_TURN === 0) await new Promise(setImmediate);
      }
    } catch (error) {
      if (!(error instanceof JournalError && error.cause instanceof MissingPart)) throw error;
      return { tooFar: 'the beginning of its recording was removed (serve --keep)' };
    }
    if (entries.length < count) return { tooFar: 'its recording was cut short' };
    return entries;
  }

  opened(lab: Lab, stay: Stay): void {
    this.#stays.set(lab.name, stay);
    this.#keep(lab, stay);
  }

  /** The recording of its new machine is the one that counts. */
  renewed(lab: Lab): void {
    this.#keep(lab, this.#stays.get(lab.name) ?? 'kept');
  }

  over({ name }: Lab): void {
    if (this.#options.labs === 'kept') this.#options.store.remove(name);
    this.#current.delete(name);
    this.#stays.delete(name);
  }

  close(): void {
    this.#options.store.close();
  }

  #keep(lab: Lab, stay: Stay): void {
    const recorder = this.#current.get(lab.name);
    if (this.#options.labs === 'forgotten' || recorder === undefined) return;
    // What it names has to be there whenever it is.
    recorder.sync();
    const { name, joinCode, presenter, scene } = lab;
    const begun = { ...scene, seats: [...scene.seats], todo: [...scene.todo] };
    const journal = basename(recorder.path);
    const { token: presenterToken } = presenter;
    this.#options.store.keep({ name, joinCode, presenterToken, stay, ...begun, journal });
  }
}
