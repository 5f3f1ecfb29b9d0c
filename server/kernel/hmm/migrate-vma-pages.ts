/**
 * migrate_vma_pages(): moves the struct page state to the destinations; inserts device pages where the source was
 * empty or the zero page. What could not move loses its MIGRATE flag, and the driver must look.
 *
 * Source: mm/migrate_device.c, __migrate_device_pages(), migrate_vma_insert_page(); mm/migrate.c,
 * folio_migrate_mapping() (6.1).
 */
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_VALID,
  type MigratePfn,
  migratePfnHas,
  migratePfnToPfn,
  withoutMigrate,
} from '../../abi/migrate-pfn.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import { type Pfn, pagesFrom } from '../../vocabulary/address.ts';
import type { Invalidation, Kernel, LockedPte, Migration } from '../kernel.ts';
import { isStable } from '../memory/address-space-stability.ts';
import {
  getPage,
  hasFlag,
  isDevicePfn,
  mappingOf,
  PAGE_ANON,
  PAGE_DIRTY,
  PAGE_FILE,
  PAGE_SWAPBACKED,
  PAGE_SWAPCACHE,
  pageObject,
  refcount,
  setFlag,
  setMapping,
} from '../memory/frames.ts';
import { pgmapOwnerOf } from '../memory/page-references.ts';
import { isHuge, pteObject } from '../memory/page-table.ts';
import {
  mkDevicePrivate,
  mkPte,
  PTE_DIRTY,
  PTE_NONE,
  PTE_WRITE,
  PTE_YOUNG,
  pteIsZeroPage,
  pteNone,
  ptePresent,
} from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { userfaultfdMissing } from '../memory/userfault.ts';
import { isAnonymous } from '../memory/vma.ts';
import { migrationPage } from './migrate-vma-setup.ts';
import { changeSource } from './open-migrations.ts';

/**
 * From the first empty source to the end of the range runs a second invalidation. The first has ended, so another
 * device may have read the hole since, and hold the zero page: it must be notified that the entry changes.
 *
 *   device A (migrates)                 device B (mirrors)
 *     migrate_vma_setup()
 *       invalidate A, B; ends
 *                                         fault: reads the zero page, maps it
 *     migrate_vma_pages()
 *       invalidate A, B                   <- required, else B reads zeros for ever
 *       insert A's page
 *
 * Holds: mmap_lock for read. Takes: callbacks' locks, the PTE lock. Yields: yes.
 */
export function* migrateVmaPages(k: Kernel, migration: Migration): Task<void> {
  let bracket: Invalidation | 'none' = 'none';
  for (let index = 0; index < migration.src.length; index += 1) {
    if (bracket === 'none' && fillsHole(migration, index)) {
      const started = yield* k.fn.mmuNotifierInvalidateRangeStart(k, migration.mm, {
        event: 'migrate',
        range: { first: migrationPage(migration, index), end: migration.range.end },
        owner: pgmapOwnerOf(k, migration.owner),
        blocking: 'blockable',
      });
      if (started.ok) bracket = started.value;
    }
    yield* migratePageAt(k, migration, index);
  }
  if (bracket !== 'none') yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket);
}

/** The source is empty or the zero page, and there is a destination. */
export function fillsHole(migration: Migration, index: number): boolean {
  const source = sourceAt(migration, index);
  return (
    migratePfnHas(source, MIGRATE_PFN_MIGRATE) &&
    !migratePfnHas(source, MIGRATE_PFN_VALID) &&
    migratePfnHas(destinationAt(migration, index), MIGRATE_PFN_VALID)
  );
}

/** One page of the loop: move, insert, or clear the MIGRATE flag. */
export function* migratePageAt(k: Kernel, migration: Migration, index: number): Task<void> {
  const source = sourceAt(migration, index);
  const to = migratePfnToPfn(destinationAt(migration, index));
  if (to === 'none') {
    refuse(k, migration, index);
    return;
  }
  const from = migratePfnToPfn(source);
  if (from === 'none') {
    if (migratePfnHas(source, MIGRATE_PFN_MIGRATE)) {
      yield* k.fn.migrateVmaInsertPage(k, migration, index);
    }
    return;
  }
  if (!migratePfnHas(source, MIGRATE_PFN_MIGRATE)) return;
  if (isDevicePfn(to) && !(yield* k.fn.mayMigrateToDevice(k, from))) {
    refuse(k, migration, index);
    return;
  }
  yield willRead('folio_migrate_mapping.refcount', pageObject(from));
  const ours = from === migration.faultPage ? 2 : 1;
  if (refcount(k.frames, from) !== ours + (hasFlag(k.frames, from, PAGE_SWAPCACHE) ? 1 : 0)) {
    refuse(k, migration, index);
    return;
  }
  k.fn.folioMigrateMapping(k, from, to);
}

/** Only anonymous memory goes to a device, and what is in the swap cache counts as a page of a mapping. */
export function* mayMigrateToDevice(k: Kernel, from: Pfn): Task<boolean> {
  return !(hasFlag(k.frames, from, PAGE_FILE) || hasFlag(k.frames, from, PAGE_SWAPCACHE));
}

/** folio_migrate_mapping() and folio_migrate_flags(): the destination takes over what the source was. */
export function folioMigrateMapping(k: Kernel, from: Pfn, to: Pfn): void {
  const { id, index } = mappingOf(k.frames, from);
  setMapping(k.frames, to, id, index);
  if (hasFlag(k.frames, from, PAGE_SWAPBACKED)) setFlag(k.frames, to, PAGE_SWAPBACKED);
  if (hasFlag(k.frames, from, PAGE_ANON)) setFlag(k.frames, to, PAGE_ANON);
  if (hasFlag(k.frames, from, PAGE_DIRTY)) setFlag(k.frames, to, PAGE_DIRTY);
}

/**
 * migrate_vma_insert_page(): a destination for an entry that is still empty or the zero page. Of two devices that
 * fill the same hole one finds it taken and loses.
 */
export function* migrateVmaInsertPage(k: Kernel, migration: Migration, index: number): Task<void> {
  const { mm, vma } = migration;
  const to = migratePfnToPfn(destinationAt(migration, index));
  const page = migrationPage(migration, index);
  if (vma === 'none' || !isAnonymous(vma) || to === 'none' || isHuge(mm.table, page)) {
    refuse(k, migration, index);
    return;
  }
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  const at = yield* lockPte(k, 'migrate_vma_insert_page.ptl', mm, vma, page);
  const seen = lockedPte(at);
  const replacesZeroPage = ptePresent(seen) && pteIsZeroPage(seen) && !isHuge(mm.table, page);
  const fillable = isStable(k, mm) && (pteNone(seen) || replacesZeroPage);
  // What is missing is the monitor's to fill.
  if (!fillable || userfaultfdMissing(k, mm, page)) {
    unlockPte(k, at);
    refuse(k, migration, index);
    return;
  }
  yield* insertLocked(k, at, to);
  unlockPte(k, at);
}

/** The second half: puts `to` where nothing or the zero page is. Holds: the PTE lock of `at`. */
export function* insertLocked(k: Kernel, at: LockedPte, to: Pfn): Task<void> {
  const { mm, vma, page } = at;
  getPage(k.frames, to, 1);
  if (ptePresent(lockedPte(at))) {
    yield willWrite('migrate_vma_insert_page.clear', pteObject(mm.table, page));
    setLockedPte(k, at, PTE_NONE);
    yield* k.fn.flushTlbNotify(k, mm, pagesFrom(page, 1));
  }
  yield willWrite('migrate_vma_insert_page.insert', pteObject(mm.table, page));
  k.fn.pageAddNewAnonRmap(k, mm, vma, page, to);
  const writable = vma.prot === 'rw';
  setLockedPte(
    k,
    at,
    isDevicePfn(to)
      ? mkDevicePrivate(to, writable ? 'writable' : 'readable')
      : mkPte(to, PTE_YOUNG | (writable ? PTE_WRITE | PTE_DIRTY : 0)),
  );
}

function refuse(k: Kernel, migration: Migration, index: number): void {
  changeSource(k, migration, index, withoutMigrate(sourceAt(migration, index)));
}

export function sourceAt(migration: Migration, index: number): MigratePfn {
  return migration.src[index] ?? MIGRATE_PFN_NONE;
}

export function destinationAt(migration: Migration, index: number): MigratePfn {
  return migration.dst[index] ?? MIGRATE_PFN_NONE;
}
