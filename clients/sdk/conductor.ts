/**
 * The conductor's questions, which are the same for devices and CPUs: perform a verb, hold after a kernel call,
 * go on, start anew.
 */

import type { ClientMoment } from '../../server/protocol/client-moment.ts';
import type { ConductorQuestion, QuestionParams } from '../../server/protocol/server-questions.ts';
import { CONDUCTOR_QUESTIONS } from '../../server/protocol/server-questions.ts';
import type { Task } from '../../server/task/task.ts';
import type { Errno } from '../../server/vocabulary/errno.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { CallRefused } from './call-refusal.ts';
import type { ReceivedQuestion } from './connection.ts';
import type { Holds } from './holds.ts';
import type { Runtime } from './runtime.ts';

/** A verb and whatever it needs, as the conductor sent it: nothing of it has been checked. */
export type VerbParams = { readonly verb: string } & { readonly [name: string]: unknown };
/** What a verb came to, as JSON. */
export interface VerbResult {
  readonly [name: string]: unknown;
}

/** Answers of a client to questions. */
export interface Answering {
  readonly answer: (id: ReceivedQuestion['id'], result: unknown) => void;
  readonly answerError: (id: ReceivedQuestion['id'], errno: Errno, message: string) => void;
}

/** The running half of a client: replaced as a whole by `reset`. */
export interface Incarnation {
  readonly runtime: Runtime;
  readonly holds: Holds;
  readonly perform: (params: VerbParams) => Task<VerbResult>;
}

export interface ConductedParts extends Answering {
  readonly actor: string;
  readonly incarnation: Incarnation;
  /** Those that backTo() takes; 'none' if it takes none. */
  readonly moments: () => ClientMoment[] | 'none';
  /** Forgets everything and begins a new incarnation; with a moment, one that is as it was then if it can. */
  readonly reset: (moment: ClientMoment | 'new', answer: (went: 'kept' | 'lost') => void) => void;
}

export function isConductorQuestion(method: string): method is ConductorQuestion {
  return Object.hasOwn(CONDUCTOR_QUESTIONS, method);
}

/** Does what the conductor asks. `question.params` must fit the schema of `method`. */
export function obeyConductor(
  parts: ConductedParts,
  method: ConductorQuestion,
  question: ReceivedQuestion,
): void {
  const { incarnation } = parts;
  switch (method) {
    case 'perform': {
      const params = question.params as VerbParams;
      const task = incarnation.perform(params);
      incarnation.runtime.start(parts.actor, params.verb, task, (outcome) => {
        if (outcome.ok) parts.answer(question.id, outcome.value);
        else answerVerbFailure(parts, question.id, outcome.error);
      });
      break;
    }
    case 'hold': {
      const { after } = question.params as QuestionParams['hold'];
      if (incarnation.holds.arm(after) === 'armed') parts.answer(question.id, {});
      else parts.answerError(question.id, 'EAGAIN', 'HOLDS_MAX holds are armed; send go first');
      break;
    }
    case 'go':
      incarnation.holds.go();
      parts.answer(question.id, {});
      incarnation.runtime.turn();
      break;
    case 'reset':
      resetClient(parts, question);
      break;
    case 'moments': {
      const moments = parts.moments();
      if (moments === 'none') parts.answerError(question.id, 'EINVAL', 'no moments are kept');
      else parts.answer(question.id, { moments });
      break;
    }
    default:
      assertNever(method);
  }
}

function resetClient({ answer, reset }: ConductedParts, { id, params }: ReceivedQuestion): void {
  const { moment } = params as QuestionParams['reset'];
  // Whatever the new incarnation asks must come behind the answer: until then the server refuses it.
  if (moment === undefined) reset('new', () => answer(id, {}));
  else reset(moment, (went) => answer(id, { moment: went }));
}

/** Answers a question whose task threw. */
export function answerVerbFailure(
  parts: Answering,
  id: ReceivedQuestion['id'],
  error: unknown,
): void {
  if (error instanceof CallRefused) parts.answerError(id, error.refusal.errno, error.message);
  else if (error instanceof VerbRefused) parts.answerError(id, 'EINVAL', error.message);
  else parts.answerError(id, 'EIO', error instanceof Error ? error.message : String(error));
}

/** Throw this in `perform` for a verb that is unknown or whose parameters are wrong. */
export class VerbRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VerbRefused';
  }
}
