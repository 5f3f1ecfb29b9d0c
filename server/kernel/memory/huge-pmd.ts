/**
 * Huge entries: mapping 512 pages by one, splitting that into small entries, and splitting the page behind it.
 * Source: mm/huge_memory.c (6.1).
 *
 * Leaves out: collapsing (khugepaged), huge pages of files, migration of huge pages as a whole.
 */

import { touch } from '../../task/context.ts';
import { assertHeld, type Held, lock, unlock } from '../../task/lock.ts';
import { type Task, willWrite } from '../../task/task.ts';
import {
  type PageIndex,
  type PageRange,
  type Pfn,
  PTRS_PER_PTE,
  pagesFrom,
} from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { rmapWalk } from '../rmap/rmap.ts';
import { clearFlag, hasFlag, mapcount, PAGE_COMPOUND, refcount } from './frames.ts';
import type { Mm } from './mm.ts';
import {
  blockOf,
  hugeObject,
  isHuge,
  type PtePage,
  pteObject,
  readPte,
  tableObject,
} from './page-table.ts';
import { hugePteAt, PTE_NONE, type Pte, viewPte } from './pte.ts';

/** The 512 pages of the block that `page` lies in. */
export function blockRange(page: PageIndex): PageRange {
  return pagesFrom((page - (page % PTRS_PER_PTE)) as PageIndex, PTRS_PER_PTE);
}

/** The first frame of the huge page that `pfn` belongs to. */
export function compoundHead(pfn: Pfn): Pfn {
  return (pfn - (pfn % PTRS_PER_PTE)) as Pfn;
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
  const { first } = blockRange(page);
  const before = Array.from({ length: PTRS_PER_PTE }, (_, at) =>
    readPte(mm.table, (first + at) as PageIndex),
  );
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
 * __split_huge_pmd(): the huge entry becomes 512 small ones with the same rights. Nothing moves; the devices are
 * told all the same, as in 6.1. A block without a huge entry is left as it is.
 *
 * Takes: callbacks' locks, the PTE lock. Yields: yes.
 */
export function* splitHugePmd(k: Kernel, mm: Mm, page: PageIndex): Task<void> {
  if (!isHuge(mm.table, page)) return;
  const range = blockRange(page);
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
    for (let at = 0; at < PTRS_PER_PTE; at += 1) block.ptes[at] = hugePteAt(block.huge, at);
    block.level = 'table';
    block.huge = PTE_NONE;
  }
  unlock(k.context, held);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/**
 * split_huge_page(): after it every part of the page is a small page, mapped by small entries.
 *
 * Holds: nothing of the page. Returns: 'busy' if somebody holds a reference that is not a mapping.
 */
export function* splitHugePage(k: Kernel, pfn: Pfn): Task<'split' | 'busy'> {
  if (!hasFlag(k.frames, pfn, PAGE_COMPOUND)) return 'split';
  const head = compoundHead(pfn);
  for (let at = 0; at < PTRS_PER_PTE; at += 1) {
    const part = (head + at) as Pfn;
    if (refcount(k.frames, part) > mapcount(k.frames, part)) return 'busy';
  }
  for (const { mm, page } of rmapWalk(k, head)) {
    const mapsIt = isHuge(mm.table, page);
    if (mapsIt) yield* k.fn.splitHugePmd(k, mm, page);
  }
  for (let at = 0; at < PTRS_PER_PTE; at += 1) {
    clearFlag(k.frames, (head + at) as Pfn, PAGE_COMPOUND);
  }
  return 'split';
}
