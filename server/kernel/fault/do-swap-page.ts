/**
 * A fault on an entry that is not present: swap, migration, device-private, device-exclusive, poison.
 *
 * Source: mm/memory.c, do_swap_page(), remove_device_exclusive_entry(), restore_exclusive_pte(); mm/migrate.c,
 * migration_entry_wait(). 6.1 with two later fixes that close known races: the device page is locked before it is
 * referenced (1afaeb8293c9), and the task that loses that sleeps until it is unlocked (b570f37a2ce4).
 */

import { type Task, willRead, willWrite } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { pagesFrom } from '../../vocabulary/address.ts';
import type { Result } from '../../vocabulary/errno.ts';
import type { FaultOutcome, FaultRequest, Kernel, LockedPte } from '../kernel.ts';
import { lockedFrame } from '../memory/compound-page.ts';
import { getPage, refcount } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import {
  assertLockedByNoOther,
  lockPage,
  pageLockObject,
  tryLockPage,
  unlockPage,
  waitWhileLocked,
} from '../memory/page-lock.ts';
import { pgmapOf, putPage } from '../memory/page-references.ts';
import { pteObject, readPte } from '../memory/page-table.ts';
import {
  mkPte,
  PTE_DIRTY,
  PTE_WRITE,
  type Pte,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsSwap,
  pteModify,
  ptePfn,
  pteWithFlags,
  pteWrite,
} from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { mayWrite, vmProt } from './vm-page-prot.ts';

/**
 * `seen` is the entry as it was read without the lock.
 *
 * Holds: mmap_lock for read. Takes: page locks, the PTE lock, and what the device's callback takes.
 * Returns: 'sigbus' for poison and when the device cannot bring its page back.
 */
export function* doSwapPage(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  if (pteIsMigration(seen)) {
    yield* k.fn.migrationEntryWait(k, request.mm, request.page);
    return 'done';
  }
  if (pteIsDeviceExclusive(seen)) return yield* k.fn.removeDeviceExclusiveEntry(k, request, seen);
  if (pteIsDevicePrivate(seen)) return yield* faultDevicePrivate(k, request, seen);
  if (pteIsSwap(seen)) return yield* k.fn.swapIn(k, request, seen);
  return 'sigbus';
}

/** Sleeps until the page behind a migration entry, of a block as well, is unlocked. Needs no reference. */
export function* migrationEntryWait(k: Kernel, mm: Mm, page: PageIndex): Task<void> {
  yield willRead('migration_entry_wait.read', pteObject(mm.table, page));
  const seen = readPte(mm.table, page);
  if (!pteIsMigration(seen)) return;
  yield* waitWhileLocked(k, 'migration_entry_wait.sleep', lockedFrame(k, ptePfn(seen)));
}

/** Asks the device to bring its page back: struct dev_pagemap_ops.migrate_to_ram. */
function* faultDevicePrivate(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  const { mm, vma, page } = request;
  const pfn = ptePfn(seen);
  const at = yield* lockPte(k, 'do_swap_page.ptl', mm, vma, page);
  if (lockedPte(at) !== seen) {
    unlockPte(k, at);
    return 'done';
  }
  // Locked before it is referenced: two faulting threads that both hold references would each make the other's
  // migration fail, for ever. Under the PTE lock the page cannot go away.
  yield willWrite('do_swap_page.trylock', pageLockObject(pfn));
  if (tryLockPage(k, pfn) === 'busy') {
    unlockPte(k, at);
    yield* waitWhileLocked(k, 'do_swap_page.wait', pfn);
    return 'done';
  }
  getPage(k.frames, pfn, 1);
  unlockPte(k, at);
  const moved = yield* k.fn.migrateToRam(k, mm, page, pfn);
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
  return moved.ok ? 'done' : 'sigbus';
}

/** Calls the device that `pfn` belongs to. Holds: mmap_lock; the page, locked and referenced. */
export function* migrateToRam(k: Kernel, mm: Mm, page: PageIndex, pfn: Pfn): Task<Result<void>> {
  const { device, driver } = pgmapOf(k, pfn);
  k.emit({
    kind: 'callback',
    function: 'migrate_to_ram',
    device,
    args: { mm: mm.id, page, pfn },
  });
  const moved = yield* driver.migrateToRam({ mm: mm.id, page, pfn });
  k.emit({
    kind: 'callback-return',
    function: 'migrate_to_ram',
    device,
    result: moved.ok ? 'OK' : moved.errno,
  });
  return moved;
}

/**
 * A CPU touches a page that a device has for itself: the device is notified (event EXCLUSIVE without an owner, so that
 * no device may ignore it) and the entry becomes present again.
 */
export function* removeDeviceExclusiveEntry(
  k: Kernel,
  request: FaultRequest,
  seen: Pte,
): Task<FaultOutcome> {
  const { mm, vma, page } = request;
  const pfn = ptePfn(seen);
  // The entry's own reference may go while this waits for the lock (7c7b962938dd).
  if (refcount(k.frames, pfn) === 0) return 'done';
  getPage(k.frames, pfn, 1);
  yield* lockPage(k, 'remove_device_exclusive_entry.lock_page', pfn);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'exclusive',
    range: pagesFrom(page, 1),
    owner: 'none',
    blocking: 'blockable',
  });
  const at = yield* lockPte(k, 'remove_device_exclusive_entry.ptl', mm, vma, page);
  if (lockedPte(at) === seen) {
    yield willWrite('restore_exclusive_pte.set', pteObject(mm.table, page));
    k.fn.restoreExclusivePte(k, at);
  }
  unlockPte(k, at);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
  return 'done';
}

/** restore_exclusive_pte(): a writable exclusive entry comes back dirty. The entry's reference becomes the PTE's. */
export function restoreExclusivePte(k: Kernel, at: LockedPte): void {
  const seen = lockedPte(at);
  assertLockedByNoOther(k, ptePfn(seen));
  const fresh = pteModify(mkPte(ptePfn(seen), 0), vmProt(at.vma));
  const write = mayWrite(at.vma) ? PTE_WRITE : 0;
  setLockedPte(k, at, pteWrite(seen) ? pteWithFlags(fresh, PTE_DIRTY | write) : fresh);
}
