/**
 * The half of do_swap_page() that reads a page back from swap. Source: mm/memory.c, do_swap_page(),
 * should_try_to_free_swap(); mm/swap_state.c, __read_swap_cache_async(); mm/swapfile.c, folio_free_swap() (6.1, with
 * 13ddaf26be32 "mm/swap: fix race when skipping swapcache").
 */
import { type Task, waitUntil, willWrite } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { FaultAccess, FaultOutcome, FaultRequest, Kernel, LockedPte } from '../kernel.ts';
import {
  enterSwapCache,
  getPage,
  hasFlag,
  PAGE_LRU,
  PAGE_SWAPCACHE,
  refcount,
  setContents,
  setFlag,
  swapSlotOf,
} from '../memory/frames.ts';
import { lockPage, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { allocPage, putPage } from '../memory/page-references.ts';
import { pteObject } from '../memory/page-table.ts';
import {
  mkPte,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteMarkedExclusive,
  pteModify,
  pteSwapSlot,
  pteWithFlags,
} from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import {
  claimSlot,
  lookAtSlot,
  releaseSlot,
  type SwapSlot,
  setSlotCached,
  slotAt,
  slotObject,
  swapFree,
} from '../memory/swap.ts';
import { mayWrite, vmProt } from './vm-page-prot.ts';

/** A page of a slot, locked and referenced. */
export interface SwappedIn {
  readonly pfn: Pfn;
  /** 'past the cache': read by this fault alone, and in the swap cache it never was. */
  readonly from: 'cache' | 'past the cache';
}

/**
 * Reads a page back from its swap slot, or finds it in the swap cache. A slot that one entry names is read past the
 * cache, by the one fault that has claimed it:
 *
 *   cpu0                                cpu1
 *     reads the slot: old bytes
 *                                         reads the slot, maps it, writes, swaps out into the same slot
 *     the entry looks as before           <- cpu1 must wait, else its write is lost
 *
 * Holds: mmap_lock for read. Takes: the page lock, the PTE lock, and what doWpPage() takes.
 */
export function* swapIn(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  const slot = slotAt(k.swap, pteSwapSlot(seen));
  if (slot === 'none') return 'done';
  if (slot.cached !== 'none') return yield* mapFrom(k, request, seen, yield* lockCached(k, slot));
  if (slot.uses === 0) return 'done';
  if ((yield* k.fn.swapcachePrepare(k, slot)) === 'busy') return 'done';
  if (slot.uses > 1) return yield* mapFrom(k, request, seen, readIntoCache(k, slot));
  const outcome = yield* mapFrom(k, request, seen, readPastCache(k, slot));
  // After the PTE lock: until then a slot without names must not be used again.
  releaseSlot(k.swap, slot);
  return outcome;
}

/**
 * swapcache_prepare(), and what becomes of the fault that comes second: it sleeps, and then faults again. Linux sleeps
 * for a tick; here it waits until the claim has ended.
 */
export function* swapcachePrepare(k: Kernel, slot: SwapSlot): Task<'claimed' | 'busy'> {
  if (claimSlot(k.swap, slot) === 'claimed') return 'claimed';
  yield waitUntil('swapcache_prepare.wait', slotObject(slot.number), () => slot.claim === 'free');
  return 'busy';
}

/** Maps the page if the entry is as it was seen. */
function* mapFrom(
  k: Kernel,
  request: FaultRequest,
  seen: Pte,
  got: SwappedIn | 'oom' | 'gone',
): Task<FaultOutcome> {
  if (got === 'oom') return 'oom';
  if (got === 'gone') return 'done';
  const at = yield* lockPte(k, 'do_swap_page.swap_ptl', request.mm, request.vma, request.page);
  if (lockedPte(at) === seen) return yield* mapSwappedIn(k, request, at, seen, got);
  unlockPte(k, at);
  unlockPage(k, got.pfn);
  yield* putPage(k, got.pfn);
  return 'done';
}

/** 'gone': the page left the cache while this waited for its lock, so the fault begins again. */
export function* lockCached(k: Kernel, slot: SwapSlot): Task<SwappedIn | 'gone'> {
  const { cached } = slot;
  if (cached === 'none') return 'gone';
  getPage(k.frames, cached, 1);
  yield* lockPage(k, 'do_swap_page.lock_page', cached);
  if (swapSlotOf(k.frames, cached) === slot.number) return { pfn: cached, from: 'cache' };
  unlockPage(k, cached);
  yield* putPage(k, cached);
  return 'gone';
}

/** A page that nothing else has seen. Holds: the claim. */
function readPastCache(k: Kernel, slot: SwapSlot): SwappedIn | 'oom' {
  const pfn = allocPage(k);
  if (pfn === 'none') return 'oom';
  setContents(k.frames, pfn, lookAtSlot(k.swap, slot).contents);
  setFlag(k.frames, pfn, PAGE_LRU);
  tryLockPage(k, pfn);
  return { pfn, from: 'past the cache' };
}

/** A slot that several entries name is read into the swap cache, so that they find the same page. Ends the claim. */
export function readIntoCache(k: Kernel, slot: SwapSlot): SwappedIn | 'oom' {
  const read = readPastCache(k, slot);
  if (read !== 'oom') {
    setSlotCached(k.swap, slot, read.pfn);
    enterSwapCache(k.frames, read.pfn, slot.number);
    getPage(k.frames, read.pfn, 1);
  }
  releaseSlot(k.swap, slot);
  return read === 'oom' ? 'oom' : { pfn: read.pfn, from: 'cache' };
}

/**
 * should_try_to_free_swap(): only a write that may find itself the only user tries: the fault and the cache have a
 * reference each.
 */
export function shouldTryToFreeSwap(k: Kernel, pfn: Pfn, access: FaultAccess): boolean {
  if (!hasFlag(k.frames, pfn, PAGE_SWAPCACHE)) return false;
  return access === 'write' && refcount(k.frames, pfn) === 2;
}

/** The second half, under the PTE lock, which it releases: the page takes the place of the swap entry. */
function* mapSwappedIn(
  k: Kernel,
  request: FaultRequest,
  at: LockedPte,
  seen: Pte,
  { pfn, from }: SwappedIn,
): Task<FaultOutcome> {
  const { mm, vma, page, access } = request;
  yield willWrite('do_swap_page.swap_in', pteObject(mm.table, page));
  swapFree(k.swap, pteSwapSlot(seen));
  if (k.fn.shouldTryToFreeSwap(k, pfn, access)) yield* k.fn.folioFreeSwap(k, pfn);
  const certainlyExclusive = from === 'past the cache' || pteMarkedExclusive(seen);
  const exclusive = certainlyExclusive || refcount(k.frames, pfn) === 1;
  const base = pteModify(mkPte(pfn, PTE_YOUNG), vmProt(vma));
  k.fn.pageAddAnonRmap(k, mm, vma, page, pfn, exclusive ? 'exclusive' : 'shared');
  setLockedPte(k, at, exclusive ? k.fn.swappedInExclusive(request, base) : base);
  unlockPage(k, pfn);
  if (access === 'write' && !exclusive) return yield* k.fn.doWpPage(k, request, at);
  unlockPte(k, at);
  return 'done';
}

/** The entry of a page that comes back from swap and is this process's alone: it is writable once it is written. */
export function swappedInExclusive({ vma, access }: FaultRequest, base: Pte): Pte {
  if (access === 'read') return base;
  return pteWithFlags(base, PTE_DIRTY | (mayWrite(vma) ? PTE_WRITE : 0));
}
