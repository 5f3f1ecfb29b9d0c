import type { Patch } from './patch.ts';
import { withoutVmaLock } from './without-vma-lock.ts';

/** Who touches the new place before its entries are there gets a page of zeros, over which the real one is put. */
export const mremapLeavesNewVmaUnlocked: Patch = {
  id: 'mremap-leaves-new-vma-unlocked',
  provenance:
    '33313a747e81 "mm: lock newly mapped VMA which can be modified after it becomes visible" (6.4.3)',
  summary: 'mremap() shows the new mapping to page faults before its entries are there',
  overrides(stock) {
    const { during, override } = withoutVmaLock(stock);
    return {
      ...override,
      copyVma: (k, mm, vma, range, target) => during(k, stock.copyVma(k, mm, vma, range, target)),
    };
  },
};
