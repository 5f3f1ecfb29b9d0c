/** The folder of recordings of a server: a file for each machine and, if its labs are kept, one for each lab. */
import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { Durability } from '../journal/durability.ts';
import { type FileRecorder, fileRecorder, type Keep } from '../journal/file-recorder.ts';
import { type FolderLock, lockFolder } from '../journal/folder-lock.ts';
import type { JournalHeader } from '../journal/journal-format.ts';
import { removeLabFile, writeLabFile } from '../journal/lab-file.ts';
import type { Lab } from '../live/lab.ts';
import type { Stay } from '../live/labs.ts';
import type { MachineConfig } from '../machine/machine-config.ts';

export interface RecordingsOptions {
  readonly directory: string;
  readonly model: JournalHeader['model'];
  readonly durability: Durability;
  readonly keep: Keep;
  /** Whether a later server opens the labs again. */
  readonly labs: 'kept' | 'forgotten';
}

export class Recordings {
  /** The files, one for each machine, oldest first. */
  readonly paths: string[] = [];
  readonly #options: RecordingsOptions;
  readonly #lock: FolderLock;
  readonly #began = new Date().toISOString().replaceAll(/[:.]/g, '-').replace('Z', '');
  /** The recording of each lab that counts. */
  readonly #current = new Map<string, FileRecorder>();
  readonly #stays = new Map<string, Stay>();
  #stamps = 0;

  /** Throws: FolderTaken; what the file system throws. */
  constructor(options: RecordingsOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
    this.#lock = lockFolder(options.directory);
  }

  /** A file for a machine that begins. Throws what the file system throws. */
  record(lab: string, config: MachineConfig, generation: number): FileRecorder {
    const { directory, model, durability, keep } = this.#options;
    this.#stamps += 1;
    const stamp = `${this.#began}-${process.pid}-${this.#stamps}`;
    const options = { directory, model, stamp, durability, keep };
    const recorder = fileRecorder(options, lab, config, generation);
    this.#current.set(lab, recorder);
    this.paths.push(recorder.path);
    return recorder;
  }

  /** A lab of an earlier server goes on in the file that it had. */
  goesOn(lab: Lab, stay: Stay, recorder: FileRecorder): void {
    this.#current.set(lab.name, recorder);
    this.#stays.set(lab.name, stay);
    this.paths.push(recorder.path);
  }

  /** The recording of the lab that counts. */
  recorderOf({ name }: Lab): FileRecorder | 'none' {
    return this.#current.get(name) ?? 'none';
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
    if (this.#options.labs === 'kept') removeLabFile(this.#options.directory, name);
    this.#current.delete(name);
    this.#stays.delete(name);
  }

  close(): void {
    this.#lock.release();
  }

  #keep(lab: Lab, stay: Stay): void {
    const recorder = this.#current.get(lab.name);
    if (this.#options.labs === 'forgotten' || recorder === undefined) return;
    // What the file names has to be there whenever the file is.
    recorder.sync();
    const { name, joinCode, presenter, scene } = lab;
    const begun = { ...scene, seats: [...scene.seats], todo: [...scene.todo] };
    const journal = basename(recorder.path);
    const { token: presenterToken } = presenter;
    writeLabFile(this.#options.directory, {
      name,
      joinCode,
      presenterToken,
      stay,
      ...begun,
      journal,
    });
  }
}
