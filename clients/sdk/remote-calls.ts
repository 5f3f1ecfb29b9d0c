import { REQUESTS_IN_FLIGHT_MAX } from '../../server/protocol/limits.ts';
import { type TaskContext, wake } from '../../server/task/context.ts';
import { objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import { invariant } from '../../server/vocabulary/invariant.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';
import { CallRefused, localRefusal } from './call-refusal.ts';
import type { CallAnswer } from './connection.ts';
import type { Holds } from './holds.ts';
import type { LazyChecks } from './lazy-checks.ts';

/** Requests that tasks have under way at once. The rest of the server's limit is for callers without a task. */
export const TASK_REQUESTS_MAX = REQUESTS_IN_FLIGHT_MAX - 16;

const SLOT = objectId('answer', 0, 0);
const NO_PAGES: readonly PageContents[] = [];

/** Sends one request; `answered` is called once. Returns its id. */
export type SendRequest = (
  method: string,
  params: unknown,
  pages: readonly PageContents[],
  answered: (answer: CallAnswer) => void,
) => number;

export interface RemoteCallParts {
  readonly send: SendRequest;
  readonly context: TaskContext;
  readonly holds: Holds;
  /** What an answer of each method looks like. */
  readonly results: LazyChecks;
}

/**
 * Kernel calls over a connection, for tasks: a call sends a request and blocks its task until the answer is there.
 * `Params` and `Results` name what each method takes and gives.
 */
export class RemoteCalls<Params, Results extends { readonly [Method in keyof Params]: unknown }> {
  readonly #parts: RemoteCallParts;
  #inFlight = 0;

  constructor(parts: RemoteCallParts) {
    this.#parts = parts;
  }

  /**
   * Yields:  yes; also behind the answer, if a hold stands there.
   * Returns: what the server answered; EPROTO if that does not fit the method.
   */
  *ask<Method extends keyof Params & keyof Results & string>(
    method: Method,
    params: Params[Method],
    pages: readonly PageContents[] = NO_PAGES,
  ): Task<CallAnswer<Results[Method]>> {
    const answer = yield* this.#once(method, params, pages);
    yield* this.#parts.holds.pass(method);
    return this.#checked<Results[Method]>(method, answer);
  }

  /** As ask(), for calls that cannot fail. Throws: CallRefused where the session or the device is gone. */
  *demand<Method extends keyof Params & keyof Results & string>(
    method: Method,
    params: Params[Method],
  ): Task<Results[Method]> {
    const answer = yield* this.ask(method, params);
    if (!answer.ok) throw new CallRefused(method, answer.refusal);
    return answer.result;
  }

  *#once(method: string, params: unknown, pages: readonly PageContents[]): Task<CallAnswer> {
    if (this.#inFlight >= TASK_REQUESTS_MAX) {
      yield waitUntil('request.slot', SLOT, () => this.#inFlight < TASK_REQUESTS_MAX);
    }
    const arrived: { answer: CallAnswer | 'none' } = { answer: 'none' };
    this.#inFlight += 1;
    const id = this.#parts.send(method, params, pages, (answer) => {
      arrived.answer = answer;
      this.#inFlight -= 1;
      wake(this.#parts.context, objectId('answer', 0, id));
      wake(this.#parts.context, SLOT);
    });
    yield waitUntil(method, objectId('answer', 0, id), () => arrived.answer !== 'none');
    invariant(arrived.answer !== 'none', 'SC2', { method });
    return arrived.answer;
  }

  #checked<T>(method: string, answer: CallAnswer): CallAnswer<T> {
    if (!answer.ok) return answer;
    if (this.#parts.results.accepts(method, answer.result)) return answer as CallAnswer<T>;
    const remedy = 'Use a server of the same version as this client.';
    const text = `the server's answer to ${method} does not fit its schema`;
    return { ok: false, refusal: localRefusal('EPROTO', 'bad-answer', text, remedy) };
  }
}
