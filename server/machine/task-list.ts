/**
 * The tasks of a machine for the policy that chooses among them: where each stands, what it waits for, and who has
 * that. Looks and changes nothing.
 */
import type { RunningTask } from '../scheduler/scheduler.ts';
import { isReady } from '../scheduler/scheduler.ts';
import { describeObject, type ObjectId } from '../task/object-id.ts';
import type { ActorName } from './remote/inbound.ts';
import type { RemoteDevice } from './remote/remote-device.ts';
import type { World } from './world.ts';

export interface ListedTask {
  readonly id: number;
  readonly actor: ActorName;
  readonly name: string;
  /** The yield point where it stands. */
  readonly at: string;
  readonly state: 'ready' | 'waits';
  /** 'nothing' if it is ready. */
  readonly waitsFor: ObjectId | 'nothing';
  readonly holder: ActorName | 'unknown';
}

/** Ready ones first, the next to go first of all; then those that wait, the oldest first. */
export type TaskList = readonly ListedTask[];

export function taskList(world: World, devices: Iterable<RemoteDevice>): TaskList {
  const { scheduler } = world;
  const waiting = scheduler.blockedTasks();
  const ready: RunningTask[] = [];
  // One that has yet to notice that it cannot go on is only parked when its turn comes.
  for (const task of scheduler.queuedTasks()) (isReady(task) ? ready : waiting).push(task);
  const all = [...ready, ...waiting.sort((a, b) => a.identity.id - b.identity.id)];
  const holders = holdersOf(world, all, devices);
  return all.map((task) => {
    const { id, actor, name } = task.identity;
    const { pending } = task;
    const listed = { id, actor, name, at: pending.at };
    if (isReady(task) || pending.kind !== 'block') {
      return { ...listed, state: 'ready', waitsFor: 'nothing', holder: 'unknown' };
    }
    const holder = holders.get(pending.on) ?? 'unknown';
    return { ...listed, state: 'waits', waitsFor: pending.on, holder };
  });
}

/** `mmap_lock(0, 0x0)`, or `an answer` where the object is a running number without a meaning. */
export function waitedFor(object: ObjectId): string {
  const described = describeObject(object);
  if (described.startsWith('answer(')) return 'an answer';
  return described.startsWith('task(') ? 'the end of a task' : described;
}

function holdersOf(
  world: World,
  tasks: readonly RunningTask[],
  devices: Iterable<RemoteDevice>,
): ReadonlyMap<ObjectId, ActorName> {
  const holders = new Map<ObjectId, ActorName>();
  const { kernel } = world;
  for (const task of tasks) {
    holders.set(task.done, task.identity.actor);
    for (const { object } of task.identity.held) holders.set(object, task.identity.actor);
  }
  // Locks that a device took by a request that has ended.
  for (const { object, holder } of kernel.pageLocks.values()) {
    if (holder !== 'none') holders.set(object, holder.actor);
  }
  for (const { mmapLock } of kernel.mms.values()) {
    const holder = mmapLock.writer === 'none' ? mmapLock.readers[0] : mmapLock.writer;
    if (holder !== undefined) holders.set(mmapLock.object, holder.actor);
  }
  for (const device of devices) {
    for (const question of device.questions.values()) {
      const object = question.kind === 'awaited' ? question.object : question.answers.object;
      holders.set(object, device.actor);
    }
  }
  return holders;
}
