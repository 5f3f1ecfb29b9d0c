import { serial, type TaskContext, touch, wake } from './context.ts';
import { type ObjectId, objectId } from './object-id.ts';
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
  const done = objectId('task', 0, serial(context));
  const joint: Joint<T> = { context, done, results: [], running: parts.length };
  yield {
    kind: 'spawn',
    at,
    children: parts.map((part, index) => ({
      actor: part.actor,
      name: part.name,
      done,
      task: run(joint, part, index),
    })),
  };
  yield waitUntil(at, done, () => joint.running === 0);
  touch(context, done, 'acquire-write');
  return joint.results;
}

interface Joint<T> {
  readonly context: TaskContext;
  readonly done: ObjectId;
  readonly results: T[];
  running: number;
}

/** Returns what the parent will find: an explorer must know what the parent has heard. */
function* run<T>(joint: Joint<T>, part: Part<T>, index: number): Task<T> {
  const { context, done } = joint;
  const result = yield* part.task;
  joint.results[index] = result;
  joint.running -= 1;
  // As with a lock: the waiting task comes after all parts, and none of them races with the waiting.
  touch(context, done, 'release-read');
  if (joint.running === 0) wake(context, done, 'release-read');
  return result;
}
