import { migratePfnToPfn } from '../abi/migrate-pfn.ts';
import { destinationAt, insertLocked } from '../kernel/hmm/migrate-vma-pages.ts';
import { migrationPage } from '../kernel/hmm/migrate-vma-setup.ts';
import type { Kernel, Migration } from '../kernel/kernel.ts';
import { lockPte, unlockPte } from '../kernel/memory/pte-lock.ts';
import type { Task } from '../task/task.ts';
import type { Patch } from './patch.ts';

/** Race 2, the kernel's half: of two devices that fill the same hole both see that they won. */
export const insertIgnoresPteChange: Patch = {
  id: 'insert-ignores-pte-change',
  provenance:
    'constructed: drops the check that the thread of 2020-07-28 under "[PATCH v4 6/6] mm/migrate: remove range ' +
    'invalidation in migrate_vma_pages()" calls the reason why two devices may race for one hole',
  summary: 'migrate_vma_insert_page() does not look whether the entry is still empty',
  overrides: () => ({ migrateVmaInsertPage: insertWithoutLooking }),
};

function* insertWithoutLooking(k: Kernel, migration: Migration, index: number): Task<void> {
  const { mm, vma } = migration;
  const to = migratePfnToPfn(destinationAt(migration, index));
  if (vma === 'none' || to === 'none') return;
  const page = migrationPage(migration, index);
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  const at = yield* lockPte(k, 'migrate_vma_insert_page.ptl', mm, vma, page);
  yield* insertLocked(k, at, to);
  unlockPte(k, at);
}
