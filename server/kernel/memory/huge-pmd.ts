/**
 * Huge entries: mapping a block of pages by one, splitting that into small entries, and splitting the page behind it.
 * Source: mm/huge_memory.c (6.1).
 *
 * Leaves out: collapsing (khugepaged), huge pages of files. How one moves as a whole is in rmap/migrate-huge-page.ts.
 */

import { touch } from '../../task/context.ts';
import { assertHeld, type Held, lock, unlock } from '../../task/lock.ts';
import { writeUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { type PageIndex, type PageRange, type Pfn, pagesFrom } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { placesOf, rmapLockWrite } from '../rmap/rmap.ts';
import { compoundParts } from './compound-page.ts';
import {
  clearFlag,
  getPage,
  hasFlag,
  mapcount,
  PAGE_COMPOUND,
  pageObject,
  refcount,
} from './frames.ts';
import type { Mm } from './mm.ts';
import { pageLockObject, tryLockPage, unlockPage } from './page-lock.ts';
import { putPage } from './page-references.ts';
import {
  blockOf,
  hugeObject,
  isHuge,
  notePmdTable,
  type PtePage,
  pteObject,
  readPte,
  tableObject,
} from './page-table.ts';
import { hugePteAt, PTE_NONE, type Pte, ptePfn, viewPte } from './pte.ts';

/** The pages of the block that `page` lies in. */
export function blockRange({ ptrsPerPte }: Kernel, page: PageIndex): PageRange {
  return pagesFrom((page - (page % ptrsPerPte)) as PageIndex, ptrsPerPte);
}

/** The place of the block changes, and with it what each of its entries reads as. */
function touchBlock(k: Kernel, mm: Mm, page: PageIndex): void {
  touch(k.context, tableObject(mm.table, page), 'write');
  touch(k.context, hugeObject(mm.table, page), 'write');
}

/** set_pmd_at(). Holds: the lock of `block`. Announce it with willWrite on the block's first entry. */
export function setHugePmd(
  k: Kernel,
  held: Held<'ptl'>,
  mm: Mm,
  block: PtePage,
  page: PageIndex,
  huge: Pte,
): void {
  assertHeld(held, block.ptl);
  touchBlock(k, mm, page);
  const { first } = blockRange(k, page);
  const before = Array.from({ length: k.ptrsPerPte }, (_, at) =>
    readPte(mm.table, (first + at) as PageIndex),
  );
  if (huge !== PTE_NONE) notePmdTable(mm.table, page);
  block.level = huge === PTE_NONE ? 'none' : 'huge';
  block.huge = huge;
  for (const [at, from] of before.entries()) {
    const to = huge === PTE_NONE ? PTE_NONE : hugePteAt(huge, at);
    if (from === to) continue;
    const changed = (first + at) as PageIndex;
    k.emit({ kind: 'pte', mm: mm.id, page: changed, from: viewPte(from), to: viewPte(to) });
  }
}

/**
 * __split_huge_pmd(): the huge entry, a migration entry as well, becomes small ones with the same rights.
 * Nothing moves; the devices are notified all the same, as in 6.1. A block without a huge entry is left as it is.
 *
 * Takes: callbacks' locks, the PTE lock. Yields: yes.
 */
export function* splitHugePmd(k: Kernel, mm: Mm, page: PageIndex): Task<void> {
  if (!isHuge(mm.table, page)) return;
  const range = blockRange(k, page);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  const block = blockOf(mm.table, page);
  const held = yield* lock(k.context, '__split_huge_pmd.ptl', block.ptl);
  if (block.level === 'huge') {
    yield willWrite('__split_huge_pmd.split', pteObject(mm.table, range.first));
    touchBlock(k, mm, page);
    for (let at = 0; at < k.ptrsPerPte; at += 1) {
      touch(k.context, pteObject(mm.table, (range.first + at) as PageIndex), 'write');
      block.ptes[at] = k.fn.splitPte(block.huge, at);
    }
    block.level = 'table';
    block.huge = PTE_NONE;
  }
  unlock(k.context, held);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/**
 * split_huge_page(): after it every part of the page is a small page, mapped by small entries. The lock and the
 * references keep the page from becoming another one meanwhile.
 *
 * Takes: the page lock of the head, if it is free. Returns: 'busy' if it is not, or if there are references besides
 * the mappings; the entries may be split then.
 */
export function* splitHugePage(k: Kernel, pfn: Pfn): Task<'split' | 'busy'> {
  if (!hasFlag(k.frames, pfn, PAGE_COMPOUND)) return 'split';
  const parts = compoundParts(k, pfn);
  const first = parts[0] ?? pfn;
  for (const part of parts) getPage(k.frames, part, 1);
  yield willWrite('split_huge_page.trylock_page', pageLockObject(first));
  const locked = tryLockPage(k, first);
  const outcome = locked === 'busy' ? 'busy' : yield* splitLockedPage(k, first, parts);
  if (locked !== 'busy') unlockPage(k, first);
  for (const part of parts) yield* putPage(k, part);
  return outcome;
}

/** Holds: the lock of `first`, and a reference on each part. */
function* splitLockedPage(k: Kernel, first: Pfn, parts: readonly Pfn[]): Task<'split' | 'busy'> {
  // For writing: nothing may walk there while the entries change.
  const rmapHeld = yield* rmapLockWrite(k, 'split_huge_page.anon_vma_lock', first);
  const outcome = yield* splitUnderLocks(k, first, parts);
  if (rmapHeld !== 'none') writeUnlock(k.context, rmapHeld);
  return outcome;
}

/** Holds: the lock of the reverse map as well. */
function* splitUnderLocks(k: Kernel, first: Pfn, parts: readonly Pfn[]): Task<'split' | 'busy'> {
  if (!canSplit(k, parts)) return 'busy';
  for (const { mm, page } of placesOf(k, first)) {
    if (isHuge(mm.table, page)) yield* k.fn.splitHugePmd(k, mm, page);
  }
  // A fork may have mapped it again by one entry, and another task may have taken a reference (page_ref_freeze).
  yield willWrite('split_huge_page.freeze', pageObject(first));
  if (!canSplit(k, parts) || mappedByOneEntry(k, first)) return 'busy';
  for (const part of parts) clearFlag(k.frames, part, PAGE_COMPOUND);
  return 'split';
}

/** can_split_folio(): no references but those of the mappings and ours. */
function canSplit(k: Kernel, parts: readonly Pfn[]): boolean {
  return parts.every((part) => refcount(k.frames, part) === mapcount(k.frames, part) + 1);
}

function mappedByOneEntry(k: Kernel, part: Pfn): boolean {
  for (const { mm, page } of placesOf(k, part)) {
    if (isHuge(mm.table, page) && ptePfn(readPte(mm.table, page)) === part) return true;
  }
  return false;
}
