/**
 * What munmap() does with mappings that are in the list no more: their entries go in one bracket, then the mappings
 * leave the reverse maps, then go the page tables that no other mapping uses.
 *
 *   munmap                                       a walk of the reverse map
 *     takes the mappings out of the list
 *     mmap_lock: from writing to reading
 *     empties the entries
 *                                                  finds a mapping, looks into its table
 *     unlink_anon_vmas, unlink_file_vma: waits
 *     takes the table out of the upper level         lets go of the reverse map
 *
 * Source: mm/mmap.c (unmap_region), mm/memory.c (unmap_vmas, free_pgtables, free_pgd_range, free_pte_range),
 * mm/mmu_gather.c (tlb_remove_table) (6.1). Rules: PT4.
 */
import { touch } from '../../task/context.ts';
import { type Task, waitUntil, willWrite } from '../../task/task.ts';
import { PAGES_MAX, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import type { Kernel, UnmappedRegion, ZapBatch } from '../kernel.ts';
import { fastWalksObject, type Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import {
  clearTable,
  dropPmdTables,
  endOfPtePage,
  nextCovered,
  noteFreed,
  tableObject,
} from '../memory/page-table.ts';
import { findVmaPosition } from '../memory/vma.ts';
import { unlinkFileVma } from '../memory/vma-adjust.ts';
import { gatherBatch } from './zap-page-range.ts';

/** The mappings of `vmas` are out of the list already. Which tables may go is seen from their neighbours. */
export function unmappedRegion(mm: Mm, vmas: readonly Vma[], range: PageRange): UnmappedRegion {
  const next = findVmaPosition(mm.vmas, range.first);
  return {
    vmas,
    range,
    floor: mm.vmas[next - 1]?.end ?? (0 as PageIndex),
    ceiling: mm.vmas[next]?.first ?? (PAGES_MAX as PageIndex),
  };
}

/**
 * unmap_region().
 *
 * Holds: mmap_lock; for reading is enough, since nobody finds the mappings. Yields: yes.
 */
export function* unmapRegion(k: Kernel, mm: Mm, region: UnmappedRegion): Task<void> {
  const batch = gatherBatch(k, mm);
  yield* k.fn.unmapVmas(k, mm, region, batch);
  yield* k.fn.freePgtables(k, mm, region, batch);
  yield* k.fn.finishBatch(k, mm, region.range, batch);
}

/** unmap_vmas(): every entry goes, in one bracket. Takes: callbacks' locks, PTE locks. */
export function* unmapVmas(
  k: Kernel,
  mm: Mm,
  { vmas, range }: UnmappedRegion,
  batch: ZapBatch,
): Task<void> {
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'unmap',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  for (const vma of vmas) {
    yield* k.fn.unmapPageRange(k, mm, vma, { first: vma.first, end: vma.end }, batch);
  }
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/**
 * free_pgtables(): the mappings leave the reverse maps first, so that no walk is in their tables. Mappings that may
 * have a table in common go together.
 *
 * Takes: the anon_vma lock, then i_mmap_rwsem, each for writing.
 */
export function* freePgtables(
  k: Kernel,
  mm: Mm,
  { vmas, floor, ceiling }: UnmappedRegion,
  batch: ZapBatch,
): Task<void> {
  for (let at = 0; at < vmas.length; at += 1) {
    const { first } = vmas[at] as Vma;
    yield* unlink(k, vmas[at] as Vma);
    let last = vmas[at] as Vma;
    for (let next = vmas[at + 1]; next !== undefined; next = vmas[at + 1]) {
      if (next.first > last.end + k.ptrsPerPte) break;
      yield* unlink(k, next);
      last = next;
      at += 1;
    }
    const above = vmas[at + 1]?.first ?? ceiling;
    yield* k.fn.freePgdRange(k, mm, { first, end: last.end }, { first: floor, end: above }, batch);
  }
}

function* unlink(k: Kernel, vma: Vma): Task<void> {
  yield* k.fn.unlinkAnonVmas(k, vma);
  yield* unlinkFileVma(k, vma);
}

/**
 * free_pgd_range(): the tables of `range` that reach nowhere out of `limits`, and what of the upper levels is empty
 * then. No lock but mmap_lock: nobody else can be in them.
 */
export function* freePgdRange(
  k: Kernel,
  mm: Mm,
  range: PageRange,
  limits: PageRange,
  batch: ZapBatch,
): Task<void> {
  const size = k.ptrsPerPte;
  const blocks = within(range, limits, size);
  for (let at = nextCovered(mm.table, blocks.first, blocks.end); at < blocks.end; ) {
    const block = { first: at, end: endOfPtePage(mm.table, at) };
    yield willWrite('free_pte_range.clear', tableObject(mm.table, at));
    clearTable(mm.table, at);
    batch.tables.push(block);
    // A CPU may remember where the table was, if none of its entries.
    batch.tlb = 'stale';
    at = nextCovered(mm.table, block.end, blocks.end);
  }
  dropPmdTables(mm.table, range, limits);
}

/** `range` as far as whole blocks of `size` pages reach that overlap it and lie in `limits`. */
function within(range: PageRange, limits: PageRange, size: number): PageRange {
  const first = Math.floor(range.first / size) * size;
  const end = Math.ceil(range.end / size) * size;
  return {
    first: (first < limits.first ? first + size : first) as PageIndex,
    end: (end > limits.end ? end - size : end) as PageIndex,
  };
}

/**
 * tlb_remove_table_free(), behind the flush: the tables are freed when no CPU is in them that walks without a lock.
 * Linux leaves that to RCU; here munmap() waits for those walks itself. Where there are none it is no yield point.
 */
export function* tlbRemoveTableFree(k: Kernel, mm: Mm, tables: readonly PageRange[]): Task<void> {
  if (tables.length === 0) return;
  const walks = fastWalksObject(mm.id);
  touch(k.context, walks, 'read');
  if (mm.fastWalks > 0) {
    yield waitUntil('tlb_remove_table_free.wait', walks, () => mm.fastWalks === 0);
  }
  for (const { first } of tables) noteFreed(mm.table, first);
}
