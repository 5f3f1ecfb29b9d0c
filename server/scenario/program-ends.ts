import { type TaskContext, wake } from '../task/context.ts';
import { type ObjectId, objectId } from '../task/object-id.ts';

/** Who has come to the end of its program: what the operation `wait` waits for. */
export interface ProgramEnds {
  /** Woken when the last thread of `actor` ends. A template stands for all its instances. */
  object(actor: string): ObjectId;
  ended(actor: string): boolean;
  /** One thread of the instance `actor` has ended. */
  threadEnded(actor: string): void;
  /** How many threads have not ended, by the object that tells of them. */
  leftAt(object: ObjectId): number | 'unknown';
}

interface Counter {
  readonly object: ObjectId;
  left: number;
}

/** Under which names the end of an actor's thread counts, and how many threads count under each. */
export interface EndNames {
  readonly namesOf: ReadonlyMap<string, readonly string[]>;
  readonly threads: ReadonlyMap<string, number>;
}

export function newProgramEnds(context: TaskContext, names: EndNames): ProgramEnds {
  const counters = new Map<string, Counter>();
  for (const [name, left] of names.threads) {
    counters.set(name, { object: objectId('hold', 1, counters.size), left });
  }
  const counterOf = (actor: string): Counter => {
    const found = counters.get(actor);
    if (found === undefined) throw new RangeError(`there is no actor ${actor}`);
    return found;
  };
  return {
    object: (actor) => counterOf(actor).object,
    leftAt(object) {
      for (const counter of counters.values()) if (counter.object === object) return counter.left;
      return 'unknown';
    },
    ended: (actor) => counterOf(actor).left === 0,
    threadEnded(actor) {
      for (const name of names.namesOf.get(actor) ?? []) {
        const counter = counterOf(name);
        counter.left -= 1;
        wake(context, counter.object);
      }
    },
  };
}
