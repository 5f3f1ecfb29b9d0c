/**
 * A machine with its inbox and its recording. Takes one event at a time: a sink that leads to another event finds
 * it queued, not nested. Knows no actors; see lab.ts.
 */
import type { Event } from '../abi/event.ts';
import type { LabLine } from '../journal/lab-lines.ts';
import type { FrameNote, Recorder } from '../journal/recorder.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { TaskList } from '../machine/task-list.ts';
import type { Machine, MachineFactory, MachineView } from './machine-port.ts';

export interface MachineHostOptions {
  readonly factory: MachineFactory;
  readonly config: MachineConfig;
  /** Of the first machine; 0 but for a lab that is restored. */
  readonly generation: number;
  /** Opens a recording for each machine; 'none' records nothing. */
  readonly record: ((config: MachineConfig, generation: number) => Recorder) | 'none';
  /** 'restored': the first machine begins without a recording, until continueWith(). */
  readonly begins: 'new' | 'restored';
  /** `generation` counts the machines of this host from 0. */
  readonly outbound: (outbound: Outbound, generation: number) => void;
  readonly event: (event: Event) => void;
  /** The machine has thrown, and takes no more. */
  readonly onBug: (bug: unknown) => void;
}

export class MachineHost {
  readonly #options: MachineHostOptions;
  readonly #inbox: { readonly inbound: Inbound; readonly note: FrameNote | undefined }[] = [];
  #config: MachineConfig;
  #machine: Machine;
  #recorder: Recorder | 'none';
  #generation: number;
  #state: 'open' | 'accepting' | 'closed' = 'open';

  /** Throws: UnknownPatch, and what the recording's file throws. */
  constructor(options: MachineHostOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#generation = options.generation;
    this.#machine = this.#newMachine(options.config, options.generation);
    this.#recorder =
      options.begins === 'new' ? this.#openRecorder(options.config, options.generation) : 'none';
  }

  get config(): MachineConfig {
    return this.#config;
  }

  get generation(): number {
    return this.#generation;
  }

  get state(): 'open' | 'closed' {
    return this.#state === 'closed' ? 'closed' : 'open';
  }

  view(): MachineView {
    return this.#machine.view();
  }

  stallers(): readonly ActorName[] {
    return this.#machine.stallers();
  }

  tasks(): TaskList {
    return this.#machine.tasks();
  }

  eventsAfter(n: number): readonly Event[] | 'too-old' {
    return this.#machine.eventsAfter(n);
  }

  /** A short name for the state of the machine. */
  digest(): string {
    return this.#machine.digest();
  }

  /** Writes down what the machine does not take. */
  note(line: LabLine): void {
    if (this.#recorder === 'none') return;
    try {
      this.#recorder.lab(line);
    } catch (bug) {
      this.#state = 'closed';
      this.#options.onBug(bug);
    }
  }

  /** The machine is where an earlier one was; what it takes from now on is written to `recorder`. */
  continueWith(recorder: Recorder | 'none'): void {
    this.#recorder = recorder;
  }

  /** As accept(), of what was recorded. Throws what the machine throws. */
  replay(inbound: Inbound): void {
    this.#machine.accept(inbound);
  }

  accept(inbound: Inbound, note?: FrameNote): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'accepting') {
      this.#inbox.push({ inbound, note });
      return;
    }
    this.#state = 'accepting';
    try {
      this.#take(inbound, note);
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        this.#take(next.inbound, next.note);
      }
      this.#state = 'open';
    } catch (bug) {
      this.#state = 'closed';
      this.#options.onBug(bug);
    }
  }

  #take(inbound: Inbound, note: FrameNote | undefined): void {
    if (this.#recorder !== 'none') this.#recorder.inbound(inbound, note);
    this.#machine.accept(inbound);
    if (this.#recorder !== 'none') this.#recorder.settled();
  }

  /**
   * Goes on with another machine. What the old one still says reaches nobody.
   *
   * Returns: what ends the recording of the old one, to be called when the new one counts.
   * Throws: UnknownPatch, and what the recording's file throws; then nothing has changed.
   */
  renew(config: MachineConfig): () => void {
    const machine = this.#newMachine(config, this.#generation + 1);
    const recorder = this.#openRecorder(config, this.#generation + 1);
    const [oldMachine, oldRecorder] = [this.#machine, this.#recorder];
    this.#generation += 1;
    this.#inbox.length = 0;
    this.#config = config;
    this.#machine = machine;
    this.#recorder = recorder;
    return () => {
      if (oldRecorder !== 'none') oldRecorder.close(oldMachine.digest());
    };
  }

  close(): void {
    this.#state = 'closed';
    this.#endRecording();
  }

  #newMachine(config: MachineConfig, generation: number): Machine {
    return this.#options.factory(config, {
      outbound: (outbound) => {
        if (generation === this.#generation) this.#options.outbound(outbound, generation);
      },
      event: (event) => {
        if (generation !== this.#generation) return;
        if (this.#recorder !== 'none') this.#recorder.event(event);
        this.#options.event(event);
      },
    });
  }

  #openRecorder(config: MachineConfig, generation: number): Recorder | 'none' {
    const { record } = this.#options;
    return record === 'none' ? 'none' : record(config, generation);
  }

  #endRecording(): void {
    const recorder = this.#recorder;
    this.#recorder = 'none';
    if (recorder === 'none') return;
    try {
      recorder.close(this.#machine.digest());
    } catch {
      // A full disk must not keep a lab from closing. A reader of the recording sees that it has no end.
    }
  }
}
