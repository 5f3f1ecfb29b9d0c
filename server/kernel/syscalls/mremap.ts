/** mremap(2) with MREMAP_MAYMOVE|MREMAP_FIXED and one size. Source: mm/mremap.c (6.1, eb66ae030829 included). */

import { lock, lockNested, unlock } from '../../task/lock.ts';
import { type HeldForWrite, writeLock, writeUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { type PageIndex, type PageRange, pageCount, pagesFrom } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import type { CopiedVma, Kernel } from '../kernel.ts';
import { setHugePmd } from '../memory/huge-pmd.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import {
  allocPtePage,
  blockOf,
  endOfPtePage,
  findPtePage,
  isHuge,
  nextCovered,
  pteObject,
  readPte,
} from '../memory/page-table.ts';
import { PTE_NONE, pteNone, ptePresent } from '../memory/pte.ts';
import { setPteAt } from '../memory/set-pte.ts';
import { linearIndex, newVma, vmaLookup } from '../memory/vma.ts';
import { linkVma } from '../memory/vma-adjust.ts';
import { anonVmaLockWrite } from '../rmap/anon-vma-chain.ts';
import { doMunmap } from './mmap.ts';

/**
 * Moves the pages of `range` to `to`; what was mapped there goes first.
 *
 * Takes: mmap_lock for writing. Yields: yes.
 * Returns: EINVAL if the ranges overlap; EFAULT if `range` is not within one mapping (the target may be gone by
 * then, as in Linux).
 */
export function* mremap(k: Kernel, mm: Mm, range: PageRange, to: PageIndex): Task<Result<void>> {
  const held = yield* writeLock(k.context, 'mremap.mmap_lock', mm.mmapLock);
  const result = yield* mremapTo(k, mm, range, to);
  mmapWriteUnlock(k.context, mm, held);
  return result;
}

function* mremapTo(k: Kernel, mm: Mm, range: PageRange, to: PageIndex): Task<Result<void>> {
  if (vmaLookup(mm.vmas, range.first) === 'none') return fail('EFAULT');
  const target = pagesFrom(to, pageCount(range));
  if (range.first < target.end && target.first < range.end) return fail('EINVAL');
  yield* doMunmap(k, mm, target);
  const vma = vmaLookup(mm.vmas, range.first);
  if (vma === 'none' || range.end > vma.end) return fail('EFAULT');
  yield* k.fn.vmaStartWrite(k, mm, vma);
  const copied = yield* k.fn.copyVma(k, mm, vma, range, target);
  yield* k.fn.movePageTables(k, mm, range, target.first, copied);
  yield* doMunmap(k, mm, range);
  k.emit({
    kind: 'vma',
    mm: mm.id,
    first: target.first,
    end: target.end,
    change: 'mremap',
    prot: copied.made.prot,
  });
  return OK;
}

/**
 * copy_vma(): a mapping at the target that may map the same pages, merged with its neighbours where it can be. A new
 * one stands behind the old one in the interval tree, so that a walk looks at the old place first; one that grew
 * may stand before it.
 */
export function* copyVma(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  range: PageRange,
  target: PageRange,
): Task<CopiedVma> {
  // A private mapping that was never faulted takes on the linear indices of its new place, to merge better.
  const untouched = vma.kind === 'anon-private' && vma.anonVma === 'none';
  const pgoff = untouched ? target.first : linearIndex(vma, range.first);
  const shape = { prot: vma.prot, kind: vma.kind, file: vma.file, accounted: vma.accounted };
  const wish = { range: target, shape, pgoff, anonVma: vma.anonVma };
  const merged = yield* k.fn.vmaMerge(k, mm, wish);
  if (merged !== 'none') {
    // The mapping to be moved may be the one that grew.
    const covering = vmaLookup(mm.vmas, range.first);
    const old = covering === 'none' ? vma : covering;
    return { made: merged, old, rmapLocks: merged.pgoff <= old.pgoff ? 'needed' : 'not needed' };
  }
  const { anonVma } = vma;
  const made = newVma({ mm: mm.id, ...target, ...shape, pgoff, anonVma });
  yield* k.fn.anonVmaClone(k, made, vma);
  yield* linkVma(k, mm, made);
  return { made, old: vma, rmapLocks: 'not needed' };
}

/**
 * move_page_tables(): entries of every kind move as they are, one page table after the other.
 *
 * Holds: mmap_lock for writing. Takes: callbacks' locks, and what movePtes() takes.
 */
export function* movePageTables(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  to: PageIndex,
  copied: CopiedVma,
): Task<void> {
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'unmap',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  for (let first = nextCovered(mm.table, range.first, range.end); first < range.end; ) {
    const made = (to + (first - range.first)) as PageIndex;
    const pages = extentFrom(mm, first, made, range.end);
    if (!(pages === k.ptrsPerPte && (yield* moveHugePmd(k, mm, first, made, copied)))) {
      yield* k.fn.splitHugePmd(k, mm, first);
      yield* k.fn.movePtes(k, mm, pagesFrom(first, pages), made, copied);
    }
    first = nextCovered(mm.table, (first + pages) as PageIndex, range.end);
  }
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/** get_extent(): as far as one page table reaches, at the old place and at the new one. */
function extentFrom({ table }: Mm, old: PageIndex, made: PageIndex, end: PageIndex): number {
  return Math.min(endOfPtePage(table, old) - old, endOfPtePage(table, made) - made, end - old);
}

/** take_rmap_locks(): keeps walks out while entries move to where a walk may have been already. */
export function* takeRmapLocks(k: Kernel, { file, anonVma }: Vma): Task<HeldForWrite[]> {
  const held: HeldForWrite[] = [];
  if (file !== 'none') {
    held.push(yield* writeLock(k.context, 'take_rmap_locks.i_mmap_lock', file.iMmapRwsem));
  }
  if (anonVma !== 'none') {
    held.push(yield* anonVmaLockWrite(k, 'take_rmap_locks.anon_vma_lock', anonVma));
  }
  return held;
}

/** drop_rmap_locks(). */
function dropRmapLocks(k: Kernel, held: readonly HeldForWrite[]): void {
  for (const one of held.toReversed()) writeUnlock(k.context, one);
}

/** move_huge_pmd(): a huge entry moves as a whole where both places are aligned. False if there is none. */
function* moveHugePmd(
  k: Kernel,
  mm: Mm,
  old: PageIndex,
  made: PageIndex,
  copied: CopiedVma,
): Task<boolean> {
  if (!isHuge(mm.table, old)) return false;
  const from = blockOf(mm.table, old);
  const to = blockOf(mm.table, made);
  const rmapHeld = copied.rmapLocks === 'needed' ? yield* k.fn.takeRmapLocks(k, copied.old) : [];
  const fromHeld = yield* lock(k.context, 'move_huge_pmd.old_ptl', from.ptl);
  const toHeld = yield* lockNested(k.context, 'move_huge_pmd.new_ptl', to.ptl);
  const { huge, level } = from;
  if (level === 'huge') {
    yield willWrite('move_huge_pmd.clear', pteObject(mm.table, old));
    setHugePmd(k, fromHeld, mm, from, old, PTE_NONE);
    yield willWrite('move_huge_pmd.set', pteObject(mm.table, made));
    setHugePmd(k, toHeld, mm, to, made, huge);
    if (ptePresent(huge)) yield* k.fn.flushTlbRange(k, mm, pagesFrom(old, k.ptrsPerPte));
  }
  unlock(k.context, toHeld);
  unlock(k.context, fromHeld);
  dropRmapLocks(k, rmapHeld);
  return level === 'huge';
}

/**
 * move_ptes(): the entries of `range`, which one page table covers, as its target does. Whether there is an entry is
 * asked under both locks: one that is just being replaced reads as none without them. The TLBs are flushed before the
 * new place's lock is released: from then on a page may be freed through the new place.
 *
 * Takes: the locks of the reverse map where `copied` needs them, or a whole table moves; both PTE locks.
 */
export function* movePtes(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  to: PageIndex,
  copied: CopiedVma,
): Task<void> {
  const oldPage = findPtePage(mm.table, range.first);
  if (oldPage === 'none') return;
  const newPage = blockOf(mm.table, to);
  const wholeTable = pageCount(range) === k.ptrsPerPte;
  const rmapHeld =
    copied.rmapLocks === 'needed' || wholeTable ? yield* k.fn.takeRmapLocks(k, copied.old) : [];
  const oldHeld = yield* lock(k.context, 'move_ptes.old_ptl', oldPage.ptl);
  // The second lock is of the same class; mmap_lock for writing keeps other movers out.
  const newHeld =
    newPage === oldPage ? oldHeld : yield* lockNested(k.context, 'move_ptes.new_ptl', newPage.ptl);
  allocPtePage(newHeld, mm.table, to);
  yield* k.fn.flushTlbBatchedPending(k, mm);
  let tlb: 'untouched' | 'stale' = 'untouched';
  for (let index = 0; index < pageCount(range); index += 1) {
    const old = (range.first + index) as PageIndex;
    const made = (to + index) as PageIndex;
    if (pteNone(readPte(mm.table, old))) continue;
    yield willWrite('move_ptes.clear', pteObject(mm.table, old));
    const pte = readPte(mm.table, old);
    setPteAt(k, oldHeld, mm, oldPage, old, PTE_NONE);
    if (ptePresent(pte)) tlb = 'stale';
    yield willWrite('move_ptes.set', pteObject(mm.table, made));
    setPteAt(k, newHeld, mm, newPage, made, pte);
  }
  if (tlb === 'stale') yield* k.fn.flushTlbRange(k, mm, range);
  if (newHeld !== oldHeld) unlock(k.context, newHeld);
  unlock(k.context, oldHeld);
  dropRmapLocks(k, rmapHeld);
}
