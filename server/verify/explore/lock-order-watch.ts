/**
 * Collects the lock-order violations (LK3) of every execution of a search: they are a danger whether or not the run in
 * which they came deadlocks, and whether or not the scenario asks about them.
 */
import type { Explored, NewExplored } from '../../explorer/explored.ts';
import type { LockOrderViolation } from '../../task/context.ts';
import type { LockClass } from '../../task/lock-class.ts';

/** Plain data: one pair of locks at one place. */
export interface LockOrderBreach {
  readonly actor: string;
  readonly task: string;
  /** Where it wants to take this lock. */
  readonly at: string;
  readonly wants: LockClass;
  /** The lock that it, or a task that it runs under, holds already, and where that was taken. */
  readonly holds: LockClass;
  readonly since: string;
}

/** More of them only repeat the first. */
const BREACHES_MAX = 50;

export class LockOrderWatch {
  readonly #found = new Map<string, LockOrderBreach>();
  #last: Explored | 'none' = 'none';

  /** The same worlds. Each is looked at when the next one is made, and the last by found(). */
  of(newExplored: NewExplored): NewExplored {
    return () => {
      this.#look();
      const made = newExplored();
      this.#last = made;
      return made;
    };
  }

  found(): LockOrderBreach[] {
    this.#look();
    return [...this.#found.values()];
  }

  #look(): void {
    if (this.#last === 'none') return;
    for (const violation of this.#last.scheduler.context.lockOrderViolations) {
      const breach = breachOf(violation);
      const key = keyOf(breach);
      if (this.#found.size < BREACHES_MAX && !this.#found.has(key)) this.#found.set(key, breach);
    }
    this.#last = 'none';
  }
}

function keyOf({ actor, at, wants, holds, since }: LockOrderBreach): string {
  return `${actor} ${at} ${wants} ${holds} ${since}`;
}

/** Each place once, in the order in which they came. */
export function distinctBreaches(breaches: readonly LockOrderBreach[]): LockOrderBreach[] {
  return [...new Map(breaches.map((breach) => [keyOf(breach), breach])).values()];
}

function breachOf({ task, at, outer, outerAt, wanted }: LockOrderViolation): LockOrderBreach {
  const { actor, name } = task;
  return { actor, task: name, at, wants: wanted.class, holds: outer.class, since: outerAt };
}

/** `lock order (LK3): dev0 (fault-read) wants page_lock at ... and holds driver_lock since ...`. */
export function describeBreach({ actor, task, at, wants, holds, since }: LockOrderBreach): string {
  return `lock order (LK3): ${actor} (${task}) wants ${wants} at ${at} and holds ${holds} since ${since}`;
}
