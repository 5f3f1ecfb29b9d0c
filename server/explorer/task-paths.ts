/**
 * Names tasks so that the same task is called the same in every execution, whatever its number there: the second
 * `invalidate` that the first `migrate` of dev0 started.
 */
import type { RunningTask } from '../scheduler/scheduler.ts';

export type TaskPath = string;

/** No actor and no task is called so. */
const UNDER = ' > ';

/** '' for a task that the world began with. */
export function parentOf(path: TaskPath): TaskPath {
  return path.slice(0, Math.max(0, path.lastIndexOf(UNDER)));
}

/** For one execution. Must see the ready tasks at every decision: a task is counted when it is seen first. */
export class TaskPaths {
  readonly #paths = new Map<number, TaskPath>();
  readonly #counts = new Map<string, number>();

  /** Parents are seen before their children, and siblings in the order in which they were started. */
  pathOf({ identity }: RunningTask): TaskPath {
    const known = this.#paths.get(identity.id);
    if (known !== undefined) return known;
    const { actor, name, parent } = identity;
    const above = parent === 'none' ? '' : `${this.#paths.get(parent.id) ?? '?'}${UNDER}`;
    const named = `${above}${actor} ${name}`;
    const count = (this.#counts.get(named) ?? 0) + 1;
    this.#counts.set(named, count);
    const path = `${named} ${count}`;
    this.#paths.set(identity.id, path);
    return path;
  }
}
