/**
 * One frame of a client, read once: what it asks, notifies or answers, or why it is refused. Pure: it looks at what
 * is known of the client and changes nothing.
 */

import type { OpenQuestion, QuestionId } from '../live/lab-actor.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import { NO_CONTENTS } from '../machine/remote/remote-actor.ts';
import { decodeBinaryFrame } from '../protocol/binary-frame.ts';
import type { CloseReason } from '../protocol/close-codes.ts';
import {
  ClientAnswer,
  ClientErrorAnswer,
  ClientNotification,
  ClientRequest,
  REQUEST_ID_CHARS_MAX,
  type RequestId,
} from '../protocol/envelope.ts';
import { briefly } from '../protocol/found-value.ts';
import type { HelloParams } from '../protocol/hello.ts';
import { REQUESTS_IN_FLIGHT_MAX } from '../protocol/limits.ts';
import { type Refusal, type RefusedFrame, refuse } from '../protocol/refusal.ts';
import type { NotificationSpec, RequestSpec } from '../protocol/request-spec.ts';
import {
  HELLO_CHECKS,
  NOTIFICATION_CHECKS,
  QUESTION_CHECKS,
  REQUEST_CHECKS,
  type Role,
  roleOf,
} from '../protocol/roles.ts';
import {
  type Check,
  compileCheck,
  firstErrorInFull,
  type MethodChecks,
} from '../protocol/validators.ts';
import { ERRNO_NUMBER, type Errno } from '../vocabulary/errno.ts';
import { suggestion } from '../vocabulary/nearest-word.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';
import { plainAnswer } from './plain-answer.ts';

/** What is known of a client that has said hello. */
export interface Speaker {
  readonly name: string;
  readonly role: Role;
  /** The `seq` of its last frame. */
  readonly received: number;
  readonly requests: ReadonlySet<RequestId>;
  readonly questions: { get(id: QuestionId): OpenQuestion | undefined };
  readonly answered: { has(id: QuestionId): boolean };
}

export type Received =
  | Extract<Inbound, { kind: 'request' | 'notify' }>
  | {
      readonly kind: 'answer';
      readonly id: QuestionId;
      /** Of the frame that asked. */
      readonly askedIn: number;
      readonly outcome: Extract<Inbound, { kind: 'answer' }>['outcome'];
      /** What the client said of an error, for people. */
      readonly said?: string;
    }
  | Refused
  | Fatal;

/** To be answered with an error; the session goes on. `seq`: whether the frame took a number. */
export interface Refused {
  readonly kind: 'refused';
  readonly id: RequestId | null;
  readonly refusal: Refusal;
  readonly seq: 'taken' | 'not-taken';
}

/** To be answered with an error, and closed. */
export interface Fatal {
  readonly kind: 'fatal';
  readonly reason: CloseReason;
  readonly refusal: Refusal;
}

export interface Hello {
  readonly kind: 'hello';
  readonly id: RequestId;
  readonly seq: number;
  readonly params: HelloParams;
}
export type Greeting = Hello | Refused;

/** Of the message of an error; what is longer is cut. */
const SAID_CHARS_MAX = 512;

const REQUEST = compileCheck(ClientRequest);
const NOTIFICATION = compileCheck(ClientNotification);
const ANSWER = compileCheck(ClientAnswer);
const ERROR_ANSWER = compileCheck(ClientErrorAnswer);

type Envelope = Partial<ClientRequest & ClientAnswer & ClientErrorAnswer>;

interface Frame {
  readonly envelope: Envelope;
  readonly contents: readonly PageContents[];
}

/** Reads a frame of a client that has said hello. */
export function receive(speaker: Speaker, data: Buffer, layout: 'text' | 'binary'): Received {
  if (layout === 'text') {
    const plain = receivePlainAnswer(speaker, data);
    if (plain !== 'other') return plain;
  }
  const frame = readFrame(data, layout);
  if ('kind' in frame) return frame;
  const { envelope, contents } = frame;
  const check = checkFor(envelope);
  if (!check.accepts(envelope)) return badEnvelope(check, envelope, speaker.received);
  if (envelope.seq !== speaker.received + 1) {
    const refusal = refuse('bad-envelope', 'seq', `${speaker.received + 1}`);
    return { kind: 'fatal', reason: 'seq-gap', refusal };
  }
  if (check === REQUEST) return receiveRequest(speaker, envelope as ClientRequest, contents);
  if (check === NOTIFICATION)
    return receiveNotification(speaker, envelope as ClientNotification, contents);
  return receiveAnswer(speaker, envelope as ClientAnswer | ClientErrorAnswer);
}

/** What the rest of receive() would make of it, for an `invalidate` that was carried out; 'other' for all else. */
function receivePlainAnswer(speaker: Speaker, data: Buffer): Received | 'other' {
  const answer = plainAnswer(data);
  if (answer === 'other' || answer.seq !== speaker.received + 1) return 'other';
  const { id, result } = answer;
  const question = speaker.questions.get(id);
  if (question === undefined || question.method !== 'invalidate') return 'other';
  return { kind: 'answer', id, askedIn: question.seq, outcome: { ok: true, result } };
}

/** Reads a frame of a client that has not said hello yet. Its `seq` may be any. */
export function receiveHello(data: Buffer, layout: 'text' | 'binary'): Greeting {
  const frame = readFrame(data, layout);
  if ('kind' in frame) return frame;
  const { envelope } = frame;
  if (!REQUEST.accepts(envelope)) return badEnvelope(REQUEST, envelope, 0);
  const { id, seq, method, params } = envelope as ClientRequest;
  const hello = HELLO_CHECKS.get(method);
  if (hello === undefined) return refused(id, refuse('hello-first', 'method', '"hello"'));
  if (!hello.params.accepts(params)) return refused(id, badParams(hello.params, params));
  return { kind: 'hello', id, seq, params: params as HelloParams };
}

function receiveRequest(
  speaker: Speaker,
  { id, method, params }: ClientRequest,
  contents: readonly PageContents[],
): Received {
  const { role } = speaker;
  const checks = REQUEST_CHECKS[role].get(method);
  if (checks === undefined) {
    const isNotification = NOTIFICATION_CHECKS[role].has(method);
    const bound = `no id: ${method} is a notification, and has no answer`;
    return refused(
      id,
      isNotification ? refuse('bad-envelope', 'id', bound) : unknownMethod(method, role),
    );
  }
  const wrong = misfit(checks, params, contents);
  if (wrong !== 'none') return refused(id, wrong);
  if (speaker.requests.has(id)) {
    return refused(id, refuse('id-in-use', 'id', 'an id without an open request'));
  }
  if (speaker.requests.size >= REQUESTS_IN_FLIGHT_MAX) {
    const bound = `at most ${REQUESTS_IN_FLIGHT_MAX} requests without an answer`;
    return refused(id, refuse('too-many-requests', 'id', bound));
  }
  return { kind: 'request', actor: speaker.name, id, method, params, contents };
}

function receiveNotification(
  speaker: Speaker,
  { method, params, seq }: ClientNotification,
  contents: readonly PageContents[],
): Received {
  const { role } = speaker;
  const checks = NOTIFICATION_CHECKS[role].get(method);
  if (checks === undefined) {
    const isRequest = REQUEST_CHECKS[role].has(method);
    const bound = `an id: ${method} is a request, and its answer repeats the id`;
    return unasked(
      { seq },
      isRequest ? refuse('bad-envelope', 'id', bound) : unknownMethod(method, role),
    );
  }
  const wrong = misfit(checks, params, contents);
  if (wrong !== 'none') return unasked({ seq }, wrong);
  return { kind: 'notify', actor: speaker.name, method, params, contents };
}

function receiveAnswer(speaker: Speaker, answer: ClientAnswer | ClientErrorAnswer): Received {
  const { id, seq } = answer;
  const frame = { seq, question: id };
  const question = speaker.questions.get(id);
  if (question === undefined) {
    const code = speaker.answered.has(id) ? 'answered-twice' : 'no-such-question';
    const found = briefly(id);
    return unasked(frame, refuse(code, 'id', 'the id of a question without an answer', { found }));
  }
  if ('error' in answer) {
    const errno = errnoOf(answer.error.data?.errno);
    const outcome = { ok: false, errno } as const;
    const said = answer.error.message.slice(0, SAID_CHARS_MAX);
    return { kind: 'answer', id, askedIn: question.seq, outcome, said };
  }
  const checks = QUESTION_CHECKS.get(question.method);
  if (checks !== undefined && !checks.result.accepts(answer.result)) {
    const { path, bound, found } = firstErrorInFull(checks.result, answer.result, 'result');
    return unasked(frame, refuse('bad-answer', path, bound, { found }));
  }
  const outcome = { ok: true, result: answer.result } as const;
  return { kind: 'answer', id, askedIn: question.seq, outcome };
}

function readFrame(data: Buffer, layout: 'text' | 'binary'): Frame | Refused {
  let text: string;
  let contents = NO_CONTENTS;
  if (layout === 'text') text = data.toString();
  else {
    const binary = decodeBinaryFrame(data);
    if ('bound' in binary) return badFrame(binary.bound);
    text = binary.json;
    contents = binary.pages;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return badFrame('one JSON object');
  }
  if (Array.isArray(value))
    return badFrame('one JSON object, and no batch: send each in a frame of its own');
  if (typeof value !== 'object' || value === null) return badFrame('one JSON object');
  return { envelope: value, contents };
}

function checkFor(envelope: Envelope): Check {
  if ('method' in envelope) return 'id' in envelope ? REQUEST : NOTIFICATION;
  return 'error' in envelope ? ERROR_ANSWER : ANSWER;
}

function badEnvelope(check: Check, envelope: Envelope, received: number): Refused {
  const { path, bound, found } = firstErrorInFull(check, envelope, '');
  const id = check === REQUEST && isRequestId(envelope.id) ? envelope.id : null;
  const seq = envelope.seq === received + 1 ? 'taken' : 'not-taken';
  return { kind: 'refused', id, refusal: refuse('bad-envelope', path, bound, { found }), seq };
}

function isRequestId(id: unknown): id is RequestId {
  if (typeof id === 'string') return id.length <= REQUEST_ID_CHARS_MAX;
  return Number.isSafeInteger(id) && Number(id) >= 0;
}

/** It has no seq, so it takes none: the session goes on, and so does what the client holds. */
function badFrame(bound: string): Refused {
  return {
    kind: 'refused',
    id: null,
    refusal: refuse('bad-frame', 'frame', bound),
    seq: 'not-taken',
  };
}

function refused(id: RequestId | null, refusal: Refusal): Refused {
  return { kind: 'refused', id, refusal, seq: 'taken' };
}

/** What was no request: its seq says which frame is meant. */
function unasked(frame: RefusedFrame, refusal: Refusal): Refused {
  return refused(null, { ...refusal, frame });
}

function unknownMethod(method: string, role: Role): Refusal {
  if (HELLO_CHECKS.has(method)) return refuse('hello-twice', 'method', 'one hello a connection');
  const owner = roleOf(method);
  if (owner !== 'none')
    return refuse('wrong-role', 'method', `a method of role ${role}, not of ${owner}`);
  const known = [...REQUEST_CHECKS[role].keys(), ...NOTIFICATION_CHECKS[role].keys()];
  const hint = suggestion(method, known);
  return refuse('unknown-method', 'method', `a method of role ${role}${hint}`, {
    found: briefly(method),
  });
}

function misfit(
  checks: MethodChecks<RequestSpec | NotificationSpec>,
  params: unknown,
  contents: readonly PageContents[],
): Refusal | 'none' {
  if (!checks.params.accepts(params)) return badParams(checks.params, params);
  if (contents.length > 0 && checks.spec.sends === 'no-pages') {
    return refuse('wrong-page-count', 'contents', '0 entries');
  }
  return 'none';
}

function badParams(check: Check, params: unknown): Refusal {
  const { path, bound, found } = firstErrorInFull(check, params, 'params');
  return refuse('bad-params', path, bound, { found });
}

function errnoOf(errno: string | undefined): Errno {
  return errno !== undefined && Object.hasOwn(ERRNO_NUMBER, errno) ? (errno as Errno) : 'EIO';
}
