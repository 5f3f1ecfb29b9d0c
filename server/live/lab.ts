/**
 * One lab: a machine in real time. Takes what clients send, one event after the other, hands out what the machine
 * says, keeps leases, and shows the event log to observers.
 *
 * Has the clock only as the argument of tick(): between two ticks time stands still.
 */

import type { Event } from '../abi/event.ts';
import { FIRST_KERNEL } from '../abi/kernel-ids.ts';
import type { Checkpoint } from '../journal/checkpoint.ts';
import type { SessionKey } from '../journal/journal-format.ts';
import type { LabLine } from '../journal/lab-lines.ts';
import type { FrameNote, Recorder } from '../journal/recorder.ts';
import type { Reached } from '../machine/functions-called.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { ActorName, ActorRole, Inbound, Outbound } from '../machine/remote/inbound.ts';
import { REFUSED, type RefusedParams } from '../machine/remote/remote-device-inbound.ts';
import { type ListedTask, waitedFor } from '../machine/task-list.ts';
import type { ClientMoment } from '../protocol/client-moment.ts';
import type { CloseReason } from '../protocol/close-codes.ts';
import type { RequestId } from '../protocol/envelope.ts';
import { type LabControl, TASKS_SHOWN_MAX, type TaskEntry } from '../protocol/lab-control.ts';
import type { LabSnapshot } from '../protocol/lab-snapshot.ts';
import { ACTORS_MAX } from '../protocol/limits.ts';
import { type Refusal, refuse } from '../protocol/refusal.ts';
import {
  type ConductorQuestion,
  KERNEL_QUESTIONS,
  type QuestionResults,
} from '../protocol/server-questions.ts';
import { Ballot } from './ballot.ts';
import { Conductor, type Performed, type Verb } from './conductor.ts';
import { ControlFeed } from './control-feed.ts';
import { Director } from './director.ts';
import { Drive } from './drive.ts';
import { EventFeed, type Observer } from './event-feed.ts';
import { guarded } from './guarded.ts';
import {
  type ActorLink,
  type LabActor,
  type Millis,
  newLabActor,
  questionAnswered,
  savedActor,
  voidQuestions,
} from './lab-actor.ts';
import { LabClock } from './lab-clock.ts';
import type { LabInit } from './lab-init.ts';
import {
  attachedBy,
  type ClientNow,
  type LedBack,
  LONG_AGO,
  type MomentsKnown,
  modeBehind,
  NO_WAY_BACK,
  NOT_RECORDED,
  type PastMoment,
  RETAKEN_MAX,
  TOO_LONG,
  type TooFar,
  wayBack,
  wayOf,
  whereWent,
} from './lab-past.ts';
import { LabReplay, type NewRestoredLink } from './lab-replay.ts';
import { overdue } from './leases.ts';
import { MachineHost } from './machine-host.ts';
import type { MachineFactory } from './machine-port.ts';
import { Performances } from './performances.ts';
import { Presenter } from './presenter.ts';
import type { Scene } from './scene.ts';
import { isStorageFailure } from './storage-failure.ts';

/** The machine's running numbers end below this; a lab's machines count in blocks of it on the wire. */
const QUESTIONS_PER_MACHINE = 2 ** 32;

/** What names are numbered behind that a lab gives. */
const NUMBERED: { readonly [Role in ActorRole]: string } = { device: 'dev', cpu: 'cpu' };

const STARTED_AGAIN = 'The server was started again in the middle of it.';
const TAKEN_BACK = 'It was taken back by hand.';

export interface LabOptions {
  readonly name: string;
  /** By which people join. */
  readonly joinCode: string;
  readonly beginning: LabInit;
  readonly factory: MachineFactory;
  readonly config: MachineConfig;
  /** Milliseconds that a question of the kernel's may stay without an answer. */
  readonly leaseMs: number;
  /** Opens a recording for each machine of the lab; 'none' records nothing. */
  readonly record: ((lab: string, config: MachineConfig, generation: number) => Recorder) | 'none';
  /** Reads the first `count` events that the lab's machine took in from its recording. Rejects as files do. */
  readonly recorded?: (lab: Lab, count: number) => Promise<readonly Inbound[] | TooFar>;
  /** Why labs stand still at this moment; 'none' if they go. They go, unless said. */
  readonly stalled?: () => string | 'none';
  /** The lab has another machine now, and its recording is the one that counts. */
  readonly renewed?: (lab: Lab) => void;
  /** Something of the lab has thrown: its machine, its recording. The lab is closed already. */
  readonly onBug: (lab: string, bug: unknown) => void;
}

/** A checkpoint, but for where in which recording it stands. */
export interface LabCheckpoint
  extends Pick<
    Checkpoint,
    'generation' | 'state' | 'control' | 'sessions' | 'moments' | 'machine'
  > {
  readonly roles: Checkpoint['position']['roles'];
}

/** 'damaged': what it was is lost, or cannot be known here; it can be looked at and deleted, and that is all. */
export type Standing =
  | { readonly state: 'open' }
  | { readonly state: 'restoring' }
  | { readonly state: 'damaged'; readonly why: string };

export class Lab {
  readonly name: string;
  readonly joinCode: string;
  readonly scene: Scene;
  readonly presenter: Presenter;
  readonly drive: Drive;
  /** Of a run sheet whose cues lie inside of calls. */
  readonly director: Director | 'none';
  readonly feed: EventFeed;
  readonly performances = new Performances();
  readonly ballot = new Ballot();
  readonly actors = new Map<ActorName, LabActor>();
  /** Roles of the run sheet that the presenter has given to an actor. */
  readonly cast = new Map<string, string>();
  shows: 'race' | 'code' = 'race';
  /** What the presenter calls actors. */
  readonly #labels = new Map<ActorName, string>();
  readonly #options: LabOptions;
  readonly #conductor = new Conductor();
  readonly #host: MachineHost;
  readonly #clock = new LabClock();
  #scene: 'being set' | 'set' = 'set';
  #failed = false;
  #standing: Standing;
  #replay: LabReplay | 'none' = 'none';
  /** The last control line that was written. */
  #controlNoted = '';
  readonly #control: ControlFeed;
  /** What waits until the machine is not busy, in order. */
  readonly #later: (() => void)[] = [];
  readonly #stopped = new Set<Pick<ActorLink, 'flow'>>();
  readonly #hushed = new Set<ActorLink>();

  constructor(options: LabOptions) {
    const { name, factory, config, record } = options;
    const { begins, generation } = options.beginning;
    this.name = name;
    this.joinCode = options.joinCode;
    this.scene = options.beginning.scene;
    this.presenter = new Presenter(options.beginning.presenterToken);
    this.#options = options;
    const onThrow = (bug: unknown) => this.fail(bug);
    this.feed = new EventFeed(() => this.snapshot(), onThrow);
    this.#host = new MachineHost({
      factory,
      config,
      generation,
      begins,
      record: record === 'none' ? 'none' : (machine, number) => record(name, machine, number),
      outbound: (outbound, generation) => this.#deliver(outbound, generation),
      event: (event) => {
        this.feed.push(event);
        if (event.kind === 'violation' && this.#scene === 'set') this.#broke(event.rule);
      },
      idle: () => this.#catchUp(),
      onBug: onThrow,
    });
    const driven = {
      accept: (inbound: Inbound) => this.#accept(inbound),
      tasks: () => this.#host.tasks(),
    };
    this.drive = new Drive(driven, onThrow);
    this.#control = new ControlFeed(
      () => this.controlSeen(),
      (text) => this.feed.sendControl('control', text),
      onThrow,
    );
    this.#standing = { state: begins === 'new' ? 'open' : 'restoring' };
    this.director = this.#newDirector();
    if (begins === 'new') {
      this.#setTheScene(this.scene.setup);
      if (this.director !== 'none') this.drive.pause();
    }
  }

  #newDirector(): Director | 'none' {
    const { sheet } = this.scene;
    if (sheet?.cues.every(({ led }) => led !== undefined) !== true) return 'none';
    return new Director(sheet, {
      tasks: () => (this.busy || this.state === 'closed' ? [] : this.#host.tasks()),
      step: (task) => this.drive.step(task),
      perform: (actor, verb) => this.perform(actor, verb),
      hold: (actor, after) => this.hold(actor, after),
      untilHeld: (actor, after) => this.untilHeld(actor, after),
      go: (actor) => this.go(actor),
      changed: () => this.#control.changed(),
    });
  }

  #broke(rule: string): void {
    if (this.director !== 'none') this.director.broke(rule);
  }

  get config(): MachineConfig {
    return this.#host.config;
  }

  /** Milliseconds that a question of the kernel's may stay without an answer. */
  get leaseMs(): Millis {
    return this.scene.leaseMs ?? this.#options.leaseMs;
  }

  /** Milliseconds after a lost connection during which a session can be resumed; 'as the server' if it says. */
  get graceMs(): Millis | 'as the server' {
    return this.scene.graceMs ?? 'as the server';
  }

  get state(): 'open' | 'closed' {
    return this.#host.state;
  }

  /** Whether an earlier server had it. */
  get begins(): LabInit['begins'] {
    return this.#options.beginning.begins;
  }

  /** Of the machines that it has had: the first is 0. */
  get generation(): number {
    return this.#host.generation;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Why no client may come in at this moment; 'none' if it may. */
  notOpen(): Refusal | 'none' {
    if (this.state === 'closed') return refuse('no-such-lab', 'params.lab', 'a lab that is open');
    switch (this.#standing.state) {
      case 'open':
        return 'none';
      case 'restoring':
        return refuse('restoring', 'params.lab', 'a lab that is restored');
      case 'damaged':
        return refuse('lab-damaged', 'params.lab', `a lab that is whole (${this.#standing.why})`);
    }
  }

  /** Leads a lab that `begins: 'restored'` to where it was. See restored() and damaged(). */
  restoring(newLink: NewRestoredLink): LabReplay {
    const { generation } = this.#host;
    const attachAnew = (actor: LabActor, went: 'back' | 'anew') => {
      if (generation === this.#host.generation) this.#attachAnew(actor, went);
    };
    this.#replay = new LabReplay(
      {
        host: this.#host,
        actors: this.actors,
        conductor: this.#conductor,
        drive: this.drive,
        presenter: this.presenter,
        setup: this.scene.setup,
        questionId: (id) => generation * QUESTIONS_PER_MACHINE + id,
        now: () => this.#clock.now,
        setTheScene: (setup) => this.#setTheScene(setup),
        unheard: (act) => this.#unheard(act),
        accept: (inbound) => this.#accept(inbound),
        attachAnew,
      },
      newLink,
    );
    return this.#replay;
  }

  /** The lab is where it was; what happens from now on is written to `recorder`. */
  restored(recorder: Recorder | 'none'): void {
    if (this.#replay !== 'none') {
      this.#replay.finish(recorder);
      this.#peopleWere(this.#replay.control);
    }
    this.#replay = 'none';
    if (this.director !== 'none' && this.actors.size > 0) this.director.lose(STARTED_AGAIN);
    const { resting } = this.#host;
    if (resting !== 'none') this.feed.goOnBehind(resting.events);
    this.#standing = { state: 'open' };
    this.#noteControl();
  }

  /** What a later server has to know to begin here; 'not at rest' while anything is under way. */
  checkpoint(): LabCheckpoint | 'not at rest' {
    const resting = this.#host.atRest;
    if (resting === 'no' || this.#standing.state !== 'open' || this.#later.length > 0) {
      return 'not at rest';
    }
    const actors = [...this.actors.values()];
    if (actors.some(({ state }) => state === 'resetting')) return 'not at rest';
    return {
      generation: this.#host.generation,
      roles: resting.roles(),
      state: this.#host.digest(),
      control: this.#controlKept(),
      sessions: actors.map(savedActor),
      moments: Object.fromEntries(this.#host.moment.clients),
      machine: resting.state(),
    };
  }

  /**
   * Clients that no task waits for begin nothing new until speakAgain(): so the lab comes to rest. Call it again while
   * it has not.
   */
  hush(): void {
    const { resting } = this.#host;
    if (resting === 'none') return;
    const engaged = new Set(resting.engaged());
    for (const { name, link } of this.actors.values()) {
      if (engaged.has(name)) this.#free(link);
      else if (!this.#hushed.has(link)) {
        this.#hushed.add(link);
        link.flow('stopped');
      }
    }
  }

  speakAgain(): void {
    for (const link of [...this.#hushed]) this.#free(link);
  }

  #free(link: ActorLink): void {
    if (this.#hushed.delete(link)) link.flow('free');
  }

  /** What it was is lost, or cannot be known here. */
  damaged(why: string): void {
    if (this.#replay !== 'none') this.#replay.giveUp();
    this.#replay = 'none';
    this.#host.continueWith('none');
    this.actors.clear();
    this.#standing = { state: 'damaged', why };
  }

  /** A name that a client of this role can have: of a part of the scenario that is free, else the next number. */
  freeName(role: ActorRole): ActorName {
    const isFree = (name: ActorName) => !(this.actors.has(name) || this.#host.knows(name));
    const { seats, sheet } = this.scene;
    const isPlayed = ({ name }: { readonly name: ActorName }) =>
      sheet?.cast.some(({ actor }) => actor === name) === true;
    // A thread that has set the scene waits for its player.
    const free = seats.filter(
      (one) =>
        one.role === role && (role === 'cpu' ? !this.actors.has(one.name) : isFree(one.name)),
    );
    const seat = free.find(isPlayed) ?? free[0];
    if (seat !== undefined) return seat.name;
    for (let number = 0; ; number += 1) {
      const name = `${NUMBERED[role]}${number}`;
      if (isFree(name) && !seats.some((one) => one.name === name)) return name;
    }
  }

  /** Lets a client act. `note` is its hello's. Returns why not, if not. */
  attach(name: ActorName, role: ActorRole, link: ActorLink, note?: FrameNote): LabActor | Refusal {
    const closed = this.notOpen();
    if (closed !== 'none') return closed;
    if (this.actors.has(name)) {
      return refuse('name-taken', 'params.name', `a name that no actor of ${this.name} has`);
    }
    if (this.actors.size >= ACTORS_MAX) {
      return refuse('lab-full', 'params.lab', `a lab with fewer than ${ACTORS_MAX} actors`);
    }
    const seat = this.scene.seats.find((one) => one.name === name);
    if (seat !== undefined && seat.role !== role) {
      return refuse('name-taken', 'params.name', `a name that is not the ${seat.role}'s`);
    }
    const actor = newLabActor(name, role, link, this.#clock.now);
    this.actors.set(name, actor);
    this.#accept({ kind: 'attach', actor: name, role }, note);
    return actor;
  }

  /** The session is over for good: what the actor held is given back, its private memory is lost. */
  leave(actor: LabActor): void {
    if (this.actors.get(actor.name) !== actor) return;
    this.actors.delete(actor.name);
    if (this.#labels.delete(actor.name)) this.#noteControl();
    this.ballot.gone(actor.name);
    this.note({ over: { actor: actor.name } });
    this.#conductor.gone(actor.name);
    if (actor.state !== 'resetting') this.#accept({ kind: 'detach', actor: actor.name });
  }

  /** The connection is lost; the lease of what it is asked runs on. */
  away(actor: LabActor): void {
    if (actor.state === 'attached') actor.state = 'away';
  }

  /**
   * The client came back with the key of epoch `shown`, and has this key now. Returns whether it was fenced meanwhile:
   * then it begins anew.
   */
  back(actor: LabActor, key: SessionKey, shown: number): 'attached' | 'fenced' {
    this.note({ resumed: { actor: actor.name, key, shown } });
    if (actor.state === 'away') actor.state = 'attached';
    actor.heardAt = this.#clock.now;
    if (!actor.fenced) return 'attached';
    actor.fenced = false;
    this.#accept({ kind: 'attach', actor: actor.name, role: actor.role });
    return 'fenced';
  }

  /** Takes a checked frame of `actor`: see gateway/receive.ts. `seq` is its number. */
  take(actor: LabActor, inbound: Extract<Inbound, { kind: 'request' | 'notify' }>, seq = 0): void {
    actor.heardAt = this.#clock.now;
    if (actor.state === 'resetting') {
      // Sent to a machine that is gone.
      this.note({ took: { actor: actor.name, seq } });
      if (inbound.kind === 'request') this.#refuseReset(actor, inbound.id);
    } else if (inbound.kind === 'request') {
      actor.requests.add(inbound.id);
      this.#accept(inbound, { seq });
    } else if (inbound.method === 'held' || inbound.method === 'went_on') {
      const { method, params } = inbound;
      this.note({ took: { actor: actor.name, seq, told: { method, params } } });
      if (method === 'went_on') actor.holding = 0;
      else
        this.#conductor.held(actor, (params as { readonly after: string }).after, this.#clock.now);
    } else this.#accept(inbound, { seq });
  }

  /** Takes a checked answer. `id` is the question's on the wire; `said` are its words for an error. */
  takeAnswer(
    actor: LabActor,
    id: number | string,
    outcome: Extract<Inbound, { kind: 'answer' }>['outcome'],
    said = '',
    seq = 0,
  ): void {
    actor.heardAt = this.#clock.now;
    const known = questionAnswered(actor, id) !== 'unknown';
    const base = this.#host.generation * QUESTIONS_PER_MACHINE;
    // Below the base: a question of a machine that is gone.
    if (!known || typeof id === 'string' || id < base) {
      this.note({ took: { actor: actor.name, seq, ...(known ? { answered: id } : {}) } });
      if (!known) return;
    }
    if (typeof id === 'string') {
      const words = said === '' ? '' : `: ${said}`;
      const why = outcome.ok ? '' : `${actor.name} answered ${outcome.errno}${words}`;
      this.#conductor.answered(id, outcome.ok ? outcome : { ok: false, why });
      return;
    }
    if (id < base) return;
    this.#accept({ kind: 'answer', actor: actor.name, id: id - base, outcome }, { seq });
  }

  /** Milliseconds until the actor is fenced for what it has yet to answer, or holds up; null if for nothing. */
  leaseLeft({ name, fenced, questions, heardAt, state }: LabActor): Millis | null {
    if (fenced || state === 'resetting') return null;
    const { now } = this.#clock;
    const open = questions.values().filter(({ method }) => Object.hasOwn(KERNEL_QUESTIONS, method));
    const since = open.map(({ askedAt }) => askedAt);
    if (this.#host.stallers().includes(name)) since.push(heardAt);
    const left = Math.min(...since) + this.leaseMs - now;
    return Number.isFinite(left) ? Math.max(0, Math.round(left)) : null;
  }

  /** Writes down what the machine does not take. */
  note(line: LabLine): void {
    this.#host.note(line);
  }

  observe(observer: Observer): LabSnapshot {
    return this.feed.add(observer);
  }

  /** What happened after event `n`, if all of it is still known. */
  eventsAfter(n: number): readonly Event[] | 'too-old' {
    return this.#host.eventsAfter(n);
  }

  /** What its machine has run of the kernel, since this server made it. */
  reached(): Reached {
    return this.#host.reached();
  }

  /** Runs one verb of the actor's own program. */
  perform(name: ActorName, verb: Verb): Promise<Performed> {
    return this.#ask(name, 'perform', verb);
  }

  /** Arms a hold: the next task of the actor that returns from the kernel function `after` stands still. */
  hold(name: ActorName, after: string): Promise<Performed> {
    return this.#ask(name, 'hold', { after });
  }

  /** Resolves once a task of the actor stands still after `after`. */
  untilHeld(name: ActorName, after: string): Promise<'held' | 'gone'> {
    return this.actors.has(name) ? this.#conductor.untilHeld(name, after) : Promise.resolve('gone');
  }

  /** Lets the actor go on. */
  go(name: ActorName): Promise<Performed> {
    const actor = this.actors.get(name);
    if (actor !== undefined) actor.holding = 0;
    return this.#ask(name, 'go', {});
  }

  /**
   * Begins anew with another machine. What runs is refused, every actor is asked to forget, and attached again
   * when it has answered. Resolves when all have, or have left, with the names of those who did not obey.
   *
   * Rejects: UnknownPatch, and what the recording's file throws; then nothing has changed.
   */
  renew(config: MachineConfig): Promise<readonly ActorName[]> {
    return this.#beginAgain(config, NO_WAY_BACK);
  }

  /** Asks the clients which moments they can go back to. `known` fills as they answer, until `all` have. */
  askMoments(): { readonly known: MomentsKnown; readonly all: Promise<unknown> } {
    const known = new Map<ActorName, readonly ClientMoment[]>();
    const there = [...this.actors.values()].filter(({ state, fenced }) => {
      return state === 'attached' && !fenced;
    });
    const asked = there.map(async ({ name }) => {
      const outcome = await this.#ask(name, 'moments', {});
      if (!outcome.ok) return;
      known.set(name, (outcome.result as QuestionResults['moments']).moments);
    });
    return { known, all: Promise.all(asked) };
  }

  /**
   * Goes back to the newest moment before event `before` that every client can go back to, or need not: another machine
   * takes again what this one took until then. Clients that keep no moments begin anew, as in renew().
   *
   * Returns: the number of the last event that is left; how far that is, if not.
   */
  goBack(before: number, known: MomentsKnown): Promise<number | TooFar | 'nothing'> {
    return this.#withAllTaken((taken, moments) => {
      if (before <= (moments[0]?.events ?? 0) && this.#host.past.forgotten > 0) return LONG_AGO;
      const clients = [...this.actors.values()].map((actor) => clientNow(actor, known));
      const earlier = moments.slice(0, -1).filter(({ entries, events }) => {
        return entries >= this.scene.setup.length && events < before;
      });
      const way = wayBack(earlier, moments.at(-1), clients);
      if (way === 'none') return 'nothing';
      const took = taken.slice(this.scene.setup.length, way.at.entries);
      return this.#beginAgain(this.config, { ...way, took }).then(() => way.at.events);
    });
  }

  /** The moment behind event `after`, to be explored from. */
  momentBehind(
    after: number,
  ): Promise<{ took: readonly Inbound[]; step: number } | TooFar | 'nothing'> {
    return this.#withAllTaken((took, moments) => {
      const moment = moments.findLast(({ events }) => events <= after);
      if (moment === undefined && this.#host.past.forgotten > 0) return LONG_AGO;
      const step = moment?.entries ?? 0;
      return step < took.length ? { took, step } : 'nothing';
    });
  }

  /** `act` is called in the turn in which all is known that the machine took in: what is not remembered is read. */
  async #withAllTaken<Value>(
    act: (taken: readonly Inbound[], moments: readonly PastMoment[]) => Value,
  ): Promise<Awaited<Value> | TooFar> {
    for (;;) {
      const { past } = this.#host;
      if (past.forgotten > RETAKEN_MAX) return TOO_LONG;
      const read = past.forgotten === 0 ? [] : await this.#recorded(past.forgotten);
      if ('tooFar' in read) return read;
      // While it was read, the lab may have forgotten more, or begun anew.
      if (past !== this.#host.past || past.forgotten > read.length) continue;
      const taken = [...read.slice(0, past.forgotten), ...past.remembered];
      return await act(taken, past.moments(this.#host.events));
    }
  }

  #recorded(count: number): Promise<readonly Inbound[] | TooFar> {
    const { recorded } = this.#options;
    return recorded === undefined ? Promise.resolve(NOT_RECORDED) : recorded(this, count);
  }

  async #beginAgain(config: MachineConfig, way: LedBack): Promise<readonly ActorName[]> {
    const actors = [...this.actors.values()];
    const endOld = this.#host.renew(config);
    this.feed.restart();
    this.#setTheScene(this.scene.setup);
    // What is done again is seen as if it happened now.
    if (way.took.length > 0) this.feed.flush();
    this.#setTheScene(way.took);
    this.note({ sessions: actors.map(savedActor) });
    this.#controlNoted = '';
    this.#noteControl();
    this.drive.machineIsNew(modeBehind(way.took));
    if (this.director !== 'none') {
      this.director.begin();
      if (way.took.length > 0) this.director.lose(TAKEN_BACK);
    }
    for (const name of attachedBy(way.took)) {
      if (!this.actors.has(name) || wayOf(way, name) === 'begins anew') {
        this.#accept({ kind: 'detach', actor: name });
      }
    }
    this.#catchUp();
    const resets = actors
      .filter(({ name }) => wayOf(way, name) !== 'stays')
      .map((actor) => this.#reset(actor, way));
    // Until here the old recording is the one that counts, and no client has heard of the new machine.
    guarded(
      () => {
        this.#options.renewed?.(this);
        endOld();
      },
      (bug) => this.fail(bug),
    );
    const answers = await Promise.all(resets);
    this.feed.flush();
    return answers.flatMap((answer) => (answer === 'obeyed' ? [] : [answer.refused]));
  }

  /** The time of the lab at `wall`: it stands still while the lab waits for the presenter's next step. */
  timeAt(wall: Millis): Millis {
    return this.#clock.at(wall, this.#goes());
  }

  /** `wall` in milliseconds of a clock that only moves forwards. Call it several times per leaseMs. */
  tick(wall: Millis): void {
    this.#clock.tick(wall, this.#goes());
    const { now } = this.#clock;
    if (this.state === 'closed' || this.#standing.state !== 'open') return;
    const stallers = this.actors.size === 0 ? [] : this.#host.stallers();
    for (const actor of overdue(this.actors.values(), stallers, now, this.leaseMs)) {
      this.#fenced(actor);
      this.#accept({ kind: 'fence', actor: actor.name });
    }
    this.feed.flush();
  }

  /** Who is in the lab, as observers see it. */
  actorsSeen(): LabSnapshot['actors'] {
    return [...this.actors.values()].map((actor) => ({
      name: actor.name,
      role: actor.role,
      state: stateShown(actor),
    }));
  }

  snapshot(): LabSnapshot {
    const { kernel = FIRST_KERNEL, patch } = this.config;
    const actors = this.actorsSeen();
    const control = this.controlSeen();
    return { lab: this.name, n: this.feed.n, kernel, patch, actors, control, ...this.#host.view() };
  }

  /** How it is driven, and the tasks that could be chosen. */
  controlSeen(): LabControl {
    const tasks = this.#host.tasks();
    const vote = this.ballot.seen();
    return {
      ...this.#controlKept(),
      ...(vote === 'none' ? {} : { vote }),
      ...(this.director === 'none' ? {} : { led: this.director.seen() }),
      tasks: tasks.slice(0, TASKS_SHOWN_MAX).map(taskEntry),
      tasksLeftOut: Math.max(0, tasks.length - TASKS_SHOWN_MAX),
    };
  }

  /** Call it after a change of what controlSeen() says that is no event of the machine. */
  controlChanged(): void {
    this.#noteControl();
    this.#control.changed();
  }

  #noteControl(): void {
    const control = this.#controlKept();
    const text = JSON.stringify(control);
    if (text === this.#controlNoted) return;
    this.#controlNoted = text;
    this.note({ control });
  }

  #controlKept(): Checkpoint['control'] {
    const { paused, speed } = this.drive;
    return {
      paused,
      locked: this.presenter.state === 'locked',
      speed,
      ...(this.cast.size === 0 ? {} : { cast: Object.fromEntries(this.cast) }),
      ...(this.#labels.size === 0 ? {} : { labels: Object.fromEntries(this.#labels) }),
      ...(this.shows === 'race' ? {} : { shows: this.shows }),
    };
  }

  /** Who plays what, and is called what, as an earlier server knew it. */
  #peopleWere({ cast = {}, labels = {}, shows = 'race' }: Checkpoint['control']): void {
    for (const [role, actor] of Object.entries(cast)) this.cast.set(role, actor);
    for (const [name, label] of Object.entries(labels)) this.#labels.set(name, label);
    this.shows = shows;
  }

  /** Holds back each frame of the actor, both ways. Returns whether it is here. */
  slow(name: ActorName, ms: Millis): 'slowed' | 'gone' {
    const actor = this.actors.get(name);
    if (actor === undefined) return 'gone';
    actor.slowMs = ms;
    this.note({ slow: { actor: name, ms } });
    actor.link.slow(ms);
    return 'slowed';
  }

  /** What every screen calls the actor; its name again, if empty. */
  rename(name: ActorName, label: string): void {
    if (label === '') this.#labels.delete(name);
    else this.#labels.set(name, label);
  }

  /** Ends the session of an actor that is away, so that its name is free. Returns whether it was away. */
  free(name: ActorName): 'freed' | 'here' | 'gone' {
    const actor = this.actors.get(name);
    if (actor === undefined) return 'gone';
    if (actor.state !== 'away') return 'here';
    actor.link.close('expired');
    return 'freed';
  }

  /** Ends the session of an actor for good, here or away. Returns whether there was one. */
  dismiss(name: ActorName): 'dismissed' | 'gone' {
    const actor = this.actors.get(name);
    if (actor === undefined) return 'gone';
    actor.link.close('dismissed');
    return 'dismissed';
  }

  /** Drops the connection of the actor, which may resume. Returns whether it is here. */
  cut(name: ActorName): 'cut' | 'gone' {
    const actor = this.actors.get(name);
    if (actor === undefined) return 'gone';
    actor.link.cut();
    return 'cut';
  }

  /** Closes the lab because of what something of it has thrown: other labs go on. */
  fail(bug: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.close(isStorageFailure(bug) ? 'insufficient-storage' : 'internal');
    this.#options.onBug(this.name, bug);
  }

  /** Closes every session and takes no more. */
  close(reason: CloseReason): void {
    this.#host.close();
    this.drive.close();
    this.#control.close();
    for (const actor of this.actors.values()) {
      this.#conductor.gone(actor.name);
      actor.link.close(reason);
    }
    this.actors.clear();
    this.feed.close(reason);
    for (const act of this.#later.splice(0)) act();
  }

  #accept(inbound: Inbound, note?: FrameNote): void {
    this.#host.accept(inbound, note);
    if (this.drive.mode === 'stepped') this.#control.changed();
    if (this.#scene === 'set' && this.director !== 'none') this.director.look();
  }

  /** While the machine is busy, what has arrived is not known yet. */
  #goes(): 'goes' | 'stands' {
    if (this.busy || (this.#options.stalled?.() ?? 'none') !== 'none') return 'stands';
    return this.drive.keepsWaiting() ? 'stands' : 'goes';
  }

  /** What the machine says of it goes nowhere, though an actor may have the name of one of the scene's. */
  #setTheScene(setup: readonly Inbound[]): void {
    this.#unheard(() => {
      this.#host.inOneTurn(() => {
        for (const inbound of setup) this.#accept(inbound);
      });
    });
  }

  /** Whether the machine has more to do than fits one turn of the event loop. */
  get busy(): boolean {
    return this.#host.busy;
  }

  /**
   * Calls `act` now or, in a busy lab, when what came before is done, or the lab is closed: then clients are numbered
   * in that order.
   */
  inTurn(act: () => void): void {
    if (this.busy) this.#later.push(act);
    else act();
  }

  /** Resolves when what the lab has heard so far is recorded, or the lab is closed. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.inTurn(resolve);
    });
  }

  /** A client of a busy lab is not read from: its frames wait in its own socket, not here. */
  stop(link: Pick<ActorLink, 'flow'>): void {
    this.#stopped.add(link);
    link.flow('stopped');
  }

  #catchUp(): void {
    while (!this.busy) {
      const act = this.#later.shift();
      if (act === undefined) break;
      act();
    }
    if (this.busy) return;
    if (this.director !== 'none') this.director.look();
    for (const link of this.#stopped) link.flow('free');
    this.#stopped.clear();
  }

  #unheard(act: () => void): void {
    this.#scene = 'being set';
    act();
    this.#scene = 'set';
  }

  #deliver(outbound: Outbound, generation: number): void {
    if (this.#scene === 'being set') return;
    const actor = this.actors.get(outbound.actor);
    if (actor === undefined) return;
    switch (outbound.kind) {
      case 'response':
        actor.requests.delete(outbound.id);
        actor.link.respond(outbound);
        return;
      case 'question': {
        this.#free(actor.link);
        const id = generation * QUESTIONS_PER_MACHINE + outbound.id;
        const seq = actor.link.ask(id, outbound.method, outbound.params);
        actor.questions.set(id, { method: outbound.method, askedAt: this.#clock.now, seq });
        return;
      }
      case 'tell':
        if (outbound.method === REFUSED) {
          actor.link.refuse((outbound.params as RefusedParams).refusal);
          return;
        }
        if (outbound.method === 'fenced') this.#fenced(actor);
        actor.link.tell(outbound.method, onTheWire(outbound.params, generation));
    }
  }

  #fenced(actor: LabActor): void {
    actor.fenced = true;
    voidQuestions(actor);
  }

  #refuseReset(actor: LabActor, id: RequestId): void {
    const refusal = refuse('lab-reset', '', '');
    const seq = actor.link.refuseRequest(id, refusal);
    this.note({ sent: { actor: actor.name, seq, refuse: { id, refusal } } });
  }

  #ask(
    name: ActorName,
    method: 'perform' | 'hold' | 'go' | 'moments',
    params: unknown,
  ): Promise<Performed> {
    const actor = this.actors.get(name);
    if (actor === undefined) return Promise.resolve({ ok: false, why: `no actor ${name}` });
    return new Promise((done) => {
      this.inTurn(() => {
        if (this.actors.get(name) === actor) this.#put(actor, method, params, done);
        else done({ ok: false, why: `${name} has left` });
      });
    });
  }

  #put(
    actor: LabActor,
    method: ConductorQuestion,
    params: unknown,
    done: (outcome: Performed) => void,
  ): void {
    const { id, seq } = this.#conductor.put(actor, method, params, this.#clock.now, done);
    this.note({ sent: { actor: actor.name, seq, ask: { id, method, params } } });
  }

  #reset(actor: LabActor, way: LedBack): Promise<'obeyed' | { readonly refused: ActorName }> {
    actor.state = 'resetting';
    actor.fenced = false;
    actor.holding = 0;
    for (const id of actor.requests) this.#refuseReset(actor, id);
    actor.requests.clear();
    voidQuestions(actor);
    this.#conductor.forget(actor.name, `the lab ${this.name} began anew`);
    const { generation } = this.#host;
    return new Promise((resolve) => {
      // In the turn of the answer: the client's next frame may come in the same one.
      const goesBack = wayOf(way, actor.name) === 'goes back';
      const moment = goesBack ? { moment: way.at.clients.get(actor.name) } : {};
      this.#put(actor, 'reset', { lab: this.name, ...moment }, (outcome) => {
        if (generation === this.#host.generation) {
          const went = whereWent(outcome);
          if (goesBack && went === 'anew') this.#accept({ kind: 'detach', actor: actor.name });
          this.#attachAnew(actor, went);
        }
        resolve(outcome.ok ? 'obeyed' : { refused: actor.name });
      });
    });
  }

  #attachAnew(actor: LabActor, went: 'back' | 'anew'): void {
    if (this.actors.get(actor.name) !== actor) return;
    actor.state = 'attached';
    // Where it went back to, the machine has it.
    if (went === 'back') return;
    this.#accept({ kind: 'attach', actor: actor.name, role: actor.role });
  }
}

function clientNow(actor: LabActor, known: MomentsKnown): ClientNow {
  const { name, state, fenced, questions } = actor;
  const isAsked = questions.values().some(({ method }) => Object.hasOwn(KERNEL_QUESTIONS, method));
  const isThere = state !== 'resetting' && !fenced;
  return {
    name,
    can: isThere && !isAsked ? 'stay' : 'not stay',
    knows: isThere ? (known.get(name) ?? 'none') : 'none',
  };
}

/** What the machine tells, with the number that its question has on the wire. */
function onTheWire(params: unknown, generation: number): unknown {
  if (typeof params !== 'object' || params === null || !('question' in params)) return params;
  return { ...params, question: generation * QUESTIONS_PER_MACHINE + Number(params.question) };
}

function stateShown(actor: LabActor): 'attached' | 'away' | 'fenced' {
  if (actor.fenced) return 'fenced';
  return actor.state === 'away' ? 'away' : 'attached';
}

function taskEntry({ state, waitsFor, holder, ...task }: ListedTask): TaskEntry {
  return {
    ...task,
    ready: state === 'ready',
    waitsFor: waitsFor === 'nothing' ? null : waitedFor(waitsFor),
    holder: holder === 'unknown' ? null : holder,
  };
}
