/**
 * A machine with its inbox and its recording. Takes one event at a time: a sink that leads to another event finds
 * it queued, not nested. What takes many steps goes on in the next turn of the event loop, after the other labs have
 * had theirs; what comes meanwhile waits, and is written down when its turn comes. Knows no actors; see lab.ts.
 */
import type { Event } from '../abi/event.ts';
import type { LabLine } from '../journal/lab-lines.ts';
import type { FrameNote, Recorder } from '../journal/recorder.ts';
import type { Reached } from '../machine/functions-called.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { TaskList } from '../machine/task-list.ts';
import { type StepBudget, WITHOUT_END } from '../scheduler/step-budget.ts';
import { guarded } from './guarded.ts';
import { LabPast, type PastMoment } from './lab-past.ts';
import type { Machine, MachineFactory, MachineView, RestingMachine } from './machine-port.ts';

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
  /** It was busy, and is not any more. */
  readonly idle: () => void;
  /** The machine has thrown, and takes no more. */
  readonly onBug: (bug: unknown) => void;
}

const NOTHING_REACHED: Reached = { functions: [], pairs: {}, counts: { points: 0, pairs: 0 } };

/** Steps that one machine takes in one turn of the event loop; at about a microsecond each. */
export const STEPS_PER_TURN = 8_192;
/** A frame to a client is written out, kept and sent: that is as long as so many steps. */
const STEPS_PER_FRAME = 16;
/** The same of an event: it is written out, digested and shown. */
const STEPS_PER_EVENT = 4;

type Waiting =
  | { readonly inbound: Inbound; readonly note: FrameNote | undefined }
  | { readonly line: LabLine };

export class MachineHost {
  readonly #options: MachineHostOptions;
  readonly #inbox: Waiting[] = [];
  #config: MachineConfig;
  #machine: Machine;
  #recorder: Recorder | 'none';
  #past = new LabPast();
  /** The number of the last event. */
  #events = 0;
  #generation: number;
  /** 'unknown': the machine stands in the middle of something. */
  #end: 'known' | 'unknown' = 'known';
  /** 'busy': the steps of this turn are used up. */
  #state: 'open' | 'accepting' | 'busy' | 'closed' = 'open';
  readonly #budget: StepBudget = { left: STEPS_PER_TURN };
  #refill: 'coming' | 'none' = 'none';

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

  reached(): Reached {
    return this.#machine.reached?.() ?? NOTHING_REACHED;
  }

  stallers(): readonly ActorName[] {
    return this.#machine.stallers();
  }

  tasks(): TaskList {
    return this.#machine.tasks();
  }

  knows(name: ActorName): boolean {
    return this.#machine.knows(name);
  }

  eventsAfter(n: number): readonly Event[] | 'too-old' {
    return this.#machine.eventsAfter(n);
  }

  /** What it took in so far. */
  get past(): LabPast {
    return this.#past;
  }

  /** Where it stands now. */
  get moment(): PastMoment {
    return this.#past.now(this.#events);
  }

  /** The number of the last event. */
  get events(): number {
    return this.#events;
  }

  /** A short name for the state of the machine. */
  digest(): string {
    return this.#machine.digest();
  }

  /** The machine, if it can be written down at this moment. */
  get atRest(): RestingMachine | 'no' {
    const { resting } = this.#machine;
    if (this.#state !== 'open' || this.#inbox.length > 0) return 'no';
    return resting?.atRest === true ? resting : 'no';
  }

  /** What a checkpoint needs; 'none' if this kind of machine knows none. */
  get resting(): RestingMachine | 'none' {
    return this.#machine.resting ?? 'none';
  }

  /** Writes down what the machine does not take. */
  note(line: LabLine): void {
    if (this.#state === 'busy') this.#inbox.push({ line });
    else if (this.#recorder !== 'none') this.#ending(() => this.#write(line));
  }

  /** The machine is where an earlier one was; what it takes from now on is written to `recorder`. */
  continueWith(recorder: Recorder | 'none'): void {
    this.#recorder = recorder;
    // What led there was no work of this turn.
    this.#budget.left = STEPS_PER_TURN;
  }

  /** The machine is in the middle of what was recorded, and takes what comes behind `moment`. */
  beginAt(moment: PastMoment): void {
    this.#past = new LabPast(moment);
    this.#events = moment.events;
  }

  /** As accept(), of what was recorded. Throws what the machine throws. */
  replay(inbound: Inbound): void {
    this.#past.took(inbound, this.#events);
    this.#machine.accept(inbound);
  }

  /** Whether what it has taken in needs more than one turn of the event loop. */
  get busy(): boolean {
    return this.#state === 'busy';
  }

  accept(inbound: Inbound, note?: FrameNote): void {
    if (this.#state === 'closed') return;
    this.#inbox.push({ inbound, note });
    if (this.#state === 'open') this.#work();
  }

  /** What `act` leads to is done in this turn, however much it is: for what a lab begins with. */
  inOneTurn(act: () => void): void {
    this.#budget.left = Number.POSITIVE_INFINITY;
    act();
    this.#budget.left = STEPS_PER_TURN;
  }

  /** Takes what waits, as far as the steps of this turn go. */
  #work(): void {
    this.#state = 'accepting';
    this.#ending(() => {
      const state = this.#workThisTurn();
      // A sink may have led to the end of the lab.
      if (this.state === 'open') this.#state = state;
    });
  }

  #workThisTurn(): 'open' | 'busy' {
    for (;;) {
      if (this.#machine.busy) this.#machine.goOn(this.#budget);
      else {
        // The first is taken though no steps are left: who sent it may be told at once that it has arrived.
        const next = this.#inbox.shift();
        if (next === undefined) return 'open';
        if ('line' in next) {
          this.#write(next.line);
          continue;
        }
        this.#take(next.inbound, next.note);
      }
      if (!this.#machine.busy && this.#recorder !== 'none') this.#recorder.settled();
      this.#refillLater();
      const more = this.#machine.busy || this.#inbox.length > 0;
      if (more && this.#budget.left <= 0) return 'busy';
    }
  }

  /** An event that leads to no step is counted as one. */
  #take(inbound: Inbound, note: FrameNote | undefined): void {
    this.#budget.left -= 1;
    this.#past.took(inbound, this.#events);
    if (this.#recorder !== 'none') this.#recorder.inbound(inbound, note);
    this.#machine.accept(inbound, this.#budget);
  }

  #write(line: LabLine): void {
    if (this.#recorder !== 'none') this.#recorder.lab(line);
  }

  /** What `act` throws is the end of the machine. */
  #ending(act: () => void): void {
    guarded(act, (bug) => {
      this.#state = 'closed';
      this.#end = 'unknown';
      this.#options.onBug(bug);
    });
  }

  /** The steps of a turn are there again in the next one. */
  #refillLater(): void {
    if (this.#refill === 'coming' || this.#budget.left > STEPS_PER_TURN / 2) return;
    this.#refill = 'coming';
    setImmediate(() => {
      this.#refill = 'none';
      this.#budget.left = STEPS_PER_TURN;
      if (this.#state !== 'busy') return;
      this.#work();
      if (!this.busy) guarded(this.#options.idle, this.#options.onBug);
    });
  }

  /** Does at once what is left of the last event: a recording ends in the state in which its replay ends. */
  #finish(): void {
    if (this.#state !== 'busy') return;
    this.#machine.goOn({ ...WITHOUT_END });
    this.#state = 'open';
  }

  /**
   * Goes on with another machine. What the old one still says is dropped.
   *
   * Returns: what ends the recording of the old one, to be called when the new one counts.
   * Throws: UnknownPatch, and what the recording's file throws; then nothing has changed.
   */
  renew(config: MachineConfig): () => void {
    const machine = this.#newMachine(config, this.#generation + 1);
    const recorder = this.#openRecorder(config, this.#generation + 1);
    this.#finish();
    const [oldMachine, oldRecorder] = [this.#machine, this.#recorder];
    this.#generation += 1;
    this.#inbox.length = 0;
    this.#config = config;
    this.#machine = machine;
    this.#recorder = recorder;
    this.#past = new LabPast();
    this.#events = 0;
    return () => {
      if (oldRecorder !== 'none') oldRecorder.close(oldMachine.digest());
    };
  }

  close(): void {
    this.#ending(() => this.#finish());
    this.#state = 'closed';
    this.#endRecording();
  }

  #newMachine(config: MachineConfig, generation: number): Machine {
    return this.#options.factory(config, {
      outbound: (outbound) => {
        if (generation !== this.#generation) return;
        this.#budget.left -= STEPS_PER_FRAME;
        this.#past.sent(outbound);
        this.#options.outbound(outbound, generation);
      },
      event: (event) => {
        if (generation !== this.#generation) return;
        this.#budget.left -= STEPS_PER_EVENT;
        this.#events = event.n;
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
      recorder.close(this.#end === 'unknown' ? 'unknown' : this.#machine.digest());
    } catch {
      // A full disk must not keep a lab from closing. A reader of the recording sees that it has no end.
    }
  }
}
