/**
 * Leads a lab to where an earlier server left it: the machine takes again what it took, and each client's session is
 * numbered and owed what it was. See journal/lab-lines.ts for what is read.
 */

import type { Checkpoint } from '../journal/checkpoint.ts';
import { EventDigest } from '../journal/event-digest.ts';
import type { LabLine, ResumedLine, SessionState } from '../journal/lab-lines.ts';
import type { EntryRead, JournalLine } from '../journal/read-journal.ts';
import type { Recorder } from '../journal/recorder.ts';
import type { ActorName, ActorRole, Inbound } from '../machine/remote/inbound.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Conductor } from './conductor.ts';
import type { Drive } from './drive.ts';
import {
  type ActorLink,
  type LabActor,
  type Millis,
  newLabActor,
  questionAnswered,
  type SavedLink,
  voidQuestions,
} from './lab-actor.ts';
import { whereWent } from './lab-past.ts';
import type { MachineHost } from './machine-host.ts';
import type { Presenter } from './presenter.ts';

/** The way to a client that another server knew. It has no connection until the client comes back. */
export interface RestoredLink extends ActorLink {
  actAs(actor: LabActor): void;
  /** A frame of the client had arrived; `askedIn` is the one that it answered. */
  took(seq: number, askedIn?: number): void;
  /** The client had come back, and got this key. */
  resumed(key: SavedLink['keys'][number], shown: number): void;
  /** From now on the client is away, and has its grace. */
  away(): void;
  /** The session was over. */
  forget(): void;
}

export type NewRestoredLink = (name: ActorName, role: ActorRole, saved: SavedLink) => RestoredLink;

/** The parts of a lab that are led. */
export interface ReplayedLab {
  readonly host: MachineHost;
  readonly actors: Map<ActorName, LabActor>;
  readonly conductor: Conductor;
  readonly drive: Drive;
  readonly presenter: Presenter;
  readonly setup: readonly Inbound[];
  /** Of a question of the machine's own, as it is on the wire. */
  readonly questionId: (id: number) => number;
  readonly now: () => Millis;
  /** Takes what is left of the setup from entry `n` on, unheard by any client. */
  readonly setTheScene: (setup: readonly Inbound[]) => void;
  /** What the machine says is for no client. */
  readonly unheard: (act: () => void) => void;
  readonly accept: (inbound: Inbound) => void;
  /** The actor has obeyed a reset. */
  readonly attachAnew: (actor: LabActor, went: 'back' | 'anew') => void;
}

/** What was read does not lead to what it led to. */
export class ReplayDiffers extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'ReplayDiffers';
  }
}

type Control = Extract<LabLine, { control: unknown }>['control'];

export class LabReplay {
  #digest = new EventDigest();
  readonly #lab: ReplayedLab;
  readonly #newLink: NewRestoredLink;
  readonly #links = new Map<ActorName, RestoredLink>();
  /** Actors that the machine has, and whose clients it does not miss: those of the scene are not among them. */
  readonly #attached = new Set<ActorName>();
  #n = 0;
  #settled = 0;
  #mode: 'running' | 'stepped' = 'running';
  #control: Control = { paused: false, locked: false, speed: 'full' };

  constructor(lab: ReplayedLab, newLink: NewRestoredLink) {
    this.#lab = lab;
    this.#newLink = newLink;
    lab.host.continueWith(onlyEvents(this.#digest));
  }

  get digest(): EventDigest {
    return this.#digest;
  }

  /** Before anything is taken: the lab is where the checkpoint says. Throws: ReplayDiffers, GraphError. */
  beginAt({ machine, position, log, state, control, sessions, moments = {} }: Checkpoint): void {
    const { host, actors, unheard } = this.#lab;
    const { resting } = host;
    if (resting === 'none') throw new ReplayDiffers('this machine takes no checkpoint');
    this.#digest = EventDigest.behind(log.events, log.digest);
    host.continueWith(onlyEvents(this.#digest));
    unheard(() => resting.takeState(machine));
    if (host.digest() !== state) throw new ReplayDiffers('the memory is not what it was');
    const clients = new Map(Object.entries(moments));
    host.beginAt({ entries: position.n, events: log.events, clients });
    this.#n = position.n;
    this.#settled = position.n;
    this.#mode = control.paused || control.speed !== 'full' ? 'stepped' : 'running';
    this.#control = control;
    for (const session of sessions) this.#session(session);
    for (const actor of actors.values()) {
      if (actor.state !== 'resetting') this.#attached.add(actor.name);
    }
  }

  /** How it was driven last, and who played what. */
  get control(): Control {
    return this.#control;
  }

  /** Of the last entry. */
  get n(): number {
    return this.#n;
  }

  /** Throws: ReplayDiffers, and what the machine throws. The lab is then of no further use. */
  take(line: Exclude<JournalLine, { kind: 'header' }>): void {
    switch (line.kind) {
      case 'entry':
        this.#entry(line);
        return;
      case 'settled': {
        const { n, events, digest } = line.settled;
        this.#settled = n;
        const same = events === this.#digest.events && digest === this.#digest.value();
        if (!same) throw new ReplayDiffers(`entry ${n} does not lead to what it led to`);
        return;
      }
      case 'end':
        if (line.end.state === this.#lab.host.digest()) return;
        throw new ReplayDiffers(`the memory after entry ${this.#n} is not what it was`);
      case 'lab':
        this.#labLine(line.lab);
    }
  }

  /** All is read. What comes from now on is written to `recorder`. */
  finish(recorder: Recorder | 'none'): void {
    const { host, setup, actors, drive, presenter } = this.#lab;
    host.continueWith(recorder);
    // The last entry had no time to settle.
    if (recorder !== 'none' && this.#settled < this.#n) recorder.settled();
    if (this.#n < setup.length) this.#lab.setTheScene(setup.slice(this.#n));
    if (this.#control.locked) presenter.lock();
    for (const actor of actors.values()) this.#awaits(actor);
    for (const name of this.#attached) {
      if (!actors.has(name)) this.#lab.accept({ kind: 'detach', actor: name });
    }
    const { paused, speed } = this.#control;
    drive.wasDriven({ paused, speed, mode: this.#mode });
    for (const link of this.#links.values()) link.away();
  }

  /** The lab is damaged: no client of it comes back. */
  giveUp(): void {
    for (const link of this.#links.values()) link.forget();
    this.#links.clear();
  }

  #entry({ n, inbound, seq = 0, key }: EntryRead): void {
    this.#n = n;
    if (n <= this.#lab.setup.length) {
      this.#lab.unheard(() => this.#lab.host.replay(inbound));
      return;
    }
    if (!('actor' in inbound)) {
      if (inbound.kind !== 'step') this.#mode = inbound.kind === 'pause' ? 'stepped' : 'running';
    } else if (inbound.kind === 'attach') {
      this.#attached.add(inbound.actor);
      // The answer to the hello has the first number; see gateway/greeting.ts.
      if (key !== undefined) {
        const saved = { keys: [key], received: seq, sent: 1, frames: [''] };
        this.#begins(inbound.actor, inbound.role, saved);
      } else this.#attachedAgain(inbound.actor);
    } else this.#ofActor(inbound, seq);
    this.#lab.host.replay(inbound);
  }

  #attachedAgain(name: ActorName): void {
    const actor = this.#lab.actors.get(name);
    if (actor === undefined) return;
    actor.fenced = false;
    actor.state = 'attached';
  }

  #ofActor(inbound: Extract<Inbound, { actor: ActorName }>, seq: number): void {
    const { actor: name } = inbound;
    const actor = this.#lab.actors.get(name);
    if (inbound.kind === 'detach') this.#attached.delete(name);
    if (actor === undefined) return;
    const link = this.#links.get(name);
    switch (inbound.kind) {
      case 'fence':
        actor.fenced = true;
        voidQuestions(actor);
        return;
      case 'request':
        actor.requests.add(inbound.id);
        link?.took(seq);
        return;
      case 'notify':
        link?.took(seq);
        return;
      case 'answer': {
        const question = questionAnswered(actor, this.#lab.questionId(inbound.id));
        link?.took(seq, question === 'unknown' ? 0 : question.seq);
        return;
      }
      case 'attach':
      case 'detach':
        return;
    }
  }

  #begins(name: ActorName, role: ActorRole, saved: SavedLink): LabActor {
    const link = this.#newLink(name, role, saved);
    const actor = newLabActor(name, role, link, this.#lab.now());
    link.actAs(actor);
    this.#links.set(name, link);
    this.#lab.actors.set(name, actor);
    return actor;
  }

  #labLine(line: LabLine): void {
    if ('control' in line) this.#control = line.control;
    else if ('sessions' in line) for (const state of line.sessions) this.#session(state);
    else if ('resumed' in line) this.#resumed(line.resumed);
    else if ('over' in line) this.#over(line.over.actor);
    else if ('took' in line) this.#took(line.took);
    else if ('sent' in line) this.#sent(line.sent);
    else {
      const actor = this.#lab.actors.get(line.slow.actor);
      if (actor !== undefined) actor.slowMs = line.slow.ms;
    }
  }

  #resumed({ actor, key, shown = 0 }: ResumedLine['resumed']): void {
    this.#links.get(actor)?.resumed(key, shown);
  }

  #session(state: SessionState): void {
    const actor = this.#begins(state.actor, state.role, state);
    for (const id of state.requests) actor.requests.add(id);
    for (const { id, method, seq } of state.questions) {
      // A question of a machine that is gone: the client may answer it, and nothing comes of that.
      const askedAt = typeof id === 'number' ? Number.POSITIVE_INFINITY : this.#lab.now();
      actor.questions.set(id, { method, askedAt, seq });
    }
    actor.state = state.state;
    actor.fenced = state.fenced;
    actor.holding = state.holding;
    actor.slowMs = state.slowMs;
  }

  #over(name: ActorName): void {
    this.#links.get(name)?.forget();
    this.#links.delete(name);
    this.#lab.actors.delete(name);
  }

  #took({ actor: name, seq, told, answered }: Extract<LabLine, { took: unknown }>['took']): void {
    const actor = this.#lab.actors.get(name);
    if (actor === undefined) return;
    const question = answered === undefined ? 'unknown' : questionAnswered(actor, answered);
    this.#links.get(name)?.took(seq, question === 'unknown' ? 0 : question.seq);
    if (told?.method === 'held') actor.holding += 1;
    else if (told?.method === 'went_on') actor.holding = 0;
  }

  #sent(sent: Extract<LabLine, { sent: unknown }>['sent']): void {
    const { actor: name, seq, ask, refuse, tell, pong } = sent;
    const actor = this.#lab.actors.get(name);
    const link = this.#links.get(name);
    if (actor === undefined || link === undefined) return;
    let now = seq;
    if (ask !== undefined) {
      now = link.ask(ask.id, ask.method, ask.params);
      actor.questions.set(ask.id, { method: ask.method, askedAt: this.#lab.now(), seq });
      if (ask.method === 'go') actor.holding = 0;
    } else if (refuse !== undefined) {
      const { id, refusal } = refuse;
      now = link.refuseRequest(id, refusal as Refusal);
      if (id !== null) actor.requests.delete(id);
    } else if (tell !== undefined) now = link.tell(tell.method, tell.params);
    else if (pong !== undefined) now = link.pong(pong.id, pong.result);
    if (now !== seq) {
      throw new ReplayDiffers(`frame ${seq} to ${name} would have the number ${now}`);
    }
  }

  /** Its questions are asked from now on, and those of a conductor that is gone come to nothing. */
  #awaits(actor: LabActor): void {
    const { conductor, now } = this.#lab;
    let resets = 0;
    for (const [id, question] of actor.questions.all()) {
      if (question.askedAt !== Number.POSITIVE_INFINITY) {
        actor.questions.set(id, { ...question, askedAt: now() });
      }
      if (typeof id === 'number') continue;
      const reset = question.method === 'reset';
      if (reset) resets += 1;
      conductor.wasPut(id, actor.name, (outcome) => {
        if (reset) this.#lab.attachAnew(actor, whereWent(outcome));
      });
    }
    actor.heardAt = now();
    if (actor.state === 'attached') actor.state = 'away';
    // It had answered, and the server died before it was attached.
    else if (actor.state === 'resetting' && resets === 0) {
      this.#lab.attachAnew(actor, 'anew');
    }
  }
}

/** Beside a machine that does again what was recorded. */
function onlyEvents(digest: EventDigest): Recorder {
  const nothing = () => undefined;
  return {
    inbound: nothing,
    event: (event) => digest.add(event),
    settled: nothing,
    lab: nothing,
    close: nothing,
  };
}
