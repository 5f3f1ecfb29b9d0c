/**
 * What a machine keeps of one client: its questions without an answer, its requests without one, and whether it
 * still counts. Devices and CPUs share this.
 */

import {
  type IntervalSub,
  type InvalidateAnswers,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../abi/device-api.ts';
import type { RequestId } from '../../protocol/envelope.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import { serial, type TaskContext, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Task, waitUntil, type YieldPoint } from '../../task/task.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import type { Errno } from '../../vocabulary/errno.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';
import type { Seq } from '../../vocabulary/seq.ts';
import { OpenById } from '../open-by-id.ts';
import type { ActorName, Inbound, Outbound } from './inbound.ts';

/** What a request came to. A refusal carries more than the errno; see protocol/refusal.ts. */
export type Served =
  | { readonly ok: true; readonly result: unknown; readonly contents: readonly PageContents[] }
  | Refusal
  | { readonly ok: false; readonly errno: Errno };

export const NO_CONTENTS: readonly PageContents[] = [];

export function served(result: unknown, contents: readonly PageContents[] = NO_CONTENTS): Served {
  return { ok: true, result, contents };
}

/** Most requests answer with nothing: one object for all of them. */
export const SERVED_NOTHING: Served = served({});

export type QuestionOutcome = Extract<Inbound, { kind: 'answer' }>['outcome'];

/** A question to a client, and who waits for its answer. */
export type ActorQuestion = AwaitedQuestion | SentInvalidate;

/** A task waits. 'abandoned': the client was fenced, no task waits any more. */
export interface AwaitedQuestion {
  readonly kind: 'awaited';
  readonly method: string;
  readonly params: unknown;
  readonly object: ObjectId;
  answer: QuestionOutcome | 'open' | 'abandoned';
}

/** One of many invalidations that one task waits for; see kernel/notifier/ask-devices.ts. */
export interface SentInvalidate {
  readonly kind: 'sent';
  readonly sub: IntervalSub;
  readonly range: PageRange;
  readonly seq: Seq;
  readonly blocking: NotifierRange['blocking'];
  readonly answers: InvalidateAnswers;
  readonly place: number;
}

export interface RemoteActor {
  readonly actor: ActorName;
  readonly context: TaskContext;
  readonly send: (outbound: Outbound) => void;
  /**
   * 'fenced': asks nothing, is asked nothing, and no task waits for it. 'returning': fenced, and back again before
   * all was given back; what it asks waits for that.
   */
  state: 'attached' | 'fenced' | 'returning';
  readonly questions: OpenById<number, ActorQuestion>;
  /** Requests that run. */
  requestsInFlight: number;
  /** Requests that still run from before the client was fenced. */
  requestsLingering: number;
  /** How often it was fenced: distinguishes requests of before and after. */
  fencings: number;
  /** How often its client left for good: what that client asked is not for the client that takes the name next. */
  departures: number;
  /** Changes when a lingering request ends, and when a returning client is attached. */
  readonly idle: ObjectId;
}

export interface RemoteActorParts {
  readonly actor: ActorName;
  readonly context: TaskContext;
  readonly send: (outbound: Outbound) => void;
}

export function newRemoteActor(parts: RemoteActorParts): RemoteActor {
  return {
    ...parts,
    state: 'attached',
    questions: new OpenById(),
    requestsInFlight: 0,
    requestsLingering: 0,
    fencings: 0,
    departures: 0,
    idle: objectId('answer', 0, serial(parts.context)),
  };
}

/**
 * Asks the client and waits until it answers or is fenced.
 *
 * Yields:  yes. Returns: the answer; 'abandoned' at once if the client is fenced already.
 */
export function* ask(
  remote: RemoteActor,
  at: YieldPoint,
  method: string,
  params: unknown,
): Task<QuestionOutcome | 'abandoned'> {
  if (remote.state !== 'attached') return 'abandoned';
  const id = serial(remote.context);
  const object = objectId('answer', 0, id);
  const question: AwaitedQuestion = { kind: 'awaited', method, params, object, answer: 'open' };
  remote.questions.set(id, question);
  remote.send({ kind: 'question', actor: remote.actor, id, method, params });
  yield waitUntil(at, object, () => question.answer !== 'open');
  remote.questions.delete(id);
  return question.answer === 'open' ? 'abandoned' : question.answer;
}

/** From here on no task waits for this client. Not a yield point. */
export function abandonQuestions(remote: RemoteActor): void {
  remote.state = 'fenced';
  remote.fencings += 1;
  remote.requestsLingering += remote.requestsInFlight;
  remote.requestsInFlight = 0;
  for (const [id, question] of remote.questions.all()) {
    if (question.kind === 'sent') {
      remote.questions.delete(id);
      mmuIntervalSetSeq(question.sub, question.seq);
      question.answers.abandoned(question.place);
    } else if (question.answer === 'open') {
      question.answer = 'abandoned';
      wake(remote.context, question.object);
    }
  }
}

/**
 * Runs one request and sends its answer, unless its client has left: the whole of a task.
 *
 * Yields: as `work` does.
 */
export function* answerRequest(remote: RemoteActor, id: RequestId, work: Task<Served>): Task<void> {
  const { fencings, departures } = remote;
  remote.requestsInFlight += 1;
  const outcome = yield* work;
  if (remote.fencings === fencings) remote.requestsInFlight -= 1;
  else {
    remote.requestsLingering -= 1;
    wake(remote.context, remote.idle);
  }
  if (remote.departures !== departures) return;
  remote.send({
    kind: 'response',
    actor: remote.actor,
    id,
    outcome,
    contents: outcome.ok ? outcome.contents : NO_CONTENTS,
  });
}

/** Waits until no request from before the client was fenced runs any more. Yields: yes. */
export function* requestsEnded(remote: RemoteActor, at: YieldPoint): Task<void> {
  yield waitUntil(at, remote.idle, () => remote.requestsLingering === 0);
}
