/** Registering classic notifiers, and taking them back. Source: mm/mmu_notifier.c, mm/mmap.c (6.1). Rules: MN5. */
import type { DeviceDriver, DeviceOwner } from '../../abi/device-api.ts';
import { type TaskContext, touch } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import { type HeldForWrite, writeLock, writeLockNested, writeUnlock } from '../../task/rwsem.ts';
import { type Task, waitUntil, willRead, willWrite } from '../../task/task.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { type Kernel, nextId } from '../kernel.ts';
import { rootOf } from '../memory/anon-vma.ts';
import { type Mm, mmUsersObject } from '../memory/mm.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { callRelease, srcuReadLock, srcuReadUnlock } from './classic-notifiers.ts';
import type { ListedNotifier } from './subscriptions.ts';

/**
 * Puts a driver at the head of the list, while no bracket of the address space is open: whoever opens one holds
 * mmap_lock, or a lock of the reverse map, or (since 6.5) that of a mapping.
 *
 * Takes: mmap_lock for writing, then what mm_take_all_locks() takes. Yields: yes.
 * Returns: EINVAL if the process has exited (Linux asks its callers to see to it), or the driver has nothing to call.
 */
export function* mmuNotifierRegister(
  k: Kernel,
  mm: Mm,
  { owner: device, driver }: { readonly owner: DeviceOwner; readonly driver: DeviceDriver },
): Task<Result<ListedNotifier>> {
  if (driver.mmuNotifier === undefined) return fail('EINVAL');
  const held = yield* writeLock(k.context, 'mmu_notifier_register.mmap_lock', mm.mmapLock);
  touch(k.context, mmUsersObject(mm.id), 'read');
  if (mm.users === 0) {
    mmapWriteUnlock(k.context, mm, held);
    return fail('EINVAL');
  }
  const all = yield* k.fn.mmTakeAllLocks(k, mm);
  const { subscriptions } = mm;
  yield willWrite('mmu_notifier_register.list', subscriptions.listObject);
  const id = nextId(k);
  const object = objectId('notifiers', mm.id, id);
  const next = subscriptions.list;
  const made: ListedNotifier = { id, object, device, driver, next, state: 'listed', calls: 0 };
  subscriptions.list = made;
  for (const one of all.toReversed()) writeUnlock(k.context, one);
  mmapWriteUnlock(k.context, mm, held);
  return ok(made);
}

/**
 * mm_take_all_locks(): every lock of the reverse map that leads to the address space.
 *
 * Holds: mmap_lock for writing. Differs: mm_all_locks_mutex, which orders two tasks that do so for different address
 * spaces.
 */
export function* mmTakeAllLocks(k: Kernel, mm: Mm): Task<HeldForWrite[]> {
  const held: HeldForWrite[] = [];
  const { vmas } = mm;
  const files = new Set(vmas.flatMap(({ file }) => (file === 'none' ? [] : [file.iMmapRwsem])));
  for (const sem of files) {
    held.push(yield* writeLockNested(k.context, 'mm_take_all_locks.i_mmap_lock', sem));
  }
  const roots = new Set(vmas.flatMap(({ chain }) => chain.map((one) => rootOf(one).rwsem)));
  for (const sem of roots) {
    held.push(yield* writeLockNested(k.context, 'mm_take_all_locks.anon_vma_lock', sem));
  }
  return held;
}

/**
 * Takes a notifier back: release() is called, unless exit has done so, and on return no callback of it is running or
 * will run.
 *
 * Holds: no lock that a callback takes, because it waits for them. Yields: yes.
 */
export function* mmuNotifierUnregister(k: Kernel, mm: Mm, notifier: ListedNotifier): Task<void> {
  const { subscriptions } = mm;
  yield willRead('mmu_notifier_unregister.list', subscriptions.listObject);
  if (notifier.state === 'listed') {
    // A read side, so that exit waits for it.
    const reader = srcuReadLock(k, subscriptions);
    yield* callRelease(k, mm, notifier);
    srcuReadUnlock(k, subscriptions, reader);
    yield willWrite('mmu_notifier_unregister.unlink', subscriptions.listObject);
    unlink(k.context, mm, notifier);
    subscriptions.leaving += 1;
    yield* k.fn.synchronizeSrcu(k, mm);
    subscriptions.leaving -= 1;
    return;
  }
  yield* k.fn.synchronizeSrcu(k, mm);
}

/** Waits for the walks of the list that are under way now. Yields: yes. */
export function* synchronizeSrcu(_k: Kernel, { subscriptions }: Mm): Task<void> {
  const { readers, readersObject } = subscriptions;
  yield willWrite('synchronize_srcu.begin', readersObject);
  const walking = [...readers];
  yield waitUntil('synchronize_srcu.wait', readersObject, () =>
    walking.every((reader) => !readers.has(reader)),
  );
}

/** After mmuNotifierUnregister(): the caller frees what the callbacks work with. */
export function freeNotifier(k: Kernel, notifier: ListedNotifier): void {
  touch(k.context, notifier.object, 'write');
  invariant(notifier.calls === 0, 'MN5', { notifier: notifier.id });
  notifier.state = 'freed';
}

/** hlist_del_init_rcu(): exit may have done it meanwhile. */
function unlink(context: TaskContext, { subscriptions }: Mm, gone: ListedNotifier): void {
  touch(context, gone.object, 'write');
  if (gone.state !== 'listed') return;
  gone.state = 'unlisted';
  if (subscriptions.list === gone) {
    subscriptions.list = gone.next;
    return;
  }
  let before = subscriptions.list;
  while (before !== 'none' && before.next !== gone) before = before.next;
  if (before !== 'none') before.next = gone.next;
}
