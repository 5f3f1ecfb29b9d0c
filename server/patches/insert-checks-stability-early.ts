import { MIGRATE_PFN_NONE, migratePfnToPfn, withoutMigrate } from '../abi/migrate-pfn.ts';
import { destinationAt, insertLocked, sourceAt } from '../kernel/hmm/migrate-vma-pages.ts';
import { migrationPage } from '../kernel/hmm/migrate-vma-setup.ts';
import { changeSource } from '../kernel/hmm/open-migrations.ts';
import type { Kernel, Migration } from '../kernel/kernel.ts';
import { isStable } from '../kernel/memory/address-space-stability.ts';
import { pteNone } from '../kernel/memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../kernel/memory/pte-lock.ts';
import { type Task, willRead } from '../task/task.ts';
import type { Patch } from './patch.ts';

/** Race 47: the reaper comes between the look and the lock; what it has emptied reads as zeros, and not as SIGBUS. */
export const insertChecksStabilityEarly: Patch = {
  id: 'insert-checks-stability-early',
  provenance:
    'from the source: migrate_vma_insert_page() (mm/migrate_device.c) asks ' +
    'check_stable_address_space() under the PTE lock',
  summary:
    'migrate_vma_insert_page() asks before it takes the PTE lock whether the OOM reaper was here',
  overrides: () => ({ migrateVmaInsertPage: lookThenInsert }),
};

function* lookThenInsert(k: Kernel, migration: Migration, index: number): Task<void> {
  const { mm, vma } = migration;
  const to = migratePfnToPfn(destinationAt(migration, index) ?? MIGRATE_PFN_NONE);
  if (vma === 'none' || to === 'none') return;
  const page = migrationPage(migration, index);
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  yield willRead('migrate_vma_insert_page.stable', mm.unstableObject);
  const stable = isStable(k, mm);
  const at = yield* lockPte(k, 'migrate_vma_insert_page.ptl', mm, vma, page);
  if (stable && pteNone(lockedPte(at))) yield* insertLocked(k, at, to);
  else changeSource(k, migration, index, withoutMigrate(sourceAt(migration, index)));
  unlockPte(k, at);
}
