/**
 * The hand that runs a demo: asks actors to perform verbs of their programs, and holds them after a kernel call.
 * Nothing here reaches the machine, so none of it is in the inbound log: what it causes is.
 */
import type { ActorName } from '../machine/remote/inbound.ts';
import type { ConductorQuestion } from '../protocol/server-questions.ts';
import type { LabActor, Millis, QuestionId } from './lab-actor.ts';

/** What came of a question to an actor. */
export type Performed =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string };

export interface Verb {
  readonly verb: string;
  readonly [argument: string]: unknown;
}

interface Held {
  readonly after: string;
  readonly resolve: (held: 'held' | 'gone') => void;
}

/** Arrivals at holds that are remembered of one actor. */
const ARRIVED_MAX = 64;

export class Conductor {
  #nextId = 1;
  readonly #waiting = new Map<
    QuestionId,
    { actor: ActorName; done: (outcome: Performed) => void }
  >();
  readonly #expected = new Map<ActorName, Held[]>();
  /** How many tasks of each actor may stand still because a conductor said so. */
  readonly #ordered = new Map<ActorName, number>();
  /** Tasks that arrived at a hold before anybody waited for it, by actor. */
  readonly #arrived = new Map<ActorName, string[]>();

  /**
   * `done` is called in the turn of the client's answer; with `ok: false` if that is an error, or it left.
   *
   * Returns: the question's id, and the number of the frame that asks it.
   */
  put(
    actor: LabActor,
    method: ConductorQuestion,
    params: unknown,
    now: Millis,
    done: (outcome: Performed) => void,
  ): { readonly id: QuestionId; readonly seq: number } {
    const id = `c${this.#nextId}`;
    this.#nextId += 1;
    this.#waiting.set(id, { actor: actor.name, done });
    const seq = actor.link.ask(id, method, params);
    actor.questions.set(id, { method, askedAt: now, seq });
    // A verb may be one that stands still between two calls, and so may the moment that a client goes back to.
    if (method === 'hold' || method === 'perform' || isBack(params)) {
      this.#ordered.set(actor.name, (this.#ordered.get(actor.name) ?? 0) + 1);
    }
    return { id, seq };
  }

  /** A question that was put by an earlier server, and is open still. */
  wasPut(id: string, actor: ActorName, done: (outcome: Performed) => void): void {
    this.#nextId = Math.max(this.#nextId, Number(id.slice(1)) + 1);
    this.#waiting.set(id, { actor, done });
  }

  answered(id: QuestionId, outcome: Performed): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.done(outcome);
  }

  /** An actor's task stands still after the kernel function `after`: because of a hold, or by itself. */
  held(actor: LabActor, after: string, now: Millis): void {
    const ordered = this.#ordered.get(actor.name) ?? 0;
    if (ordered > 0) this.#ordered.set(actor.name, ordered - 1);
    // The player of a client may hold it, too, but not for ever.
    if (actor.holding === 0) actor.unorderedSince = Number.POSITIVE_INFINITY;
    if (ordered === 0) actor.unorderedSince = Math.min(actor.unorderedSince, now);
    actor.holding += 1;
    const expected = this.#expected.get(actor.name) ?? [];
    const at = expected.findIndex((one) => one.after === after);
    if (at >= 0) {
      const [found] = expected.splice(at, 1);
      found?.resolve('held');
    } else if ((this.#arrived.get(actor.name)?.length ?? 0) < ARRIVED_MAX) {
      push(this.#arrived, actor.name, after);
    }
  }

  /** Resolves once a task of the actor stands after `after`, or 'gone' if the actor leaves first. */
  untilHeld(actor: ActorName, after: string): Promise<'held' | 'gone'> {
    const arrived = this.#arrived.get(actor) ?? [];
    const at = arrived.indexOf(after);
    if (at >= 0) {
      arrived.splice(at, 1);
      return Promise.resolve('held');
    }
    return new Promise((resolve) => {
      push(this.#expected, actor, { after, resolve });
    });
  }

  /** A task that waits for this actor waits in vain. */
  gone(actor: ActorName): void {
    this.forget(actor, `${actor} left the lab`);
  }

  /** The actor does nothing more of what it was asked, and stands at no hold. Questions asked later count. */
  forget(actor: ActorName, why: string): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.actor !== actor) continue;
      this.#waiting.delete(id);
      waiting.done({ ok: false, why });
    }
    for (const expected of this.#expected.get(actor) ?? []) expected.resolve('gone');
    this.#expected.delete(actor);
    this.#arrived.delete(actor);
    this.#ordered.delete(actor);
  }
}

function isBack(params: unknown): boolean {
  return typeof params === 'object' && params !== null && 'moment' in params;
}

function push<Value>(lists: Map<ActorName, Value[]>, actor: ActorName, value: Value): void {
  const list = lists.get(actor);
  if (list === undefined) lists.set(actor, [value]);
  else list.push(value);
}
