/**
 * One client that has said hello, with or without a connection at the moment. The lab sees it as the way to an
 * actor or as an observer.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionKey } from '../journal/journal-format.ts';
import type { Observer } from '../live/event-feed.ts';
import type { Lab } from '../live/lab.ts';
import type { LabActor, OpenQuestion, QuestionId, SavedLink } from '../live/lab-actor.ts';
import type { RestoredLink } from '../live/lab-replay.ts';
import { OpenById } from '../machine/open-by-id.ts';
import type { Outbound } from '../machine/remote/inbound.ts';
import { encodeBinaryFrame } from '../protocol/binary-frame.ts';
import type { CloseReason } from '../protocol/close-codes.ts';
import type { RequestId } from '../protocol/envelope.ts';
import type { OverLimit } from '../protocol/held-limits.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Role } from '../protocol/roles.ts';
import type { Connection } from './connection.ts';
import { answerText, notificationText, questionText } from './encode.ts';
import { type Frame, Outbox, type ReplayBytes } from './outbox.ts';
import type { ParamsText } from './params-text.ts';
import type { Speaker } from './receive.ts';
import {
  type Millis,
  nextSession,
  SESSION_BEGUN,
  type Session,
  type SessionEvent,
} from './session.ts';

/** Answers to resumes, lost one after the other, whose keys are remembered. */
const UNCONFIRMED_MAX = 8;

/** What all sessions of a gateway use. */
export interface SessionShared {
  /** Called by a session that wants to be closed from this side. */
  readonly close: (session: ClientSession, reason: CloseReason) => void;
  readonly away: (session: ClientSession) => void;
  readonly forget: (session: ClientSession) => void;
  readonly paramsText: ParamsText;
  readonly replayBytes: ReplayBytes;
  /** Called for each refusal that is about a limit. */
  readonly overLimit: (limit: string) => void;
}

const NONE: ReadonlySet<never> = new Set();
const NO_QUESTIONS = new OpenById<QuestionId, OpenQuestion>();

export class ClientSession implements RestoredLink, Observer, Speaker {
  readonly lab: Lab;
  readonly name: string;
  readonly role: Role;
  readonly outbox: Outbox;
  life: Session = SESSION_BEGUN;
  connection: Connection<ClientSession> | 'none' = 'none';
  received = 0;
  actor: LabActor | 'none' = 'none';
  requests: ReadonlySet<RequestId> = NONE;
  questions: Speaker['questions'] = NO_QUESTIONS;
  answered: { has(id: QuestionId): boolean } = NONE;
  readonly #shared: SessionShared;
  /** Of the last hello; 'unknown' once another server said it. */
  #token: string | 'unknown' = newResumeToken();
  #key: SessionKey;
  /** Still good until the client has shown, by a frame or a resume, that it knows a newer one; oldest first. */
  #unconfirmed: SessionKey[] = [];

  constructor(lab: Lab, name: string, role: Role, shared: SessionShared) {
    this.lab = lab;
    this.name = name;
    this.role = role;
    this.#shared = shared;
    this.outbox = new Outbox(shared.replayBytes);
    this.#key = { hash: tokenHash(this.#token), epoch: 1 };
  }

  /** Goes on where a session of another server, or of another machine, was. */
  restore({ keys, received, sent, frames }: SavedLink): void {
    const [key = this.#key] = keys.slice(-1);
    this.#token = 'unknown';
    this.#key = key;
    this.#unconfirmed = keys.slice(0, -1);
    this.received = received;
    this.outbox.restore(
      sent,
      frames.map((frame) => (typeof frame === 'string' ? frame : bytesOf(frame.binary))),
    );
  }

  saved(): SavedLink {
    return {
      keys: [...this.#unconfirmed, this.#key],
      received: this.received,
      sent: this.outbox.last,
      frames: this.outbox.kept.map((frame) =>
        typeof frame === 'string' ? frame : { binary: Buffer.from(frame).toString('base64') },
      ),
    };
  }

  /** The lab has taken it as an actor. */
  actAs(actor: LabActor): void {
    this.actor = actor;
    this.requests = actor.requests;
    this.questions = actor.questions;
    this.answered = actor.answered;
  }

  get resumeToken(): string {
    return this.#token;
  }

  get key(): SessionKey {
    return this.#key;
  }

  get epoch(): number {
    return this.#key.epoch;
  }

  advance(event: SessionEvent): void {
    this.life = nextSession(this.life, event);
  }

  opensWith(token: string, epoch: number): boolean {
    const shown = tokenHash(token);
    return [this.#key, ...this.#unconfirmed].some(
      ({ hash, epoch: known }) => sameToken(hash, shown) && known === epoch,
    );
  }

  /** After a resume with the key of epoch `shown`, which opened it. */
  newKey(shown: number): void {
    this.#token = newResumeToken();
    this.resumed({ hash: tokenHash(this.#token), epoch: this.#key.epoch + 1 }, shown);
  }

  resumed(key: SessionKey, shown: number): void {
    this.#unconfirmed = this.#unconfirmed.filter(({ epoch }) => epoch >= shown);
    // The answers to resumes may be lost one after the other: then the client knows only the oldest key.
    if (this.#unconfirmed.length < UNCONFIRMED_MAX) this.#unconfirmed.push(this.#key);
    this.#key = key;
  }

  /** A frame has arrived that took a number. */
  frameTaken(): void {
    this.took(this.received + 1);
  }

  took(seq: number, askedIn = 0): void {
    this.received = seq;
    if (this.#unconfirmed.length > 0) this.#unconfirmed = [];
    if (askedIn > 0) this.outbox.acknowledge(askedIn);
  }

  respond(response: Extract<Outbound, { kind: 'response' }>): void {
    const { outcome } = response;
    if ('limit' in outcome) this.#shared.overLimit((outcome as OverLimit).limit);
    const text = answerText(this.outbox.next(), response.id, outcome);
    const { contents } = response;
    this.#send(contents.length === 0 ? text : encodeBinaryFrame(text, contents));
  }

  ask(id: QuestionId, method: string, params: unknown): number {
    const seq = this.outbox.next();
    this.#send(questionText(seq, id, method, this.#shared.paramsText.of(method, params)));
    return seq;
  }

  tell(method: string, params: unknown): number {
    const seq = this.outbox.next();
    this.#send(notificationText(seq, method, JSON.stringify(params)));
    return seq;
  }

  sendText(method: 'events' | 'snapshot' | 'control', params: string): void {
    this.#send(notificationText(this.outbox.next(), method, params));
  }

  pong(id: RequestId, result: unknown): number {
    const seq = this.outbox.next();
    this.#send(answerText(seq, id, { ok: true, result }));
    return seq;
  }

  refuse(refusal: Refusal): void {
    this.refuseRequest(null, refusal);
  }

  refuseRequest(id: RequestId | null, refusal: Refusal): number {
    if ('limit' in refusal) this.#shared.overLimit((refusal as OverLimit).limit);
    const seq = this.outbox.next();
    this.#send(answerText(seq, id, refusal));
    return seq;
  }

  /** From now on the client is away, and has its grace. For a session of another server. */
  away(): void {
    this.#shared.away(this);
  }

  /** Was over already when another server had it. */
  forget(): void {
    this.#shared.forget(this);
  }

  backlog(): number {
    return this.connection === 'none' ? 0 : this.connection.bytesWaiting;
  }

  close(reason: CloseReason): void {
    this.#shared.close(this, reason);
  }

  ended(reason: CloseReason): void {
    this.close(reason);
  }

  slow(ms: Millis): void {
    if (this.connection !== 'none') this.connection.slow(ms);
  }

  flow(state: 'stopped' | 'free'): void {
    if (this.connection !== 'none') this.connection.flow('lab', state);
  }

  cut(): void {
    // As if the line had broken: no close frame. The gateway hears of it and the session is away.
    if (this.connection !== 'none') this.connection.socket.terminate();
  }

  #send(frame: Frame): void {
    // An observer that comes back gets a snapshot: nothing has to be kept for it.
    if (this.role !== 'observer') this.outbox.keep(frame);
    if (this.connection !== 'none') this.connection.send(frame);
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

// The secret that proves that a client is the one that held a session.

const TOKEN_BYTES = 18;

function newResumeToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** What is kept of a token: it says whether one that is shown is the same, and not what it is. */
function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Takes the same time whatever differs. */
function sameToken(known: string, offered: string): boolean {
  const a = Buffer.from(known);
  const b = Buffer.from(offered);
  return a.length === b.length && timingSafeEqual(a, b);
}
