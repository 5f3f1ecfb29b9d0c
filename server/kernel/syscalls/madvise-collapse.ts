/**
 * MADV_COLLAPSE of a file whose pages are one huge page already: the table of small entries goes, and the next touch
 * maps what it finds. khugepaged does the same by itself.
 *
 * Source: mm/khugepaged.c (madvise_collapse, collapse_pte_mapped_thp, collapse_and_free_pmd) (6.1).
 * Differs: the pages of a file are small here and may be mapped small again; any block of them counts as huge.
 * Leaves out: anonymous memory, and files whose pages must be copied together first: EINVAL.
 */
import { unlock } from '../../task/lock.ts';
import { writeLock, writeUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange, type Pfn } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import type { Kernel } from '../kernel.ts';
import { PAGE_DIRTY, setFlag } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import type { MemoryFile, Vma } from '../memory/mm-types.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { putPage } from '../memory/page-references.ts';
import { dropPtePage, readPte, tableObject } from '../memory/page-table.ts';
import { PTE_NONE, pteDirty, pteNone, ptePfn, ptePresent } from '../memory/pte.ts';
import { type LockedTable, lockTable } from '../memory/pte-lock.ts';
import { setPteAt } from '../memory/set-pte.ts';
import { linearIndex, vmaLookup } from '../memory/vma.ts';

/**
 * Takes: mmap_lock for writing, block by block. Yields: yes.
 * Returns: EINVAL for a block that cannot be; OK for a range without a whole block.
 */
export function* madviseCollapse(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  const size = k.ptrsPerPte;
  let refused = false;
  const last = Math.floor(range.end / size);
  for (let block = Math.ceil(range.first / size); block < last; block += 1) {
    const first = (block * size) as PageIndex;
    const held = yield* writeLock(k.context, 'madvise_collapse.mmap_lock', mm.mmapLock);
    const vma = vmaLookup(mm.vmas, first);
    const done =
      vma === 'none' || vma.end < first + size
        ? 'refused'
        : yield* k.fn.collapsePteMappedThp(k, mm, vma, first);
    mmapWriteUnlock(k.context, mm, held);
    if (done === 'refused') refused = true;
  }
  return refused ? fail('EINVAL') : OK;
}

/**
 * Takes the small entries of a block of a file away, with the table that they are in.
 *
 * Holds: mmap_lock for writing. Takes: i_mmap_rwsem for writing, so that no walk of the reverse map is in the table.
 */
export function* collapsePteMappedThp(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  first: PageIndex,
): Task<'collapsed' | 'refused'> {
  if (vma.file === 'none') return 'refused';
  const { file } = vma;
  const block: PageRange = { first, end: (first + k.ptrsPerPte) as PageIndex };
  yield* k.fn.vmaStartWrite(k, mm, vma);
  const held = yield* writeLock(k.context, 'collapse_pte_mapped_thp.i_mmap_lock', file.iMmapRwsem);
  const mapped = yield* unaccount(k, mm, vma, file, block);
  if (mapped !== 'refused') yield* k.fn.collapseAndFreePmd(k, mm, block);
  writeUnlock(k.context, held);
  if (mapped === 'refused') return mapped;
  for (const pfn of mapped) yield* putPage(k, pfn);
  return 'collapsed';
}

/** Steps 1 to 3: every entry maps its page of the file; they no longer count. Returns: the pages. */
function* unaccount(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  file: MemoryFile,
  { first, end }: PageRange,
): Task<readonly Pfn[] | 'refused'> {
  const table = yield* lockTable(k, 'collapse_pte_mapped_thp.ptl', mm, first);
  if (typeof table === 'string') return [];
  const mapped: Pfn[] = [];
  let right = true;
  for (let page = first; page < end; page = nextPage(page)) {
    const pte = readPte(mm.table, page);
    if (pteNone(pte)) continue;
    right &&= ptePresent(pte) && file.pages.get(linearIndex(vma, page)) === ptePfn(pte);
    mapped.push(ptePfn(pte));
    if (right && pteDirty(pte)) setFlag(k.frames, ptePfn(pte), PAGE_DIRTY);
  }
  if (right) for (const pfn of mapped) k.fn.pageRemoveRmap(k, pfn);
  unlock(k.context, table.held);
  return right ? mapped : 'refused';
}

/** The table goes, in a bracket: devices may have its entries still. Holds: as collapsePteMappedThp(). */
export function* collapseAndFreePmd(k: Kernel, mm: Mm, block: PageRange): Task<void> {
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range: block,
    owner: 'none',
    blocking: 'blockable',
  });
  yield* k.fn.pmdpCollapseFlush(k, mm, block);
  yield* k.fn.freePageTable(k, mm, block);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/** Takes: the PTE lock, under which no CPU remembers what was in the table when it returns. */
export function* pmdpCollapseFlush(k: Kernel, mm: Mm, block: PageRange): Task<void> {
  const table = yield* lockTable(k, 'pmdp_collapse_flush.ptl', mm, block.first);
  if (typeof table === 'string') return;
  yield* dropLockedTable(k, mm, block, table);
  unlock(k.context, table.held);
}

/** The table goes with what is in it, and no CPU remembers an entry of it. */
export function* dropLockedTable(
  k: Kernel,
  mm: Mm,
  block: PageRange,
  { ptePage, held }: LockedTable,
): Task<void> {
  yield willWrite('pmdp_collapse_flush.clear', tableObject(mm.table, block.first));
  for (let page = block.first; page < block.end; page = nextPage(page)) {
    if (!pteNone(readPte(mm.table, page))) setPteAt(k, held, mm, ptePage, page, PTE_NONE);
  }
  dropPtePage(held, mm.table, block.first);
  yield* k.fn.flushTlbRange(k, mm, block);
}
