/** When a page leaves the swap cache. Source: mm/swapfile.c, mm/swap_state.c (6.1). */
import { type Task, willWrite } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import {
  getPage,
  hasFlag,
  mapcount,
  PAGE_DIRTY,
  PAGE_SWAPCACHE,
  refcount,
  setFlag,
} from './frames.ts';
import { pageLockObject, tryLockPage, unlockPage } from './page-lock.ts';
import { cachedIn, dropSwapCache, putPage } from './page-references.ts';
import { type Pte, pteSwapSlot } from './pte.ts';
import { changeSlotUses, freeSlotIfUnused, slotAt } from './swap.ts';

/**
 * folio_free_swap(): takes a page out of the swap cache if no entry names its slot. Its bytes are nowhere else then, so
 * it becomes dirty.
 *
 * Holds: the page lock.
 */
export function* folioFreeSwap(k: Kernel, pfn: Pfn): Task<'freed' | 'kept'> {
  if (!hasFlag(k.frames, pfn, PAGE_SWAPCACHE)) return 'kept';
  const slot = cachedIn(k, pfn);
  if (slot !== 'none' && slot.uses > 0) return 'kept';
  yield* dropSwapCache(k, pfn);
  setFlag(k.frames, pfn, PAGE_DIRTY);
  return 'freed';
}

/** Nothing uses the page but the swap cache: it was locked when its last mapping went, and reclaim would take it. */
export function onlyCached({ frames }: Kernel, pfn: Pfn): boolean {
  return hasFlag(frames, pfn, PAGE_SWAPCACHE) && refcount(frames, pfn) === 1;
}

/** free_swap_and_cache(): one entry less; with the last one the cached page may go. Holds: the PTE lock. */
export function* freeSwapAndCache(k: Kernel, pte: Pte): Task<void> {
  const number = pteSwapSlot(pte);
  const slot = slotAt(k.swap, number);
  if (slot === 'none') return;
  const uses = changeSlotUses(k.swap, slot, -1);
  if (uses === 0 && slot.cached !== 'none') yield* tryToReclaimSwap(k, slot.cached);
  else freeSlotIfUnused(k.swap, number);
}

/** __try_to_reclaim_swap(): a page that is mapped elsewhere, or locked, stays in the swap cache. */
function* tryToReclaimSwap(k: Kernel, pfn: Pfn): Task<void> {
  getPage(k.frames, pfn, 1);
  yield* k.fn.freeSwapCache(k, pfn);
  yield* putPage(k, pfn);
}

/**
 * What scan_swap_map_slots() does when swap is full: takes a page out of the swap cache whose slot no entry names.
 * Returns: whether a slot is free now.
 */
export function* reclaimCachedSlot(k: Kernel): Task<boolean> {
  for (const { number, uses, cached } of k.swap.slots.values()) {
    if (slotAt(k.swap, number) === 'none' || uses > 0 || cached === 'none') continue;
    getPage(k.frames, cached, 1);
    yield willWrite('__try_to_reclaim_swap.trylock', pageLockObject(cached));
    const locked = tryLockPage(k, cached);
    const freed = locked === 'locked' ? yield* k.fn.folioFreeSwap(k, cached) : 'kept';
    if (locked === 'locked') unlockPage(k, cached);
    yield* putPage(k, cached);
    if (freed === 'freed') return true;
  }
  return false;
}

/** free_swap_cache(): for a page that has lost a mapping, maybe the last. Needs a reference. */
export function* freeSwapCache(k: Kernel, pfn: Pfn): Task<void> {
  if (!hasFlag(k.frames, pfn, PAGE_SWAPCACHE) || mapcount(k.frames, pfn) > 0) return;
  yield willWrite('free_swap_cache.trylock', pageLockObject(pfn));
  if (tryLockPage(k, pfn) === 'busy') return;
  yield* k.fn.folioFreeSwap(k, pfn);
  unlockPage(k, pfn);
}
