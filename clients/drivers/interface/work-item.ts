/**
 * Work that a driver leaves for later: a task of its own, under none of the locks of the one that queues it.
 *
 * Models: queue_work(), flush_work(), cancel_work_sync() of kernel/workqueue.c (6.1): an item that is queued and not
 * begun is not queued again, and never runs beside itself.
 * Differs: flushWork() waits until the item is idle; Linux waits for what was queued last before it.
 * Leaves out: workers that are few, delays, and items that wait for each other in one queue.
 */
import { serial, type TaskContext, touch, wake } from '../../../server/task/context.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import { type Task, waitUntil, willWrite } from '../../../server/task/task.ts';

/** A struct work_struct. */
export interface WorkItem {
  readonly context: TaskContext;
  readonly object: ObjectId;
  /** The device that it works for. */
  readonly actor: string;
  readonly name: string;
  pending: boolean;
  running: boolean;
}

/** `index` distinguishes the items of a device: 1 and more, since 0 is what it knows of its mm. */
export function newWorkItem(
  context: TaskContext,
  deviceNumber: number,
  index: number,
  of: { readonly actor: string; readonly name: string },
): WorkItem {
  const object = objectId('device', deviceNumber, index);
  return { context, object, ...of, pending: false, running: false };
}

/** For LabDevice.contentOf(): all that a task can learn at the item's object. */
export function contentOfWorkItem({ pending, running }: WorkItem): string {
  return `${pending} ${running}`;
}

/** Returns: false if it was queued already, and has not begun. Yields: yes. May be called with locks held. */
export function* queueWork(work: WorkItem, body: () => Task<void>): Task<boolean> {
  yield willWrite('queue_work.pending', work.object);
  if (work.pending) return false;
  work.pending = true;
  const { actor, name } = work;
  const done = objectId('task', 0, serial(work.context));
  const children = [{ actor, name, done, task: runWork(work, body) }];
  yield { kind: 'spawn', at: 'queue_work.worker', detached: true, children };
  return true;
}

/** Waits until the item neither runs nor is queued: for ever, if it is the item itself that asks. */
export function* flushWork(work: WorkItem): Task<void> {
  yield waitUntil('flush_work.wait', work.object, () => !(work.pending || work.running));
}

/** What is queued does not run; what runs is waited for. */
export function* cancelWorkSync(work: WorkItem): Task<void> {
  yield willWrite('cancel_work_sync.pending', work.object);
  work.pending = false;
  wake(work.context, work.object);
  yield waitUntil('cancel_work_sync.wait', work.object, () => !work.running);
}

function* runWork(work: WorkItem, body: () => Task<void>): Task<void> {
  yield waitUntil('process_one_work.begin', work.object, () => !work.running);
  touch(work.context, work.object, 'write');
  if (!work.pending) return;
  work.pending = false;
  work.running = true;
  yield* body();
  yield willWrite('process_one_work.end', work.object);
  work.running = false;
  wake(work.context, work.object);
}
