import { hasFlag, PAGE_DIRTY, setFlag } from '../kernel/memory/frames.ts';
import { pteObject } from '../kernel/memory/page-table.ts';
import { PTE_NONE, pteDirty, ptePresent, pteProtNone } from '../kernel/memory/pte.ts';
import { lockedPte } from '../kernel/memory/pte-lock.ts';
import { setLockedPte } from '../kernel/memory/set-pte.ts';
import { willWrite } from '../task/task.ts';
import type { Patch } from './patch.ts';

/** No CPU may use an entry without rights, so nothing is flushed; but one may not have heard yet that it has none. */
export const migrationTrustsProtNone: Patch = {
  id: 'migration-trusts-prot-none',
  provenance:
    'the bug that 20841405940e "mm: fix TLB flush race between migration, and change_protection_range" (3.13) fixed, ' +
    'with which tlb_flush_pending came',
  summary: 'whoever takes an entry without rights away flushes no TLB, pending flush or not',
  overrides: (stock) => ({
    *ptepClearFlush(k, at, pfn) {
      const seen = lockedPte(at);
      if (!(ptePresent(seen) && pteProtNone(seen))) return yield* stock.ptepClearFlush(k, at, pfn);
      yield willWrite('ptep_clear_flush.inaccessible', pteObject(at.mm.table, at.page));
      const pte = lockedPte(at);
      setLockedPte(k, at, PTE_NONE);
      if (pteDirty(pte) && !hasFlag(k.frames, pfn, PAGE_DIRTY)) setFlag(k.frames, pfn, PAGE_DIRTY);
      return pte;
    },
    shouldDeferFlush: () => false,
  }),
};
