import type { MappedAt } from '../kernel/kernel.ts';
import { hasFlag, PAGE_DIRTY, setFlag } from '../kernel/memory/frames.ts';
import { pteObject } from '../kernel/memory/page-table.ts';
import { PTE_NONE, pteDirty, ptePresent } from '../kernel/memory/pte.ts';
import { lockedPte } from '../kernel/memory/pte-lock.ts';
import { setLockedPte } from '../kernel/memory/set-pte.ts';
import { pageMapped } from '../kernel/rmap/rmap.ts';
import { willWrite } from '../task/task.ts';
import { pagesFrom } from '../vocabulary/address.ts';
import { insideFunction } from './inside-function.ts';
import type { Patch } from './patch.ts';

/** Race 12: a task that finds the entry gone has nothing to flush and goes on, and a CPU still uses the page. */
export const reclaimFlushesInBatch: Patch = {
  id: 'reclaim-flushes-in-batch',
  provenance:
    'Linux 4.3 to 4.12; fixed by 3ea277194daa "mm, mprotect: flush TLB if potentially racing with a parallel reclaim ' +
    'leaving stale TLB entries" (4.13)',
  summary: 'reclaim queues its TLB flush for later, and nothing tells others that one is pending',
  overrides: (stock) => {
    const { during, isHere } = insideFunction();
    return {
      *ptepClearFlush(k, at, pfn) {
        if (!isHere(k)) return yield* stock.ptepClearFlush(k, at, pfn);
        yield willWrite('try_to_unmap_one.clear', pteObject(at.mm.table, at.page));
        const pte = lockedPte(at);
        setLockedPte(k, at, PTE_NONE);
        if (ptePresent(pte) && pteDirty(pte) && !hasFlag(k.frames, pfn, PAGE_DIRTY)) {
          setFlag(k.frames, pfn, PAGE_DIRTY);
        }
        return pte;
      },
      *tryToUnmap(k, pfn) {
        const queued: MappedAt[] = [];
        yield* k.fn.rmapWalk(k, pfn, {
          *visit(place) {
            queued.push(place);
            return yield* during(k, k.fn.tryToUnmapOne(k, pfn, place));
          },
          done: () => !pageMapped(k, pfn),
          mapped: 'only',
        });
        // try_to_unmap_flush()
        for (const { mm, page } of queued) yield* k.fn.flushTlbRange(k, mm, pagesFrom(page, 1));
      },
    };
  },
};
