import { MIGRATE_PFN_NONE } from '../abi/migrate-pfn.ts';
import { collect } from '../kernel/hmm/open-migrations.ts';
import type { Kernel, LockedPte, Migration } from '../kernel/kernel.ts';
import { compoundHead } from '../kernel/memory/compound-page.ts';
import { hasFlag, PAGE_COMPOUND } from '../kernel/memory/frames.ts';
import { isHuge } from '../kernel/memory/page-table.ts';
import { type Pte, pteIsZeroPage, ptePfn, ptePresent } from '../kernel/memory/pte.ts';
import { lockedPte, lockTable } from '../kernel/memory/pte-lock.ts';
import { unlock } from '../task/lock.ts';
import type { Task } from '../task/task.ts';
import { nextPage, type PageRange, type Pfn } from '../vocabulary/address.ts';
import type { Patch } from './patch.ts';

/** Race 11: while the lock is free another task finds entries gone that some CPU still remembers, as in race 10. */
export const splitUnlocksWithoutFlush: Patch = {
  id: 'split-unlocks-without-flush',
  provenance:
    'from the source: migrate_vma_collect_pmd() (mm/migrate_device.c, 6.1x) lets go of the PTE lock ' +
    'to split a large page; ' +
    'its twin in madvise(): 20250606092809.4194056-1-ryan.roberts@arm.com',
  summary:
    'migrate_vma_collect_pmd() splits large pages as it meets them, and flushes the entries before only at the end',
  overrides: (stock) => ({
    *migrateVmaCollectPmd(k, migration, block) {
      if (isHuge(migration.mm.table, block.first)) {
        yield* stock.migrateVmaCollectPmd(k, migration, block);
      } else yield* collectAndSplit(k, migration, block);
    },
  }),
};

function* collectAndSplit(k: Kernel, migration: Migration, block: PageRange): Task<void> {
  const { mm, vma } = migration;
  let table = yield* lockTable(k, 'migrate_vma_collect.ptl', mm, block.first);
  for (let page = block.first; page < block.end; page = nextPage(page)) {
    if (vma === 'none' || typeof table === 'string') {
      collect(k, migration, MIGRATE_PFN_NONE);
      continue;
    }
    let at: LockedPte = { mm, vma, page, ...table };
    const head = largePageAt(k, lockedPte(at));
    if (head !== 'none') {
      // Here the entries before should have been flushed.
      unlock(k.context, table.held);
      yield* k.fn.splitHugePage(k, head);
      table = yield* lockTable(k, 'migrate_vma_collect.relock', mm, block.first);
      if (typeof table === 'string') {
        collect(k, migration, MIGRATE_PFN_NONE);
        continue;
      }
      at = { ...at, ...table };
    }
    collect(k, migration, yield* k.fn.migrateVmaCollectPte(k, migration, at));
  }
  yield* k.fn.flushTlbRange(k, mm, block);
  if (typeof table !== 'string') unlock(k.context, table.held);
}

function largePageAt(k: Kernel, pte: Pte): Pfn | 'none' {
  if (!ptePresent(pte) || pteIsZeroPage(pte)) return 'none';
  const pfn = ptePfn(pte);
  return hasFlag(k.frames, pfn, PAGE_COMPOUND) ? compoundHead(k, pfn) : 'none';
}
