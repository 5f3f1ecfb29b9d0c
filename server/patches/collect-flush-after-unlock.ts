import { collectPtes, tableToCollect } from '../kernel/hmm/migrate-vma-setup.ts';
import type { Kernel, Migration } from '../kernel/kernel.ts';
import { unlock } from '../task/lock.ts';
import type { Task } from '../task/task.ts';
import type { PageRange } from '../vocabulary/address.ts';
import type { Patch } from './patch.ts';

/**
 * Race 10: between the unlock and the flush an entry is gone from the page table, but not from the TLBs. A task that
 * finds it gone sees nothing to flush.
 */
export const collectFlushAfterUnlock: Patch = {
  id: 'collect-flush-after-unlock',
  provenance:
    'Linux 4.14 to 5.19; fixed by 60bae7370896 "mm/migrate_device.c: flush TLB while holding PTL" (2022)',
  summary: 'migrate_vma_collect_pmd() flushes the TLBs only after it has let go of the PTE lock',
  overrides: () => ({ migrateVmaCollectPmd: collectThenUnlockThenFlush }),
};

function* collectThenUnlockThenFlush(
  k: Kernel,
  migration: Migration,
  block: PageRange,
): Task<void> {
  const walk = yield* tableToCollect(k, migration, block);
  if (walk === 'nothing') return;
  const unmapped = yield* collectPtes(k, migration, walk);
  unlock(k.context, walk.held);
  if (unmapped > 0) yield* k.fn.flushTlbRange(k, migration.mm, block);
}
