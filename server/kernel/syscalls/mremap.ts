/** mremap(2) with MREMAP_MAYMOVE|MREMAP_FIXED and one size. Source: mm/mremap.c (6.1, eb66ae030829 included). */

import { lock, lockNested, unlock } from '../../task/lock.ts';
import { writeLock, writeUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { type PageIndex, type PageRange, pageCount, pagesFrom } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import type { Kernel } from '../kernel.ts';
import { setHugePmd } from '../memory/huge-pmd.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import {
  allocPtePage,
  blockOf,
  findPtePage,
  isHuge,
  pteObject,
  readPte,
} from '../memory/page-table.ts';
import { PTE_NONE, pteNone, ptePresent } from '../memory/pte.ts';
import { setPteAt } from '../memory/set-pte.ts';
import {
  cloneChain,
  insertVma,
  linearIndex,
  mergeVma,
  setAnonVma,
  vmaLookup,
} from '../memory/vma.ts';
import { noteMovedEntry } from '../rmap/rmap.ts';
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
  writeUnlock(k.context, held);
  return result;
}

function* mremapTo(k: Kernel, mm: Mm, range: PageRange, to: PageIndex): Task<Result<void>> {
  if (vmaLookup(mm.vmas, range.first) === 'none') return fail('EFAULT');
  const target = pagesFrom(to, pageCount(range));
  if (range.first < target.end && target.first < range.end) return fail('EINVAL');
  yield* doMunmap(k, mm, target);
  const vma = vmaLookup(mm.vmas, range.first);
  if (vma === 'none' || range.end > vma.end) return fail('EFAULT');
  const moved = copyVma(mm, vma, range, target);
  yield* k.fn.movePageTables(k, mm, range, target.first);
  yield* doMunmap(k, mm, range);
  k.emit({
    kind: 'vma',
    mm: mm.id,
    first: target.first,
    end: target.end,
    change: 'mremap',
    prot: moved.prot,
  });
  return OK;
}

/** copy_vma(): a mapping at the target that may map the same pages, merged with its neighbours where it can be. */
function copyVma(mm: Mm, vma: Vma, range: PageRange, target: PageRange): Vma {
  // A private mapping that was never faulted takes on the linear indices of its new place, to merge better.
  const untouched = vma.kind === 'anon-private' && vma.anonVma === 'none';
  const pgoff = untouched ? target.first : linearIndex(vma, range.first);
  const shape = { prot: vma.prot, kind: vma.kind, file: vma.file, accounted: vma.accounted };
  const merged = mergeVma(mm.vmasToChange, { range: target, shape, pgoff, anonVma: vma.anonVma });
  if (merged !== 'none') return merged;
  const made: Vma = {
    mm: mm.id,
    ...target,
    ...shape,
    pgoff,
    anonVma: 'none',
    chain: [],
  };
  cloneChain(made, vma);
  if (vma.anonVma !== 'none') setAnonVma(made, vma.anonVma);
  insertVma(mm.vmasToChange, made);
  return made;
}

/**
 * move_page_tables(): entries of every kind move as they are. The TLB of the old place is flushed before the new
 * place's lock is released: from then on the page may be freed through the new place.
 *
 * Holds: mmap_lock for writing. Takes: callbacks' locks, both PTE locks.
 */
export function* movePageTables(k: Kernel, mm: Mm, range: PageRange, to: PageIndex): Task<void> {
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'unmap',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  for (let index = 0; index < pageCount(range); index += 1) {
    const old = (range.first + index) as PageIndex;
    if (pageCount(range) - index >= k.ptrsPerPte) {
      const moved = yield* moveHugePmd(k, mm, old, (to + index) as PageIndex);
      if (moved === 'moved') {
        index += k.ptrsPerPte - 1;
        continue;
      }
    }
    yield* k.fn.splitHugePmd(k, mm, old);
    if (!pteNone(readPte(mm.table, old))) yield* movePte(k, mm, old, (to + index) as PageIndex);
  }
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/** move_huge_pmd(): a huge entry moves as a whole where both places are aligned. */
function* moveHugePmd(
  k: Kernel,
  mm: Mm,
  old: PageIndex,
  made: PageIndex,
): Task<'moved' | 'not possible'> {
  const aligned = old % k.ptrsPerPte === 0 && made % k.ptrsPerPte === 0;
  if (!(aligned && isHuge(mm.table, old))) return 'not possible';
  const from = blockOf(mm.table, old);
  const to = blockOf(mm.table, made);
  const fromHeld = yield* lock(k.context, 'move_huge_pmd.old_ptl', from.ptl);
  const toHeld = yield* lockNested(k.context, 'move_huge_pmd.new_ptl', to.ptl);
  const { huge, level } = from;
  if (level === 'huge') {
    yield willWrite('move_huge_pmd.clear', pteObject(mm.table, old));
    setHugePmd(k, fromHeld, mm, from, old, PTE_NONE);
    yield* k.fn.flushTlbRange(k, mm, pagesFrom(old, k.ptrsPerPte));
    yield willWrite('move_huge_pmd.set', pteObject(mm.table, made));
    setHugePmd(k, toHeld, mm, to, made, huge);
    const vma = vmaLookup(mm.vmas, made);
    if (vma !== 'none') noteMovedEntry(vma);
  }
  unlock(k.context, toHeld);
  unlock(k.context, fromHeld);
  return level === 'huge' ? 'moved' : 'not possible';
}

function* movePte(k: Kernel, mm: Mm, old: PageIndex, made: PageIndex): Task<void> {
  const oldPage = findPtePage(mm.table, old);
  if (oldPage === 'none') return;
  const newPage = blockOf(mm.table, made);
  const oldHeld = yield* lock(k.context, 'move_ptes.old_ptl', oldPage.ptl);
  // The second lock is of the same class; mmap_lock for writing keeps other movers out.
  const newHeld =
    newPage === oldPage ? oldHeld : yield* lockNested(k.context, 'move_ptes.new_ptl', newPage.ptl);
  allocPtePage(newHeld, mm.table, made);
  yield willWrite('move_ptes.clear', pteObject(mm.table, old));
  const pte = readPte(mm.table, old);
  setPteAt(k, oldHeld, mm, oldPage, old, PTE_NONE);
  if (ptePresent(pte)) yield* k.fn.flushTlbRange(k, mm, pagesFrom(old, 1));
  yield willWrite('move_ptes.set', pteObject(mm.table, made));
  setPteAt(k, newHeld, mm, newPage, made, pte);
  const vma = vmaLookup(mm.vmas, made);
  if (vma !== 'none') noteMovedEntry(vma);
  if (newHeld !== oldHeld) unlock(k.context, newHeld);
  unlock(k.context, oldHeld);
}
