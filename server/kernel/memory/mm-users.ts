/**
 * Who still uses an address space: mm_users. Its process is one, whatever the number of its threads; a device that
 * works in it may be another. With the last reference goes all that is mapped.
 *
 * Source: include/linux/sched/mm.h, kernel/fork.c (mmput, mmput_async) (6.1).
 * Differs: mm_count is not counted, since the structure stays as long as the machine does. Leaves out: references that
 * reclaim, GUP and the reverse map take while they work.
 */
import { serial, touch } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import type { Task } from '../../task/task.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel } from '../kernel.ts';
import { type Mm, mmUsersObject } from './mm.ts';

/**
 * Takes a reference, unless the last one is gone: then the address space is being taken down, or is.
 *
 * Yields: no; mmget_not_zero() of a device announces it.
 */
export function mmgetNotZero(k: Kernel, mm: Mm): 'taken' | 'gone' {
  touch(k.context, mmUsersObject(mm.id), 'write');
  if (mm.users === 0) return 'gone';
  mm.users += 1;
  return 'taken';
}

/**
 * Drops a reference. With the last one the caller takes the address space down (exit_mmap), there and then: it waits
 * for the callbacks of the devices, for mmap_lock, and for the locks of the reverse map.
 *
 * Holds: nothing of these, unless others hold references for sure. Yields: with the last one.
 */
export function* mmput(k: Kernel, mm: Mm): Task<void> {
  if (isLast(k, mm)) yield* k.fn.exitMmap(k, mm);
}

/**
 * mmput() for where the last reference may not be dropped: a worker takes the address space down. Yields: with the
 * last one.
 */
export function* mmputAsync(k: Kernel, mm: Mm): Task<void> {
  if (!isLast(k, mm)) return;
  const done = objectId('task', 0, serial(k.context));
  const task = k.fn.exitMmap(k, mm);
  const children = [{ actor: 'kworker', name: 'mmput_async', done, task }];
  yield { kind: 'spawn', at: 'mmput_async.schedule_work', detached: true, children };
}

function isLast(k: Kernel, mm: Mm): boolean {
  touch(k.context, mmUsersObject(mm.id), 'write');
  invariant(mm.users > 0, 'MM1', { mm: mm.id });
  mm.users -= 1;
  if (mm.users > 0) return false;
  invariant(!mm.takenDown, 'MM2', { mm: mm.id });
  mm.takenDown = true;
  return true;
}
