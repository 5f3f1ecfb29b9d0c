/**
 * Reclaim: pages leave memory for swap, or at once where they may be discarded. Source: mm/vmscan.c
 * (shrink_inactive_list, isolate_lru_folios, shrink_folio_list, pageout, __remove_mapping) (6.1).
 *
 * Leaves out: the order of the LRU lists, and that pages that were used lately stay (folio_check_references): a page is
 * named by where it is mapped. Pages of files stay.
 */
import { type Task, willRead, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange, type Pfn } from '../../vocabulary/address.ts';
import { OK, type Result } from '../../vocabulary/errno.ts';
import { putbackLru } from '../hmm/migrate-vma-setup.ts';
import type { Kernel, TlbBatch } from '../kernel.ts';
import {
  clearFlag,
  contentsOf,
  enterSwapCache,
  getPage,
  hasFlag,
  maybeDmaPinned,
  PAGE_COMPOUND,
  PAGE_DIRTY,
  PAGE_FILE,
  PAGE_LRU,
  PAGE_SWAPBACKED,
  PAGE_SWAPCACHE,
  refcount,
  setFlag,
} from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { cachedIn, dropSwapCache, putPage } from '../memory/page-references.ts';
import { nextCovered, pteObject, readPte } from '../memory/page-table.ts';
import { pteIsZeroPage, ptePfn, ptePresent } from '../memory/pte.ts';
import { allocSlot, setSlotCached, writeSlot } from '../memory/swap.ts';
import { reclaimCachedSlot } from '../memory/swap-cache.ts';
import { newTlbBatch } from '../memory/tlb-batch.ts';
import { pageMapped } from '../rmap/rmap.ts';

/** The references of a page that is off its list, and in the swap cache. */
const ISOLATION = 1;
const ISOLATION_AND_CACHE = 2;

/**
 * shrink_inactive_list(), as kswapd and direct reclaim do it: of whatever process the pages are, without its mmap_lock.
 * `mm` and `range` say which pages: those that are mapped there.
 *
 * Takes: page locks, the locks of the reverse map, callbacks' locks, PTE locks. Yields: yes.
 */
export function* shrinkInactiveList(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  const isolated = yield* k.fn.isolateLruPages(k, mm, range);
  yield* k.fn.shrinkFolioList(k, isolated);
  return OK;
}

/**
 * isolate_lru_folios(): takes pages off their list, each with a reference. A page that is free already, or that another
 * task has taken off, is passed over; so is a huge one.
 */
export function* isolateLruPages(k: Kernel, mm: Mm, range: PageRange): Task<Pfn[]> {
  const isolated: Pfn[] = [];
  const next = (page: PageIndex) => nextCovered(mm.table, page, range.end);
  for (let page = next(range.first); page < range.end; page = next(nextPage(page))) {
    // Lists are gone through without looking at any entry: it only says here which page is meant.
    yield willRead('isolate_lru_folios.take', pteObject(mm.table, page));
    const seen = readPte(mm.table, page);
    if (!ptePresent(seen) || pteIsZeroPage(seen)) continue;
    const pfn = ptePfn(seen);
    if (!hasFlag(k.frames, pfn, PAGE_LRU) || hasFlag(k.frames, pfn, PAGE_COMPOUND)) continue;
    getPage(k.frames, pfn, 1);
    clearFlag(k.frames, pfn, PAGE_LRU);
    k.isolated.add(pfn);
    isolated.push(pfn);
  }
  return isolated;
}

/** shrink_folio_list(): pages that can go are freed together, when no CPU can reach them any more. */
export function* shrinkFolioList(k: Kernel, isolated: readonly Pfn[]): Task<void> {
  const batch = newTlbBatch();
  const toFree: Pfn[] = [];
  for (const pfn of isolated) {
    if ((yield* k.fn.reclaimPage(k, pfn, batch)) === 'free') toFree.push(pfn);
    else yield* putback(k, pfn);
  }
  yield* k.fn.tryToUnmapFlush(k, batch);
  for (const pfn of toFree) yield* putback(k, pfn);
}

function* putback(k: Kernel, pfn: Pfn): Task<void> {
  putbackLru(k, pfn);
  yield* putPage(k, pfn);
}

/** One page of shrink_folio_list(). 'free': nothing uses it but the isolation. */
export function* reclaimPage(k: Kernel, pfn: Pfn, batch: TlbBatch): Task<'free' | 'kept'> {
  yield willWrite('shrink_page_list.trylock', pageLockObject(pfn));
  if (tryLockPage(k, pfn) === 'busy') return 'kept';
  if ((yield* k.fn.addToSwap(k, pfn)) === 'possible') yield* k.fn.tryToUnmap(k, pfn, batch);
  if (!pageMapped(k, pfn)) yield* k.fn.removeMapping(k, pfn, batch);
  unlockPage(k, pfn);
  return refcount(k.frames, pfn) === ISOLATION ? 'free' : 'kept';
}

/** add_to_swap(): a slot and a place in the swap cache, unless the page may be discarded. */
export function* addToSwap(k: Kernel, pfn: Pfn): Task<'possible' | 'impossible'> {
  if (maybeDmaPinned(k.frames, pfn)) return 'impossible';
  if (hasFlag(k.frames, pfn, PAGE_FILE)) return 'impossible';
  if (!hasFlag(k.frames, pfn, PAGE_SWAPBACKED)) return 'possible';
  if (hasFlag(k.frames, pfn, PAGE_SWAPCACHE)) return 'possible';
  let slot = allocSlot(k.swap);
  if (slot === 'none' && (yield* reclaimCachedSlot(k))) slot = allocSlot(k.swap);
  if (slot === 'none') return 'impossible';
  setSlotCached(k.swap, slot, pfn);
  enterSwapCache(k.frames, pfn, slot.number);
  setFlag(k.frames, pfn, PAGE_DIRTY);
  getPage(k.frames, pfn, 1);
  return 'possible';
}

/**
 * pageout() and __remove_mapping(): write the slot, then let go of the cached page if it has no other user. A CPU that
 * may still write to it is stopped first, else what it writes is neither in the slot nor in memory.
 */
export function* removeMapping(k: Kernel, pfn: Pfn, batch?: TlbBatch): Task<void> {
  const slot = cachedIn(k, pfn);
  if (slot === 'none') return;
  if (batch !== undefined && hasFlag(k.frames, pfn, PAGE_DIRTY)) {
    yield* k.fn.tryToUnmapFlushDirty(k, batch);
  }
  writeSlot(k.swap, slot, contentsOf(k.frames, pfn));
  clearFlag(k.frames, pfn, PAGE_DIRTY);
  if (refcount(k.frames, pfn) === ISOLATION_AND_CACHE) yield* dropSwapCache(k, pfn);
}
