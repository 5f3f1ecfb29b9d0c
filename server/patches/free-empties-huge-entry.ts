import { setHugePmd } from '../kernel/memory/huge-pmd.ts';
import { blockOf, pteObject } from '../kernel/memory/page-table.ts';
import { PTE_NONE, ptePresent } from '../kernel/memory/pte.ts';
import { lock, unlock } from '../task/lock.ts';
import { willWrite } from '../task/task.ts';
import type { Patch } from './patch.ts';

/** Whoever zaps looks at the block without the lock, finds nothing there, and goes on. */
export const freeEmptiesHugeEntry: Patch = {
  id: 'free-empties-huge-entry',
  provenance:
    'Linux 4.5 to 4.10; fixed by 58ceeb6bec86 "thp: fix MADV_DONTNEED vs. MADV_FREE race" (2017-04)',
  summary: 'madvise_free_huge_pmd() clears a huge entry before it sets it anew',
  overrides: (stock) => ({
    *madviseFreeHugePmd(k, mm, page) {
      const block = blockOf(mm.table, page);
      const held = yield* lock(k.context, 'madvise_free_huge_pmd.early_ptl', block.ptl);
      if (block.level === 'huge' && ptePresent(block.huge)) {
        yield willWrite('madvise_free_huge_pmd.clear', pteObject(mm.table, page));
        const { huge } = block;
        setHugePmd(k, held, mm, block, page, PTE_NONE);
        yield willWrite('madvise_free_huge_pmd.set', pteObject(mm.table, page));
        setHugePmd(k, held, mm, block, page, huge);
      }
      unlock(k.context, held);
      return yield* stock.madviseFreeHugePmd(k, mm, page);
    },
  }),
};
