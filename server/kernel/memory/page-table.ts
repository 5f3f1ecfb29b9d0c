/**
 * A sparse page table: page-table pages of 512 entries (PTRS_PER_PTE; a machine may have fewer), each with a lock of
 * its own (split PTE locks).
 *
 * The block of pages that one page-table page covers may be mapped by one huge entry instead (the PMD level). Readers
 * see it as so many small ones; a task that writes a small entry splits it first.
 *
 * The upper levels only say what lies below them, so that a walk passes over what was never there; a page-table page
 * is found by one look-up.
 */
import { type TaskContext, touch } from '../../task/context.ts';
import { assertHeld, type Held, type Lock, newLock } from '../../task/lock.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { MM_PARTS } from '../../task/object-owners.ts';
import type { PageIndex, PageRange } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { hugePteAt, PTE_NONE, type Pte } from './pte.ts';

/** Page-table pages below one place of the PMD level, and of the PUD level. */
const PTRS_PER_PMD = 512;
const PTRS_PER_PUD = PTRS_PER_PMD ** 2;

export interface PtePage {
  /** `ptrsPerPte` entries, each a Pte. Written under `ptl`; hardware and hmm_range_fault read without it. */
  readonly ptes: Uint32Array;
  /** 'none': neither a table nor a huge entry (pmd_none). Guarded by `ptl`. */
  level: 'none' | 'table' | 'huge';
  /** The entry of the whole block while `level` is 'huge'. Guarded by `ptl`. */
  huge: Pte;
  readonly ptl: Lock<'ptl'>;
  /** How often a table of this block was freed: who reads one without a lock asks whether it is still the same. */
  frees: number;
}

export interface PageTable {
  readonly mm: number;
  /** Entries of one page-table page; also the pages of one huge page. */
  readonly ptrsPerPte: number;
  /** Every access is noted here for an explorer. */
  readonly context: TaskContext;
  /** By page index / ptrsPerPte. */
  readonly pages: Map<number, PtePage>;
  /** Which places of the PMD and of the PUD level have something below them, by number. Nothing is taken away again. */
  readonly pmds: Set<number>;
  readonly puds: Set<number>;
  /** PMD tables that are there, by the place of the PUD level that names them. */
  readonly pmdTables: Set<number>;
}

export function newPageTable(mm: number, ptrsPerPte: number, context: TaskContext): PageTable {
  return {
    mm,
    ptrsPerPte,
    context,
    pages: new Map(),
    pmds: new Set(),
    puds: new Set(),
    pmdTables: new Set(),
  };
}

/** Which page-table page covers `page`. */
export function ptePageNumber({ ptrsPerPte }: PageTable, page: PageIndex): number {
  return Math.floor(page / ptrsPerPte);
}

/** The first page that another page-table page covers. */
export function endOfPtePage(table: PageTable, page: PageIndex): PageIndex {
  return ((ptePageNumber(table, page) + 1) * table.ptrsPerPte) as PageIndex;
}

/** The table or the huge entry that covers `page`, if there is either. */
export function findPtePage(table: PageTable, page: PageIndex): PtePage | 'none' {
  touch(table.context, tableObject(table, page), 'read');
  touch(table.context, hugeObject(table, page), 'read');
  const found = table.pages.get(ptePageNumber(table, page));
  return found === undefined || found.level === 'none' ? 'none' : found;
}

/** pmd_trans_huge(): the block is mapped by one entry. */
export function isHuge(table: PageTable, page: PageIndex): boolean {
  touch(table.context, hugeObject(table, page), 'read');
  return table.pages.get(ptePageNumber(table, page))?.level === 'huge';
}

/**
 * pte_alloc(): never fails here; page tables are not counted against memory. A huge entry stays.
 *
 * Holds: the lock of the block (pmd_lock), for another task may be about to map it by one entry.
 */
export function allocPtePage(held: Held<'ptl'>, table: PageTable, page: PageIndex): PtePage {
  const ptePage = blockOf(table, page);
  assertHeld(held, ptePage.ptl);
  touch(table.context, tableObject(table, page), 'read');
  if (ptePage.level === 'none') {
    touch(table.context, tableObject(table, page), 'write');
    notePmdTable(table, page);
    ptePage.level = 'table';
  }
  return ptePage;
}

/** pmd_clear(): the table goes; it must be empty. Holds: the lock of the block, and what keeps walks out of it. */
export function dropPtePage(held: Held<'ptl'>, table: PageTable, page: PageIndex): void {
  const ptePage = blockOf(table, page);
  assertHeld(held, ptePage.ptl);
  touch(table.context, tableObject(table, page), 'write');
  ptePage.level = 'none';
}

/** The same by whoever keeps others out by other means. It must be empty (PT4). */
export function clearTable(table: PageTable, page: PageIndex): void {
  const ptePage = blockOf(table, page);
  touch(table.context, tableObject(table, page), 'write');
  const empty = ptePage.level === 'table' && ptePage.ptes.every((pte) => pte === PTE_NONE);
  // In a kernel in which others may be in it, an explorer has to know that each entry was looked at.
  const first = page - (page % table.ptrsPerPte);
  for (let at = 0; table.context.footprint !== 'off' && at < table.ptrsPerPte; at += 1) {
    touch(table.context, pteObject(table, (first + at) as PageIndex), 'read');
  }
  invariant(empty, 'PT4', { page, level: ptePage.level });
  ptePage.level = 'none';
}

/** pmd_alloc(): the place of the PUD level that covers `page` names a PMD table from now on. */
export function notePmdTable(table: PageTable, page: PageIndex): void {
  // Whoever makes one and whoever finds it made leave the same behind.
  touch(table.context, pmdTablesObject(table), 'add');
  table.pmdTables.add(regionOfPage(table, page));
}

/** free_pmd_range(): the PMD tables that map pages of `range` and none outside `limits`. */
export function dropPmdTables(table: PageTable, range: PageRange, limits: PageRange): void {
  const size = table.ptrsPerPte * PTRS_PER_PMD;
  for (const region of table.pmdTables) {
    const first = region * size;
    const end = first + size;
    if (first >= range.end || end <= range.first || first < limits.first || end > limits.end) {
      continue;
    }
    touch(table.context, pmdTablesObject(table), 'write');
    table.pmdTables.delete(region);
  }
}

/** Which place of the PUD level covers `page`. */
export function regionOfPage({ ptrsPerPte }: PageTable, page: PageIndex): number {
  return Math.floor(page / (ptrsPerPte * PTRS_PER_PMD));
}

/** The first page that the place of the PUD level with that number covers. */
export function firstOfRegion({ ptrsPerPte }: PageTable, region: number): PageIndex {
  return (region * ptrsPerPte * PTRS_PER_PMD) as PageIndex;
}

/** The places of the PUD level that name a PMD table. */
export function pmdTablesOf(table: PageTable): ReadonlySet<number> {
  touch(table.context, pmdTablesObject(table), 'read');
  return table.pmdTables;
}

/** What they are called when tasks conflict on which there are. */
export function pmdTablesObject({ mm }: PageTable): ObjectId {
  return objectId('mm', mm, MM_PARTS.pmdTables);
}

/** pte_free(): from here on the page that was the table may be anything. */
export function noteFreed(table: PageTable, page: PageIndex): void {
  touch(table.context, tableObject(table, page), 'write');
  blockOf(table, page).frees += 1;
}

/** How often a table of the block was freed. */
export function freesOf(table: PageTable, page: PageIndex): number {
  touch(table.context, tableObject(table, page), 'read');
  return table.pages.get(ptePageNumber(table, page))?.frees ?? 0;
}

/** The place of the block in the upper level, with its lock, whatever is there. */
export function blockOf(table: PageTable, page: PageIndex): PtePage {
  const number = ptePageNumber(table, page);
  const found = table.pages.get(number);
  if (found !== undefined) return found;
  const made: PtePage = {
    ptes: new Uint32Array(table.ptrsPerPte),
    level: 'none',
    huge: PTE_NONE,
    ptl: newLock('ptl', objectId('ptl', table.mm, number)),
    frees: 0,
  };
  table.pages.set(number, made);
  table.pmds.add(Math.floor(number / PTRS_PER_PMD));
  table.puds.add(Math.floor(number / PTRS_PER_PUD));
  return made;
}

/**
 * The first page from `page` on and below `end` that a table or a huge entry covers; `end` if there is none. What is
 * passed over has been looked at, and costs nothing where the upper levels are empty.
 */
export function nextCovered(table: PageTable, page: PageIndex, end: PageIndex): PageIndex {
  const last = ptePageNumber(table, (end - 1) as PageIndex);
  let number = ptePageNumber(table, page);
  while (number <= last) {
    const first = number * table.ptrsPerPte;
    const at = (first > page ? first : page) as PageIndex;
    if (findPtePage(table, at) !== 'none') return at;
    // An explorer sees each block that is empty: filling one does not commute with passing over it.
    number = table.context.footprint === 'off' ? nextBelowSomething(table, number) : number + 1;
  }
  return end;
}

/** The next block behind `number` that has something above it. */
function nextBelowSomething({ pmds, puds }: PageTable, number: number): number {
  const next = number + 1;
  const pud = Math.floor(next / PTRS_PER_PUD);
  if (!puds.has(pud)) return (pud + 1) * PTRS_PER_PUD;
  const pmd = Math.floor(next / PTRS_PER_PMD);
  return pmds.has(pmd) ? next : (pmd + 1) * PTRS_PER_PMD;
}

/** What one PTE is called when tasks conflict on it. */
export function pteObject(table: PageTable, page: PageIndex): ObjectId {
  return objectId('pte', table.mm, page);
}

/** What it is called that a block has a table or not, when tasks conflict on it. An empty table reads as none does. */
export function tableObject(table: PageTable, page: PageIndex): ObjectId {
  return objectId('pmd', table.mm, ptePageNumber(table, page) * 2);
}

/** The same for whether a block is mapped by one entry, and by which. */
export function hugeObject(table: PageTable, page: PageIndex): ObjectId {
  return objectId('pmd', table.mm, ptePageNumber(table, page) * 2 + 1);
}

/** Without a lock this is what hardware sees; with the PTE lock it stays true until unlock. */
export function readPte(table: PageTable, page: PageIndex): Pte {
  touch(table.context, hugeObject(table, page), 'read');
  touch(table.context, pteObject(table, page), 'read');
  const ptePage = table.pages.get(ptePageNumber(table, page));
  if (ptePage === undefined) return PTE_NONE;
  const at = page % table.ptrsPerPte;
  return ptePage.level === 'huge' ? hugePteAt(ptePage.huge, at) : ((ptePage.ptes[at] ?? 0) as Pte);
}

/** Holds: the PTE lock of `ptePage`, which covers `page` (PT1). */
export function writePte(
  held: Held<'ptl'>,
  table: PageTable,
  ptePage: PtePage,
  page: PageIndex,
  pte: Pte,
): void {
  assertHeld(held, ptePage.ptl);
  invariant(ptePage.level === 'table', 'PT2', { page, level: ptePage.level });
  touch(table.context, pteObject(table, page), 'write');
  ptePage.ptes[page % table.ptrsPerPte] = pte;
}

/** The hardware's own write: accessed and dirty bits, without any lock. Bits that are set already are not written. */
export function setHardwareBits(table: PageTable, page: PageIndex, flags: number): void {
  const ptePage = table.pages.get(ptePageNumber(table, page));
  const seen = readPte(table, page);
  if (ptePage === undefined || (seen & flags) === flags) return;
  if (ptePage.level === 'huge') {
    touch(table.context, hugeObject(table, page), 'write');
    ptePage.huge = ((ptePage.huge | flags) >>> 0) as Pte;
  } else {
    touch(table.context, pteObject(table, page), 'write');
    ptePage.ptes[page % table.ptrsPerPte] = (seen | flags) >>> 0;
  }
}

/** Every entry that is not none, huge ones as small ones, in the order in which their tables were made. */
export function* entriesOf(table: PageTable): Iterable<readonly [page: PageIndex, pte: Pte]> {
  for (const number of table.pages.keys()) {
    for (let at = 0; at < table.ptrsPerPte; at += 1) {
      const page = (number * table.ptrsPerPte + at) as PageIndex;
      const pte = readPte(table, page);
      if (pte !== PTE_NONE) yield [page, pte];
    }
  }
}
