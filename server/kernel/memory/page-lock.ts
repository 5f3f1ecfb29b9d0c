import { touch } from '../../task/context.ts';
import { type Held, type Lock, newLock, tryLock, unlock } from '../../task/lock.ts';
import { checkLockOrder } from '../../task/lock-order.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Task, waitUntil, type YieldPoint } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel } from '../kernel.ts';
import { refcount, ZERO_PFN } from './frames.ts';

/** What one page's lock is called. */
export function pageLockObject(pfn: Pfn): ObjectId {
  return objectId('page_lock', 0, pfn);
}

export function pageLocked(k: Kernel, pfn: Pfn): boolean {
  touch(k.context, pageLockObject(pfn), 'read');
  return k.pageLocks.has(pfn);
}

/** Who holds the lock of an exclusive page is about to enter it in a device. */
export function assertLockedByNoOther(k: Kernel, pfn: Pfn): void {
  touch(k.context, pageLockObject(pfn), 'read');
  const holder = k.pageLocks.get(pfn)?.holder ?? 'none';
  invariant(holder === 'none' || holder === k.context.current, 'DX1', { pfn });
}

/** lock_page(): waits. Needs a reference on the page. */
export function* lockPage(k: Kernel, at: YieldPoint, pfn: Pfn): Task<void> {
  const object = pageLockObject(pfn);
  checkLockOrder(k.context, at, { class: 'page_lock', object });
  yield waitUntil(at, object, () => !k.pageLocks.has(pfn));
  invariant(tryLockPage(k, pfn) === 'locked', 'LK1', { pfn });
}

/**
 * After a wait for the lock of a page that only a reference keeps: one that is free and locked is a bad page for the
 * next task that allocates it (PAGE_FLAGS_CHECK_AT_PREP).
 */
export function assertInUse(k: Kernel, pfn: Pfn): void {
  // Nobody counts the references of the zero page.
  invariant(pfn === ZERO_PFN || refcount(k.frames, pfn) > 0, 'FR6', { pfn });
}

/** trylock_page(). Announce it with willWrite(at, pageLockObject(pfn)) where another task may want it. */
export function tryLockPage(k: Kernel, pfn: Pfn): 'locked' | 'busy' {
  if (k.pageLocks.has(pfn)) {
    touch(k.context, pageLockObject(pfn), 'read');
    return 'busy';
  }
  const made = newPageLock(pfn);
  invariant(tryLock(k.context, made) !== 'busy', 'LK1', { pfn });
  k.pageLocks.set(pfn, made);
  return 'locked';
}

export function unlockPage(k: Kernel, pfn: Pfn): void {
  const found = k.pageLocks.get(pfn);
  invariant(found !== undefined, 'LK2', { pfn });
  k.pageLocks.delete(pfn);
  unlock(k.context, found as Held<'page_lock'>);
}

/** Waits until the page is not locked, without taking the lock: folio_put_wait_locked(). */
export function* waitWhileLocked(k: Kernel, at: YieldPoint, pfn: Pfn): Task<void> {
  yield waitUntil(at, pageLockObject(pfn), () => !k.pageLocks.has(pfn));
}

function newPageLock(pfn: Pfn): Lock<'page_lock'> {
  return newLock('page_lock', pageLockObject(pfn));
}
