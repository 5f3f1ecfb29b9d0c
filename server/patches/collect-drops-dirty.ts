import type { MigratePfn } from '../abi/migrate-pfn.ts';
import type { Kernel, KernelFunctions, LockedPte, Migration } from '../kernel/kernel.ts';
import { clearFlag, hasFlag, PAGE_DIRTY } from '../kernel/memory/frames.ts';
import { PTE_DIRTY, ptePfn, ptePresent, pteWithoutFlags } from '../kernel/memory/pte.ts';
import { lockedPte } from '../kernel/memory/pte-lock.ts';
import { setLockedPte } from '../kernel/memory/set-pte.ts';
import type { Task } from '../task/task.ts';
import type { Patch } from './patch.ts';

/**
 * Race 14: a store has set the dirty bit of the entry and nothing else. The migration entry has no place for it; if
 * the page is not marked, it counts as clean from then on, and reclaim may drop what was stored.
 */
export const collectDropsDirty: Patch = {
  id: 'collect-drops-dirty',
  provenance:
    'Linux 4.14 to 5.19; fixed by fd35ca3d12cc "mm/migrate_device.c: copy pte dirty bit to page" (2022-08-16)',
  summary: 'migrate_vma_collect_pmd() throws the dirty bit of the entries away that it replaces',
  overrides: (stock) => ({
    migrateVmaCollectPte: (k, migration, at) => collectForgettingDirt(stock, k, migration, at),
  }),
};

/** Takes back, still under the PTE lock and the page lock, what the stock function has saved of the dirty bit. */
function* collectForgettingDirt(
  stock: KernelFunctions,
  k: Kernel,
  migration: Migration,
  at: LockedPte,
): Task<MigratePfn> {
  const before = lockedPte(at);
  const pfn = ptePfn(before);
  const knownDirty = ptePresent(before) && hasFlag(k.frames, pfn, PAGE_DIRTY);
  const collected = yield* stock.migrateVmaCollectPte(k, migration, at);
  const after = lockedPte(at);
  if (!ptePresent(before) || ptePresent(after)) return collected;
  if (!knownDirty) clearFlag(k.frames, pfn, PAGE_DIRTY);
  setLockedPte(k, at, pteWithoutFlags(after, PTE_DIRTY));
  return collected;
}
