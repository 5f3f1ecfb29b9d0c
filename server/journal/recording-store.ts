/** Where a server keeps recordings and labs, so that another one goes on with them: a folder, or elsewhere. */
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Checkpoint, Unusable } from './checkpoint.ts';
import type { Checkpointed, KeptRecorder, KeptSoFar } from './kept-recorder.ts';
import type { KeptLab } from './lab-file.ts';
import type { JournalLine, JournalPosition } from './read-journal.ts';

export interface RecordingStore {
  /** Begins the recording of a machine. Throws as the storage does. */
  begin(lab: string, config: MachineConfig, generation: number): KeptRecorder;
  /** The lab is opened again by a later server, from the recording that it names. Throws as the storage does. */
  keep(lab: KeptLab): void;
  /** The lines of the recording at `path`, so far. Rejects: JournalError, and as the storage does. */
  lines(lab: string, path: string): Promise<IteratorObject<JournalLine>>;
  /** The lab is over: no server opens it again. */
  remove(lab: string): void;
  close(): void;
}

/** A lab that was kept, and the recording that counts. */
export interface StoredLab {
  readonly kept: KeptLab;
  readonly recording: StoredRecording;
}

export interface UnusableCheckpoint extends Unusable {
  readonly name: string;
}

export interface StoredRecording {
  /** For messages. */
  readonly path: string;
  /** The header first. Throws: JournalError, and as the storage does. */
  lines(): IteratorObject<JournalLine>;
  /** As lines(), without the header. */
  linesBehind(position: JournalPosition): IteratorObject<JournalLine>;
  /** From where the lab can be led to where it was, the shortest way first; each is read when it is its turn. */
  ways(): Iterable<Checkpoint | UnusableCheckpoint | 'beginning'>;
  /** What is recorded from now on stands behind `soFar`. Throws as the storage does. */
  goOn(soFar: KeptSoFar, checkpointed?: Checkpointed): KeptRecorder;
}
