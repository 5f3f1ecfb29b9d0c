/**
 * A machine with its inbox and its recording. Takes one event at a time: a sink that leads to another event finds
 * it queued, not nested. Knows no actors; see lab.ts.
 */

import type { Event } from '../abi/event.ts';
import type { Recorder } from '../journal/recorder.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { TaskList } from '../machine/task-list.ts';
import type { Machine, MachineFactory, MachineView } from './machine-port.ts';

export interface MachineHostOptions {
  readonly factory: MachineFactory;
  readonly config: MachineConfig;
  /** Opens a recording for each machine; 'none' records nothing. */
  readonly record: ((config: MachineConfig) => Recorder) | 'none';
  /** `generation` counts the machines of this host from 0. */
  readonly outbound: (outbound: Outbound, generation: number) => void;
  readonly event: (event: Event) => void;
  /** The machine has thrown, and takes no more. */
  readonly onBug: (bug: unknown) => void;
}

export class MachineHost {
  readonly #options: MachineHostOptions;
  readonly #inbox: Inbound[] = [];
  #config: MachineConfig;
  #machine: Machine;
  #recorder: Recorder | 'none';
  #generation = 0;
  #state: 'open' | 'accepting' | 'closed' = 'open';

  /** Throws: UnknownPatch, and what the recording's file throws. */
  constructor(options: MachineHostOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#machine = this.#newMachine(options.config, 0);
    this.#recorder = this.#openRecorder(options.config);
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

  accept(inbound: Inbound): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'accepting') {
      this.#inbox.push(inbound);
      return;
    }
    this.#state = 'accepting';
    try {
      this.#take(inbound);
      while (this.#inbox.length > 0) this.#take(this.#inbox.shift() as Inbound);
      this.#state = 'open';
    } catch (bug) {
      this.#state = 'closed';
      this.#options.onBug(bug);
    }
  }

  #take(inbound: Inbound): void {
    if (this.#recorder !== 'none') this.#recorder.inbound(inbound);
    this.#machine.accept(inbound);
    if (this.#recorder !== 'none') this.#recorder.settled();
  }

  /**
   * Goes on with another machine. What the old one still says reaches nobody.
   *
   * Throws: UnknownPatch, and what the recording's file throws; then nothing has changed.
   */
  renew(config: MachineConfig): void {
    const machine = this.#newMachine(config, this.#generation + 1);
    const recorder = this.#openRecorder(config);
    this.#endRecording();
    this.#generation += 1;
    this.#inbox.length = 0;
    this.#config = config;
    this.#machine = machine;
    this.#recorder = recorder;
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

  #openRecorder(config: MachineConfig): Recorder | 'none' {
    const { record } = this.#options;
    return record === 'none' ? 'none' : record(config);
  }

  #endRecording(): void {
    const recorder = this.#recorder;
    this.#recorder = 'none';
    if (recorder === 'none') return;
    try {
      recorder.close(this.#machine.digest());
    } catch (error) {
      // A full disk must not keep a lab from closing. Whoever reads the recording sees that it has no end.
      if (this.#state !== 'closed') throw error;
    }
  }
}
