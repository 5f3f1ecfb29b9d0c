/** What a lab keeps of one client that acts in it, beside what the machine keeps. */

import type { SessionState } from '../journal/lab-lines.ts';
import { OpenById } from '../machine/open-by-id.ts';
import type { ActorName, ActorRole, Outbound } from '../machine/remote/inbound.ts';
import type { CloseReason } from '../protocol/close-codes.ts';
import type { RequestId } from '../protocol/envelope.ts';
import { ANSWERED_KEPT_MAX } from '../protocol/limits.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { RecentIds } from './recent-ids.ts';

/** Numbers are the kernel's, strings the conductor's. */
export type QuestionId = number | string;

/** Milliseconds of a clock that only moves forwards. */
export type Millis = number;

export interface OpenQuestion {
  readonly method: string;
  readonly askedAt: Millis;
  /** Of the frame that asked it: a client that answers has all frames up to there. */
  readonly seq: number;
}

/** The way to the client. It lasts as long as the session does: while the client is away it keeps the frames. */
export interface ActorLink {
  respond(response: Extract<Outbound, { kind: 'response' }>): void;
  /** Returns: the `seq` of the frame. */
  ask(id: QuestionId, method: string, params: unknown): number;
  /** Returns: the `seq` of the frame. So does refuseRequest(). */
  tell(method: string, params: unknown): number;
  /** `id` is null for an error that belongs to no request. */
  refuseRequest(id: RequestId | null, refusal: Refusal): number;
  /** Answers a ping. Returns: the `seq` of the frame. */
  pong(id: RequestId, result: unknown): number;
  /** A notification of the client was refused. */
  refuse(refusal: Refusal): void;
  close(reason: CloseReason): void;
  /** Holds back each frame by `ms`, both ways; 0 ends it. */
  slow(ms: Millis): void;
  /** 'stopped': what the client sends waits at its side, until 'free'. */
  flow(state: 'stopped' | 'free'): void;
  /** Drops the connection. The session goes on without. */
  cut(): void;
  /** What another link has to know to go on in its place. */
  saved(): SavedLink;
}

/** The numbers and frames of a session: see SessionState in journal/lab-lines.ts. */
export type SavedLink = Pick<SessionState, 'keys' | 'received' | 'sent' | 'frames'>;

export interface LabActor {
  readonly name: ActorName;
  readonly role: ActorRole;
  readonly link: ActorLink;
  /**
   * 'away': its connection is lost, its session is not. 'resetting': it has yet to answer the reset of a new
   * machine.
   */
  state: 'attached' | 'away' | 'resetting';
  fenced: boolean;
  /** Requests without an answer. */
  readonly requests: Set<RequestId>;
  /** Questions without an answer, oldest first. */
  readonly questions: OpenById<QuestionId, OpenQuestion>;
  /** The last ANSWERED_KEPT_MAX questions that were answered. */
  readonly answered: RecentIds<QuestionId>;
  /** When a frame of it arrived last. */
  heardAt: Millis;
  /** How many of its tasks stand still because a conductor said so. */
  holding: number;
  /** Since when one of them stands without a hold of the conductor; infinite if none does. */
  unorderedSince: Millis;
  /** By how much its frames are held back. */
  slowMs: Millis;
  /** From the last ping of the server to its pong. */
  roundTripMs: Millis | 'unknown';
}

export function newLabActor(
  name: ActorName,
  role: ActorRole,
  link: ActorLink,
  now: Millis,
): LabActor {
  return {
    name,
    role,
    link,
    state: 'attached',
    fenced: false,
    requests: new Set(),
    questions: new OpenById(),
    answered: new RecentIds(ANSWERED_KEPT_MAX),
    heardAt: now,
    holding: 0,
    unorderedSince: Number.POSITIVE_INFINITY,
    slowMs: 0,
    roundTripMs: 'unknown',
  };
}

/** Closes an open question. Returns what it was, or 'unknown'. */
export function questionAnswered(actor: LabActor, id: QuestionId): OpenQuestion | 'unknown' {
  const question = actor.questions.take(id);
  if (question === undefined) return 'unknown';
  actor.answered.add(id);
  return question;
}

/** The actor and its link as a later machine, or a later server, begins with them. */
export function savedActor(actor: LabActor): SessionState {
  const { name, role, link, state, fenced, requests, questions, holding, slowMs } = actor;
  return {
    actor: name,
    role,
    ...link.saved(),
    requests: [...requests],
    questions: [...questions.all()].map(([id, { method, seq }]) => ({ id, method, seq })),
    state: state === 'resetting' ? 'resetting' : 'attached',
    fenced,
    holding,
    slowMs,
  };
}

/**
 * No task waits for the answers to the machine's questions any more. They may still arrive, and mean nothing, but
 * are no mistake of the client's.
 */
export function voidQuestions(actor: LabActor): void {
  for (const [id, question] of actor.questions.all()) {
    if (typeof id === 'number')
      actor.questions.set(id, { ...question, askedAt: Number.POSITIVE_INFINITY });
  }
}
