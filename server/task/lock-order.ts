import type { HeldLock, LockMode, TaskContext, TaskIdentity } from './context.ts';
import { LOCK_ORDER, type LockClass } from './lock-class.ts';

/** Classes of user code that stand inside each other behind one of LOCK_ORDER. */
const OWN_DEPTH_MAX = 16;

const RANK = new Map<LockClass, number>(
  LOCK_ORDER.map((name, rank) => [name, rank * OWN_DEPTH_MAX]),
);

function rankOf(lockClass: LockClass): number {
  return RANK.get(lockClass) ?? rankOfOwn(lockClass);
}

function rankOfOwn(lockClass: string): number {
  const [stock, ...inside] = lockClass.split('/');
  const rank = RANK.get(stock as LockClass);
  if (rank !== undefined && inside.length < OWN_DEPTH_MAX) return rank + inside.length;
  const hint = `one of your own is called "mmap_lock/${inside.at(-1) ?? stock}" if it goes inside mmap_lock`;
  throw new TypeError(`there is no lock class "${lockClass}"; ${hint}`);
}

/** 'nested': the task may hold another lock of the same class. */
export type Nesting = 'single' | 'nested';

interface Outer {
  readonly lock: HeldLock;
  readonly at: string;
}

function outerLockAfter(task: TaskIdentity, wanted: HeldLock, nesting: Nesting): Outer | 'none' {
  const limit = rankOf(wanted.class) + (nesting === 'nested' ? 1 : 0);
  for (let holder: TaskIdentity | 'none' = task; holder !== 'none'; holder = holder.parent) {
    const { held, heldAt } = holder;
    for (let index = 0; index < held.length; index += 1) {
      const lock = held[index] as HeldLock;
      if (rankOf(lock.class) >= limit) return { lock, at: heldAt[index] ?? 'unknown' };
    }
  }
  return 'none';
}

/**
 * Records that the running task is about to wait for `wanted` while it, or a task it runs under, holds a lock
 * that must be taken later (LK3). Trylocks do not come here: they cannot deadlock.
 */
export function checkLockOrder(
  context: TaskContext,
  at: string,
  wanted: HeldLock,
  nesting: Nesting = 'single',
): void {
  const task = context.current;
  if (task.held.length === 0 && task.parent === 'none') return;
  const outer = outerLockAfter(task, wanted, nesting);
  if (outer === 'none') return;
  context.lockOrderViolations.push({ task, at, outer: outer.lock, outerAt: outer.at, wanted });
}

export function recordHeld(context: TaskContext, lock: HeldLock, mode: LockMode): TaskIdentity {
  context.current.held.push(lock);
  context.current.heldAt.push(context.at);
  if (context.lockListener !== 'off') context.lockListener.taken(lock, mode, context.current);
  return context.current;
}

/**
 * `holder` is the task that took it: another task of the same actor may release it (an mmap_lock taken by a request).
 */
export function recordReleased(context: TaskContext, holder: TaskIdentity, lock: HeldLock): void {
  const at = holder.held.lastIndexOf(lock);
  if (at < 0) return;
  holder.held.splice(at, 1);
  holder.heldAt.splice(at, 1);
  if (context.lockListener !== 'off') context.lockListener.released(lock, holder);
}
