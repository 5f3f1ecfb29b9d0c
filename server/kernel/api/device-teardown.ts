/**
 * What becomes of a device that is fenced or gone. Linux has no such thing (a device that does not answer hangs its
 * users); the choices are ours: what can be restored is restored, what is lost becomes poison (SIGBUS).
 */

import type { DeviceOwner, MigrateVma } from '../../abi/device-api.ts';
import { MIGRATE_PFN_MIGRATE, migratePfnHas, migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { type PageIndex, type Pfn, pagesFrom } from '../../vocabulary/address.ts';
import { destinationAt, sourceAt } from '../hmm/migrate-vma-pages.ts';
import { migrationPage } from '../hmm/migrate-vma-setup.ts';
import type { Kernel, Migration } from '../kernel.ts';
import { refcount } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { memunmapPages, putPage } from '../memory/page-references.ts';
import { findPtePage, pteObject } from '../memory/page-table.ts';
import { PTE_NONE, PTE_POISON, type Pte, pteIsDevicePrivate, ptePfn } from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';

/** From here on the device's DMA answers ENOTCONN. */
export function cutOffDevice(k: Kernel, owner: DeviceOwner): void {
  k.cutOff.add(owner);
}

export function reconnectDevice(k: Kernel, owner: DeviceOwner): void {
  k.cutOff.delete(owner);
}

/**
 * Ends a migration whose device is gone, in whichever phase: pages go back to their sources, inserted pages are
 * taken out again. Yields: yes.
 */
export function* abandonMigration(k: Kernel, migrate: MigrateVma): Task<void> {
  const migration = k.migrations.get(migrate.id);
  if (migration === undefined) return;
  for (let index = 0; index < migration.src.length; index += 1) {
    yield* takeBack(k, migration, index);
  }
  yield* k.fn.migrateVmaFinalize(k, migration);
}

function* takeBack(k: Kernel, migration: Migration, index: number): Task<void> {
  const source = sourceAt(migration, index);
  if (!migratePfnHas(source, MIGRATE_PFN_MIGRATE)) return;
  const to = migratePfnToPfn(destinationAt(migration, index));
  migration.src[index] = (source - MIGRATE_PFN_MIGRATE) as typeof source;
  const { vma, mm } = migration;
  if (migratePfnToPfn(source) === 'none' && to !== 'none' && vma !== 'none') {
    yield* replaceEntry(k, mm, vma, migrationPage(migration, index), to, PTE_NONE);
  }
}

/**
 * The device's private memory is lost: entries that name it become poison, and it is given back. Yields: yes.
 */
export function* surrenderMemory(k: Kernel, owner: DeviceOwner): Task<void> {
  for (const pgmap of k.pgmaps.slice()) {
    if (pgmap.device !== owner || pgmap.leftOver !== 'none') continue;
    for (let row = 0; row < pgmap.count; row += 1) {
      const pfn = (pgmap.first + row) as Pfn;
      if (refcount(k.frames, pfn) === 0) continue;
      yield* k.fn.rmapWalk(k, pfn, {
        *visit({ mm, vma, page }) {
          yield* replaceEntry(k, mm, vma, page, pfn, PTE_POISON);
          return 'go-on';
        },
        done: () => false,
        mapped: 'or not',
      });
    }
    memunmapPages(k, pgmap);
  }
}

/** If the entry is `pfn` as device-private memory, it becomes `pte`, and the mapping's reference goes. */
function* replaceEntry(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
  pfn: Pfn,
  pte: Pte,
): Task<void> {
  if (findPtePage(mm.table, page) === 'none') return;
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range: pagesFrom(page, 1),
    owner: 'none',
    blocking: 'blockable',
  });
  const at = yield* lockPte(k, 'bury_device.ptl', mm, vma, page);
  const seen = lockedPte(at);
  const found = pteIsDevicePrivate(seen) && ptePfn(seen) === pfn;
  if (found) {
    yield willWrite('bury_device.replace', pteObject(mm.table, page));
    setLockedPte(k, at, pte);
    k.fn.pageRemoveRmap(k, pfn);
  }
  unlockPte(k, at);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  if (found) yield* putPage(k, pfn);
}
