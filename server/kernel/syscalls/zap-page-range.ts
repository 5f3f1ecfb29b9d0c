/** Taking entries away: munmap, exit and MADV_DONTNEED. Source: mm/memory.c, zap_pte_range(); mm/mmu_gather.c (6.1). */
import type { MmuNotifyEvent } from '../../abi/device-api.ts';
import { lock, unlock } from '../../task/lock.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import type { Kernel, LockedPte, ZapBatch } from '../kernel.ts';
import { hasFlag, PAGE_ANON, PAGE_DIRTY, setFlag } from '../memory/frames.ts';
import { setHugePmd } from '../memory/huge-pmd.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { putPage } from '../memory/page-references.ts';
import { blockOf, endOfPtePage, isHuge, nextCovered, pteObject } from '../memory/page-table.ts';
import {
  hugePteAt,
  PTE_NONE,
  type Pte,
  pteDirty,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsSwap,
  pteIsZeroPage,
  pteNone,
  ptePfn,
  ptePresent,
} from '../memory/pte.ts';
import { lockedPte, lockTable } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import {
  beginTlbFlushPending,
  endTlbFlushPending,
  tlbFlushNested,
} from '../memory/tlb-flush-pending.ts';
import { vmasIn } from '../memory/vma.ts';

/**
 * Clears every entry of `range` in one bracket. The TLBs are flushed and the pages freed after it, in that order. No
 * CPU can remember an entry that was not present, so without any there is no flush: the task that makes an entry not
 * present flushes before he lets go of the PTE lock, or marks a flush as pending.
 *
 * Holds: mmap_lock. Takes: callbacks' locks, PTE locks. Yields: yes.
 */
export function* zapPageRange(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  event: MmuNotifyEvent,
): Task<void> {
  const batch = gatherBatch(k, mm);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event,
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  for (const vma of vmasIn(mm.vmas, range)) {
    const first = vma.first > range.first ? vma.first : range.first;
    const end = vma.end < range.end ? vma.end : range.end;
    yield* k.fn.unmapPageRange(k, mm, vma, { first, end }, batch);
  }
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  yield* k.fn.finishBatch(k, mm, range, batch);
}

/** tlb_gather_mmu(). Pair with finishBatch(). */
export function gatherBatch(k: Kernel, mm: Mm, copies: ZapBatch['copies'] = 'go too'): ZapBatch {
  beginTlbFlushPending(k, mm);
  return { pages: [], tables: [], tlb: 'untouched', copies };
}

/** tlb_finish_mmu(): only now is the CPU's view gone, and only then may a page be used again. */
export function* finishBatch(k: Kernel, mm: Mm, range: PageRange, batch: ZapBatch): Task<void> {
  if (batch.tlb === 'stale' || tlbFlushNested(k, mm)) yield* k.fn.flushTlbRange(k, mm, range);
  endTlbFlushPending(k, mm);
  yield* k.fn.tlbRemoveTableFree(k, mm, batch.tables);
  for (const pfn of batch.pages) {
    yield* k.fn.freeSwapCache(k, pfn);
    yield* putPage(k, pfn);
  }
}

/**
 * unmap_page_range(): clears every entry of `range`, which lies within `vma`. What it takes away is in `batch`: see
 * finishBatch().
 *
 * Holds: mmap_lock, and an open bracket around `range`.
 */
export function* unmapPageRange(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  range: PageRange,
  batch: ZapBatch,
): Task<void> {
  for (let page = nextCovered(mm.table, range.first, range.end); page < range.end; ) {
    const end = endOfPtePage(mm.table, page) < range.end ? endOfPtePage(mm.table, page) : range.end;
    const whole = end - page === k.ptrsPerPte;
    if (whole && isHuge(mm.table, page)) yield* zapHugePmd(k, mm, page, batch);
    else yield* k.fn.splitHugePmd(k, mm, page);
    const table = yield* lockTable(k, 'zap_pte_range.ptl', mm, page);
    if (typeof table !== 'string') {
      yield* k.fn.flushTlbBatchedPending(k, mm);
      for (; page < end; page = nextPage(page)) {
        yield* k.fn.zapPte(k, { mm, vma, page, ...table }, batch);
      }
      unlock(k.context, table.held);
    }
    page = nextCovered(mm.table, end, range.end);
  }
}

/** zap_huge_pmd(): the whole block goes at once. */
function* zapHugePmd(k: Kernel, mm: Mm, page: PageIndex, batch: ZapBatch): Task<void> {
  const block = blockOf(mm.table, page);
  const held = yield* lock(k.context, 'zap_huge_pmd.ptl', block.ptl);
  if (block.level === 'huge') {
    yield willWrite('zap_huge_pmd.clear', pteObject(mm.table, page));
    const huge = block.huge;
    // Also behind a migration entry, where no CPU remembers anything and the page belongs to whoever moves it.
    batch.tlb = 'stale';
    setHugePmd(k, held, mm, block, page, PTE_NONE);
    for (let at = 0; at < k.ptrsPerPte && ptePresent(huge) && !pteIsZeroPage(huge); at += 1) {
      const pfn = ptePfn(hugePteAt(huge, at));
      k.fn.pageRemoveRmap(k, pfn);
      batch.pages.push(pfn);
    }
  }
  unlock(k.context, held);
}

export function* zapPte(k: Kernel, at: LockedPte, batch: ZapBatch): Task<void> {
  if (pteNone(lockedPte(at))) return;
  yield willWrite('zap_pte_range.clear', pteObject(at.mm.table, at.page));
  const pte = lockedPte(at);
  if (batch.copies === 'stay' && isCopy(k, pte)) return;
  setLockedPte(k, at, PTE_NONE);
  if (ptePresent(pte)) {
    batch.tlb = 'stale';
    if (pteIsZeroPage(pte)) return;
    const pfn = ptePfn(pte);
    if (!hasFlag(k.frames, pfn, PAGE_ANON) && pteDirty(pte)) setFlag(k.frames, pfn, PAGE_DIRTY);
    k.fn.pageRemoveRmap(k, pfn);
    batch.pages.push(pfn);
    return;
  }
  if (pteIsDevicePrivate(pte) || pteIsDeviceExclusive(pte)) {
    k.fn.pageRemoveRmap(k, ptePfn(pte));
    yield* putPage(k, ptePfn(pte));
  } else if (pteIsSwap(pte)) yield* k.fn.freeSwapAndCache(k, pte);
}

/** Not a page of the file that is mapped there (should_zap_page). */
function isCopy(k: Kernel, pte: Pte): boolean {
  if (pteIsSwap(pte)) return true;
  return !pteIsZeroPage(pte) && hasFlag(k.frames, ptePfn(pte), PAGE_ANON);
}
