import type { HeldLock, TaskContext, TaskIdentity } from './context.ts';

/**
 * Outer to inner. A lock may be taken while holding only locks that stand before it. Reasons for each pair:
 * docs/LOCKING.md. Two locks of one class are taken through lockNested().
 */
export const LOCK_ORDER = [
  'driver_outer_lock',
  'mmap_lock',
  'page_lock',
  'i_mmap_rwsem',
  'driver_lock',
  'ptl',
  'device_memory_lock',
] as const;

export type LockClass = (typeof LOCK_ORDER)[number];

const RANK = new Map<LockClass, number>(LOCK_ORDER.map((name, rank) => [name, rank]));

function rankOf(lockClass: LockClass): number {
  return RANK.get(lockClass) ?? 0;
}

function outerLockAfter(task: TaskIdentity, wanted: HeldLock): HeldLock | 'none' {
  for (let holder: TaskIdentity | 'none' = task; holder !== 'none'; holder = holder.parent) {
    for (const outer of holder.held) {
      if (rankOf(outer.class) >= rankOf(wanted.class)) return outer;
    }
  }
  return 'none';
}

/**
 * Records that the running task is about to wait for `wanted` while it, or a task it runs under, holds a lock
 * that must be taken later (LK3). Trylocks do not come here: they cannot deadlock.
 */
export function checkLockOrder(context: TaskContext, at: string, wanted: HeldLock): void {
  const task = context.current;
  if (task.held.length === 0 && task.parent === 'none') return;
  const outer = outerLockAfter(task, wanted);
  if (outer !== 'none') context.lockOrderViolations.push({ task, at, outer, wanted });
}

export function recordHeld(context: TaskContext, lock: HeldLock): TaskIdentity {
  context.current.held.push(lock);
  return context.current;
}

/** `holder` is whoever took it: another task of the same actor may release it (an mmap_lock taken by a request). */
export function recordReleased(holder: TaskIdentity, lock: HeldLock): void {
  const at = holder.held.lastIndexOf(lock);
  if (at >= 0) holder.held.splice(at, 1);
}
