/**
 * UFFDIO_MOVE: a page goes from one place to another that is registered and empty, without a copy. What is moved are
 * entries, as by mremap(), but with mmap_lock for reading only: faults, reclaim and other moves go on beside it.
 *
 * Source: mm/userfaultfd.c, move_pages(), move_pages_pte(), move_present_pte(), move_swap_pte() (6.8; as in 6.12.117,
 * with c50f8e6053b0 and 0ea148a79964, which take the swap cache along).
 * Leaves out: huge pages, which are refused (EBUSY), holes that may be skipped, destinations that are registered for
 * something else than missing pages.
 */
import { lock, lockNested, unlock } from '../../task/lock.ts';
import { readLock, readUnlock, writeUnlock } from '../../task/rwsem.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import {
  contains,
  type PageIndex,
  type PageRange,
  type Pfn,
  pagesFrom,
} from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { firstWord, type PageContents, ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import type { Kernel, LockedPte, PageMove } from '../kernel.ts';
import { rmapLockWrite } from '../rmap/rmap.ts';
import {
  contentsOf,
  getPage,
  hasFlag,
  maybeDmaPinned,
  PAGE_ANON_EXCLUSIVE,
  PAGE_COMPOUND,
  setMapping,
  ZERO_PFN,
} from './frames.ts';
import type { Mm } from './mm.ts';
import { lockPage, unlockPage } from './page-lock.ts';
import { putPage } from './page-references.ts';
import { allocPtePage, blockOf, isHuge, pteObject, readPte } from './page-table.ts';
import {
  mkPte,
  mkZeroPte,
  PTE_DIRTY,
  PTE_NONE,
  PTE_WRITE,
  type Pte,
  pteIsMigration,
  pteIsSwap,
  pteIsZeroPage,
  pteMarkedExclusive,
  pteNone,
  ptePfn,
  ptePresent,
  pteSwapSlot,
} from './pte.ts';
import { lockedPte, lockPte, unlockPte } from './pte-lock.ts';
import { setLockedPte } from './set-pte.ts';
import { lookAtSlot, slotAt } from './swap.ts';
import { userfaultfdMissing, userfaultfdWake } from './userfault.ts';
import { isAnonymous, linearIndex, vmaLookup } from './vma.ts';

/**
 * Moves page by page, up to the first that cannot. Whoever waits for one of the new places is woken.
 *
 * Takes:   mmap_lock for read, callbacks' locks, page locks, the anon_vma lock, both PTE locks.
 * Returns: EINVAL unless both places are writable anonymous memory and the new one is registered; ENOENT where nothing
 *          is, EEXIST where something is at the new place, EBUSY for pages that others have too, EAGAIN if an entry has
 *          changed meanwhile: then ask again.
 */
export function* userfaultfdMove(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  to: PageIndex,
): Task<Result<void>> {
  const held = yield* readLock(k.context, 'move_pages.mmap_lock', mm.mmapLock);
  let moved: Result<void> = OK;
  for (let from = range.first; moved.ok && from < range.end; from = (from + 1) as PageIndex) {
    moved = yield* moveOne(k, mm, from, (to + (from - range.first)) as PageIndex);
  }
  readUnlock(k.context, held);
  if (moved.ok) yield* userfaultfdWake(k, mm, pagesFrom(to, range.end - range.first));
  return moved;
}

/** Before 6.8 there is no such ioctl. */
export function* userfaultfdMoveUnknown(): Task<Result<void>> {
  return fail('EINVAL');
}

function* moveOne(k: Kernel, mm: Mm, from: PageIndex, to: PageIndex): Task<Result<void>> {
  const src = vmaLookup(mm.vmas, from);
  const dst = vmaLookup(mm.vmas, to);
  if (src === 'none' || dst === 'none') return fail('ENOENT');
  const both = isAnonymous(src) && isAnonymous(dst) && src.prot === 'rw' && dst.prot === 'rw';
  if (!(both && contains(dst, to) && userfaultfdMissing(k, mm, to))) return fail('EINVAL');
  yield* k.fn.anonVmaPrepare(k, mm, dst);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range: pagesFrom(from, 1),
    owner: 'none',
    blocking: 'blockable',
  });
  const moved = yield* k.fn.movePagesPte(k, { mm, src, dst, from, to });
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  return moved;
}

/** move_pages_pte(): looks at both entries without their locks, and locks the page before it takes those. */
export function* movePagesPte(k: Kernel, move: PageMove): Task<Result<void>> {
  const { mm, from, to } = move;
  yield willRead('move_pages_pte.dst', pteObject(mm.table, to));
  if (!pteNone(readPte(mm.table, to))) return fail('EEXIST');
  yield willRead('move_pages_pte.src', pteObject(mm.table, from));
  const seen = readPte(mm.table, from);
  if (pteNone(seen)) return fail('ENOENT');
  if (isHuge(mm.table, from)) return fail('EBUSY');
  if (ptePresent(seen)) {
    return pteIsZeroPage(seen)
      ? yield* moveZeropagePte(k, move, seen)
      : yield* movePresent(k, move, seen);
  }
  if (pteIsMigration(seen)) {
    yield* k.fn.migrationEntryWait(k, mm, from);
    return fail('EAGAIN');
  }
  if (!pteIsSwap(seen)) return fail('EFAULT');
  if (!pteMarkedExclusive(seen)) return fail('EBUSY');
  return yield* moveSwap(k, move, seen);
}

function* movePresent(k: Kernel, move: PageMove, seen: Pte): Task<Result<void>> {
  const { mm, src, from } = move;
  const at = yield* lockPte(k, 'move_pages_pte.src_ptl', mm, src, from);
  const pfn = ptePfn(seen);
  const same = readPte(mm.table, from) === seen;
  const alone =
    hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE) && !hasFlag(k.frames, pfn, PAGE_COMPOUND);
  if (same && alone) getPage(k.frames, pfn, 1);
  unlockPte(k, at);
  if (!same) return fail('EAGAIN');
  if (!alone) return fail('EBUSY');
  yield* lockPage(k, 'move_pages_pte.lock_page', pfn);
  const held = yield* rmapLockWrite(k, 'move_pages_pte.anon_vma_lock', pfn);
  const moved = yield* k.fn.movePresentPte(k, move, seen);
  if (held !== 'none') writeUnlock(k.context, held);
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
  return moved;
}

/**
 * move_present_pte(): the TLBs are flushed before the page is at its new place.
 *
 * Holds: the page lock, the anon_vma lock. Takes: both PTE locks.
 */
export function* movePresentPte(k: Kernel, move: PageMove, seen: Pte): Task<Result<void>> {
  const both = yield* doublePtLock(k, move);
  const moved = stable(move, seen)
    ? yield* movePresentLocked(k, move, both, ptePfn(seen))
    : fail('EAGAIN');
  doublePtUnlock(k, both);
  return moved;
}

function* movePresentLocked(
  k: Kernel,
  move: PageMove,
  both: BothPtes,
  pfn: Pfn,
): Task<Result<void>> {
  const { mm, from, to } = move;
  const alone = hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  if (maybeDmaPinned(k.frames, pfn) || !alone) return fail('EBUSY');
  const pte = yield* k.fn.ptepClearFlush(k, both.from, pfn);
  // A walk without locks may have pinned it until the flush.
  if (maybeDmaPinned(k.frames, pfn)) {
    yield willWrite('move_present_pte.restore', pteObject(mm.table, from));
    setLockedPte(k, both.from, pte);
    return fail('EBUSY');
  }
  comeTo(k, move, pfn);
  yield willWrite('move_present_pte.set', pteObject(mm.table, to));
  setLockedPte(k, both.to, mkPte(pfn, PTE_DIRTY | PTE_WRITE));
  tellOfMove(k, move, pfn, contentsOf(k.frames, pfn));
  return OK;
}

/** move_zeropage_pte(). Takes: both PTE locks. */
function* moveZeropagePte(k: Kernel, move: PageMove, seen: Pte): Task<Result<void>> {
  const { mm, to } = move;
  const both = yield* doublePtLock(k, move);
  const same = stable(move, seen);
  if (same) {
    yield* k.fn.ptepClearFlush(k, both.from, ZERO_PFN);
    yield willWrite('move_zeropage_pte.set', pteObject(mm.table, to));
    setLockedPte(k, both.to, mkZeroPte());
    tellOfMove(k, move, ZERO_PFN, ZERO_CONTENTS);
  }
  doublePtUnlock(k, both);
  return same ? OK : fail('EAGAIN');
}

/** A page that is in the swap cache goes along, and is locked for that. */
function* moveSwap(k: Kernel, move: PageMove, seen: Pte): Task<Result<void>> {
  const slot = slotAt(k.swap, pteSwapSlot(seen));
  if (slot === 'none') return fail('EAGAIN');
  const { cached } = slot;
  if (cached === 'none') return yield* k.fn.moveSwapPte(k, move, seen, 'none');
  getPage(k.frames, cached, 1);
  yield* lockPage(k, 'move_pages_pte.lock_swapcache', cached);
  const moved = yield* k.fn.moveSwapPte(k, move, seen, cached);
  unlockPage(k, cached);
  yield* putPage(k, cached);
  return moved;
}

/**
 * move_swap_pte(): the entry is what it was, and yet the slot may have a page by now that it had not, or another one:
 * a fault has brought it in, and reclaim has put it out to the same slot.
 *
 * Holds: the lock of `cached`. Takes: both PTE locks.
 */
export function* moveSwapPte(
  k: Kernel,
  move: PageMove,
  seen: Pte,
  cached: Pfn | 'none',
): Task<Result<void>> {
  const both = yield* doublePtLock(k, move);
  const moved =
    stable(move, seen) && hasInCache(k, pteSwapSlot(seen), cached)
      ? yield* moveSwapLocked(k, move, both, cached)
      : fail('EAGAIN');
  doublePtUnlock(k, both);
  return moved;
}

/** Whether the cache has this page for the slot, or none and nobody reads one. */
function hasInCache(k: Kernel, number: number, cached: Pfn | 'none'): boolean {
  const slot = slotAt(k.swap, number);
  return slot !== 'none' && slot.cached === cached && slot.claim === 'free';
}

/** The second half. Holds: both PTE locks, and the lock of `cached`. */
export function* moveSwapLocked(
  k: Kernel,
  move: PageMove,
  both: BothPtes,
  cached: Pfn | 'none',
): Task<Result<void>> {
  const { mm, from, to } = move;
  const pte = lockedPte(both.from);
  if (cached !== 'none') comeTo(k, move, cached);
  yield willWrite('move_swap_pte.clear', pteObject(mm.table, from));
  setLockedPte(k, both.from, PTE_NONE);
  yield willWrite('move_swap_pte.set', pteObject(mm.table, to));
  setLockedPte(k, both.to, pte);
  const slot = slotAt(k.swap, pteSwapSlot(pte));
  const pfn = cached === 'none' ? ZERO_PFN : cached;
  if (slot !== 'none') tellOfMove(k, move, pfn, lookAtSlot(k.swap, slot).contents);
  return OK;
}

/** Both entries under their locks. */
export interface BothPtes {
  readonly from: LockedPte;
  readonly to: LockedPte;
}

/** double_pt_lock(): in one order, for another move may go the other way. */
export function* doublePtLock(k: Kernel, { mm, src, dst, from, to }: PageMove): Task<BothPtes> {
  const [old, made] = [blockOf(mm.table, from), blockOf(mm.table, to)];
  const [first, second] = from < to ? [old, made] : [made, old];
  const held = yield* lock(k.context, 'double_pt_lock.first', first.ptl);
  const nested =
    first === second ? held : yield* lockNested(k.context, 'double_pt_lock.second', second.ptl);
  const [oldHeld, madeHeld] = first === old ? [held, nested] : [nested, held];
  return {
    from: {
      mm,
      vma: src,
      page: from,
      ptePage: allocPtePage(oldHeld, mm.table, from),
      held: oldHeld,
    },
    to: { mm, vma: dst, page: to, ptePage: allocPtePage(madeHeld, mm.table, to), held: madeHeld },
  };
}

export function doublePtUnlock(k: Kernel, { from, to }: BothPtes): void {
  if (from.held !== to.held) unlock(k.context, to.held);
  unlock(k.context, from.held);
}

/** is_pte_pages_stable(). Holds: both PTE locks. */
export function stable({ mm, from, to }: PageMove, seen: Pte): boolean {
  return readPte(mm.table, from) === seen && pteNone(readPte(mm.table, to));
}

/**
 * folio_move_anon_rmap() with the page's index: it belongs to the mapping of its new place, where a walk of the reverse
 * map looks for it from now on.
 */
function comeTo(k: Kernel, { mm, dst, to }: PageMove, pfn: Pfn): void {
  invariant(dst.anonVma !== 'none', 'RM1', { mm: mm.id, page: to, pfn });
  setMapping(k.frames, pfn, dst.anonVma.id, linearIndex(dst, to));
}

/** For whoever follows what stands where: a write to the new place, and nothing is left at the old one. */
function tellOfMove(k: Kernel, { mm, from, to }: PageMove, pfn: Pfn, contents: PageContents): void {
  const access = { kind: 'cpu-access', mm: mm.id, pfn, mode: 'write' } as const;
  k.emit({ ...access, page: to, value: firstWord(contents) });
  k.emit({ ...access, page: from, value: '0x0' });
}
