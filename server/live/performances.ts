/** Verbs that actors were asked to perform, and what came of each: for a conductor that asked and did not wait. */
import type { ActorName } from '../machine/remote/inbound.ts';
import { PERFORMANCES_KEPT_MAX } from '../protocol/limits.ts';
import type { Performed, Verb } from './conductor.ts';

export interface Performance {
  readonly id: string;
  readonly actor: ActorName;
  readonly verb: Verb;
  readonly outcome: Performed | 'running';
}

export class Performances {
  #nextId = 1;
  /** Oldest first. Beyond PERFORMANCES_KEPT_MAX the oldest are forgotten, whether they have ended or not. */
  readonly #kept = new Map<string, Performance>();

  /** `outcome` resolves with what comes of it. */
  begin(actor: ActorName, verb: Verb, outcome: Promise<Performed>): Performance {
    const begun: Performance = { id: `p${this.#nextId}`, actor, verb, outcome: 'running' };
    this.#nextId += 1;
    this.#kept.set(begun.id, begun);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= PERFORMANCES_KEPT_MAX) break;
      this.#kept.delete(id);
    }
    this.#settle(begun, outcome).catch(() => undefined);
    return begun;
  }

  async #settle(begun: Performance, outcome: Promise<Performed>): Promise<void> {
    const ended = await outcome;
    if (this.#kept.has(begun.id)) this.#kept.set(begun.id, { ...begun, outcome: ended });
  }

  get(id: string): Performance | 'unknown' {
    return this.#kept.get(id) ?? 'unknown';
  }
}
