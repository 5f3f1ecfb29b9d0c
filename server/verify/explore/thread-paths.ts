/**
 * Names tasks so that they are found again in a smaller scenario: a thread by its actor and its place among that
 * actor's threads, and what it starts by whom it acts for.
 */
import type { Chooser } from '../../explorer/replay.ts';
import { goOnWithSame } from '../../explorer/replay.ts';
import type { PlannedThread } from '../../scenario/scenario-plan.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';

/** `dev0/1 > dev1 invalidate dev1 2`: the second callback of dev1 that the second thread of dev0 has started. */
export type ThreadPath = string;

const UNDER = ' > ';

/** Of one execution. Must see every task when it is ready for the first time. */
export class ThreadPaths {
  readonly #threads: readonly PlannedThread[];
  readonly #paths = new Map<number, ThreadPath>();
  readonly #counts = new Map<string, number>();
  #roots = 0;

  constructor(threads: readonly PlannedThread[]) {
    this.#threads = threads;
  }

  /** `ready` by ascending number. */
  see(ready: readonly RunningTask[]): void {
    for (const task of ready) if (!this.#paths.has(task.identity.id)) this.#name(task);
  }

  pathOf({ identity }: RunningTask): ThreadPath {
    return this.#paths.get(identity.id) ?? 'unknown';
  }

  #name({ identity }: RunningTask): void {
    const { id, actor, name, parent } = identity;
    if (parent === 'none') {
      const thread = this.#threads[this.#roots];
      const place = this.#threads.slice(0, this.#roots).filter((one) => one.actor === actor).length;
      this.#roots += 1;
      this.#paths.set(id, thread === undefined ? `${actor} ${name}` : `${actor}/${place}`);
      return;
    }
    const named = `${this.#paths.get(parent.id) ?? 'unknown'}${UNDER}${actor} ${name}`;
    const count = (this.#counts.get(named) ?? 0) + 1;
    this.#counts.set(named, count);
    this.#paths.set(id, `${named} ${count}`);
  }
}

/** Follows `wanted` as far as it can: a task that is not there, or cannot go on, is passed over. */
export function followPaths(
  threads: readonly PlannedThread[],
  wanted: readonly ThreadPath[],
): Chooser {
  const paths = new ThreadPaths(threads);
  let at = 0;
  return (ready, previous, depth) => {
    paths.see(ready);
    for (; at < wanted.length; at += 1) {
      const task = ready.find((one) => paths.pathOf(one) === wanted[at]);
      if (task === undefined) continue;
      at += 1;
      return task;
    }
    return goOnWithSame(ready, previous, depth);
  };
}

/** Actors that have gone have no name; the others may have another one. */
export type ActorNames = ReadonlyMap<string, string>;

/** `path` under new names of actors; 'gone' if it is, or was started by, an actor that has none. */
export function renamed(path: ThreadPath, names: ActorNames): ThreadPath | 'gone' {
  const parts = path.split(UNDER).map((part) => {
    const actor = part.split(/[ /]/)[0] ?? '';
    return names.has(actor)
      ? part.replaceAll(/[^ /]+/g, (word) => names.get(word) ?? word)
      : 'gone';
  });
  return parts.includes('gone') ? 'gone' : parts.join(UNDER);
}
