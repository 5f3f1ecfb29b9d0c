/** Which yield points came right behind which of another task: what a search has put in order, counted. */
import type { Scheduler, StepListener } from './scheduler.ts';

/** By yield point: those of other tasks whose step came right behind it, sorted. Plain data. */
export interface PairsReached {
  readonly [point: string]: readonly string[];
}

/** Where every task begins: no place in the code. */
const BEGIN = 'task.start';

export class PointPairs {
  readonly #behind = new Map<string, Set<string>>();

  /** From here on every step of this world is counted. */
  listen(scheduler: Scheduler): void {
    scheduler.listen(this.listener());
  }

  /** The same worlds; every step of them is counted. */
  of<W extends { readonly scheduler: Scheduler }>(newWorld: () => W): () => W {
    return () => {
      const made = newWorld();
      this.listen(made.scheduler);
      return made;
    };
  }

  /** Of one world. */
  listener(): StepListener {
    let last = BEGIN;
    let lastTask = 0;
    return ({ identity: { id } }, { at }) => {
      if (id !== lastTask && last !== BEGIN && at !== BEGIN) this.#add(last, at);
      last = at;
      lastTask = id;
    };
  }

  /** What was counted elsewhere counts here, too. */
  join(pairs: PairsReached): void {
    for (const [point, behind] of Object.entries(pairs)) {
      for (const other of behind) this.#add(point, other);
    }
  }

  found(): PairsReached {
    const sorted = [...this.#behind].toSorted(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(sorted.map(([point, behind]) => [point, [...behind].sort()]));
  }

  #add(first: string, second: string): void {
    const behind = this.#behind.get(first);
    if (behind === undefined) this.#behind.set(first, new Set([second]));
    else behind.add(second);
  }
}

/** What any of them has. */
export function joinedPairs(all: readonly PairsReached[]): PairsReached {
  const joined = new PointPairs();
  for (const pairs of all) joined.join(pairs);
  return joined.found();
}

export interface PairCounts {
  readonly points: number;
  readonly pairs: number;
}

/** How many yield points were at either end of a pair, and how many pairs there were. */
export function countPairs(pairs: PairsReached): PairCounts {
  const behind = Object.values(pairs).flat();
  return { points: new Set([...Object.keys(pairs), ...behind]).size, pairs: behind.length };
}
