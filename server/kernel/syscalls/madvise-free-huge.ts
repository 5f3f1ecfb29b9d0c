/** MADV_FREE of a block that one huge entry maps. Source: mm/huge_memory.c, madvise_free_huge_pmd() (6.1). */
import { lock, unlock } from '../../task/lock.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { clearFlag, mapcount, PAGE_DIRTY, PAGE_SWAPBACKED } from '../memory/frames.ts';
import { blockRange, setHugePmd } from '../memory/huge-pmd.ts';
import type { Mm } from '../memory/mm.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { blockOf, pteObject } from '../memory/page-table.ts';
import {
  hugePteAt,
  PTE_DIRTY,
  PTE_YOUNG,
  type Pte,
  pteDirty,
  pteIsZeroPage,
  ptePfn,
  ptePresent,
  pteWithoutFlags,
  pteYoung,
} from '../memory/pte.ts';

/**
 * The whole block becomes clean at once, and its page may be discarded. One that others map as well, or whose lock is
 * taken, or which is about to move, is left as it is.
 *
 * Holds: mmap_lock for read, an open bracket. Takes: the PTE lock, the page lock if it is free.
 * Returns: 'small' if there is no huge entry any more.
 */
export function* madviseFreeHugePmd(k: Kernel, mm: Mm, page: PageIndex): Task<'handled' | 'small'> {
  const block = blockOf(mm.table, page);
  const held = yield* lock(k.context, 'madvise_free_huge_pmd.ptl', block.ptl);
  if (block.level !== 'huge') {
    unlock(k.context, held);
    return 'small';
  }
  const { huge } = block;
  if (!ptePresent(huge)) {
    // It is on its way to other frames.
    unlock(k.context, held);
    return 'handled';
  }
  const range = blockRange(k, page);
  const parts = pteIsZeroPage(huge) ? [] : partsOf(k, huge);
  const [head] = parts;
  const alone = parts.every((part) => mapcount(k.frames, part) === 1);
  if (head !== undefined && alone && (yield* forgetDirt(k, head, parts))) {
    if (pteYoung(huge) || pteDirty(huge)) {
      yield willWrite('madvise_free_huge_pmd.clean', pteObject(mm.table, range.first));
      const clean = pteWithoutFlags(block.huge, PTE_YOUNG | PTE_DIRTY);
      setHugePmd(k, held, mm, block, page, clean);
      yield* k.fn.flushTlbRange(k, mm, range);
    }
    for (const part of parts) clearFlag(k.frames, part, PAGE_SWAPBACKED);
  }
  unlock(k.context, held);
  return 'handled';
}

function partsOf({ ptrsPerPte }: Kernel, huge: Pte): Pfn[] {
  return Array.from({ length: ptrsPerPte }, (_, at) => ptePfn(hugePteAt(huge, at)));
}

function* forgetDirt(k: Kernel, head: Pfn, parts: readonly Pfn[]): Task<boolean> {
  yield willWrite('madvise_free_huge_pmd.trylock', pageLockObject(head));
  if (tryLockPage(k, head) === 'busy') return false;
  for (const part of parts) clearFlag(k.frames, part, PAGE_DIRTY);
  unlockPage(k, head);
  return true;
}
