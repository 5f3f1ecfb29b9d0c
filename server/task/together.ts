import { serial, type TaskContext, touch, wake } from './context.ts';
import { objectId } from './object-id.ts';
import type { Task, YieldPoint } from './task.ts';
import { waitUntil } from './task.ts';

export interface Part<T> {
  readonly actor: string;
  readonly name: string;
  readonly task: Task<T>;
}

/**
 * Runs `parts` as tasks of their own, in every order that the policy may choose, and waits for all of them.
 *
 * Yields: yes. Returns: the results in the order of `parts`.
 */
export function* together<T>(
  context: TaskContext,
  at: YieldPoint,
  parts: readonly Part<T>[],
): Task<T[]> {
  const results: T[] = [];
  let running = parts.length;
  const done = objectId('task', 0, serial(context));
  // Returns what the parent will find: an explorer must know what the parent has heard.
  function* run(part: Part<T>, index: number): Task<T> {
    const result = yield* part.task;
    results[index] = result;
    running -= 1;
    // As with a lock: whoever waits comes after all parts, and none of them races with the waiting.
    touch(context, done, 'release-read');
    if (running === 0) wake(context, done, 'release-read');
    return result;
  }
  yield {
    kind: 'spawn',
    at,
    children: parts.map((part, index) => ({
      actor: part.actor,
      name: part.name,
      done,
      task: run(part, index),
    })),
  };
  yield waitUntil(at, done, () => running === 0);
  touch(context, done, 'acquire-write');
  return results;
}
