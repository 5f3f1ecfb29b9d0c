/**
 * A sparse page table: page-table pages of 512 entries, each with a lock of its own (split PTE locks).
 *
 * Leaves out: the upper levels; a page-table page is found by one look-up. Page-table pages are freed with the
 * mm, as Linux frees them only when a whole 2 MiB block is unmapped.
 */

import { assertHeld, type Held, type Lock, newLock } from '../../task/lock.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type PageIndex, PTRS_PER_PTE } from '../../vocabulary/address.ts';
import { PTE_NONE, type Pte } from './pte.ts';

export interface PtePage {
  /** 512 entries, each a Pte. Written under `ptl`; hardware and hmm_range_fault read without it. */
  readonly ptes: Uint32Array;
  readonly ptl: Lock<'ptl'>;
}

export interface PageTable {
  readonly mm: number;
  /** By page index / 512. */
  readonly pages: Map<number, PtePage>;
}

export function newPageTable(mm: number): PageTable {
  return { mm, pages: new Map() };
}

/** Which page-table page covers `page`. */
export function ptePageNumber(page: PageIndex): number {
  return Math.floor(page / PTRS_PER_PTE);
}

/** The first page that another page-table page covers. */
export function endOfPtePage(page: PageIndex): PageIndex {
  return ((ptePageNumber(page) + 1) * PTRS_PER_PTE) as PageIndex;
}

export function findPtePage(table: PageTable, page: PageIndex): PtePage | 'none' {
  return table.pages.get(ptePageNumber(page)) ?? 'none';
}

/** pte_alloc(): never fails here; page tables are not counted against memory. */
export function allocPtePage(table: PageTable, page: PageIndex): PtePage {
  const number = ptePageNumber(page);
  const found = table.pages.get(number);
  if (found !== undefined) return found;
  const made: PtePage = {
    ptes: new Uint32Array(PTRS_PER_PTE),
    ptl: newLock('ptl', objectId('ptl', table.mm, number)),
  };
  table.pages.set(number, made);
  return made;
}

/** What one PTE is called when tasks conflict on it. */
export function pteObject(table: PageTable, page: PageIndex): ObjectId {
  return objectId('pte', table.mm, page);
}

/** Without a lock this is what hardware sees; with the PTE lock it stays true until unlock. */
export function readPte(table: PageTable, page: PageIndex): Pte {
  const ptePage = table.pages.get(ptePageNumber(page));
  return ptePage === undefined ? PTE_NONE : ((ptePage.ptes[page % PTRS_PER_PTE] ?? 0) as Pte);
}

/** Holds: the PTE lock of `ptePage`, which covers `page` (PT1). */
export function writePte(held: Held<'ptl'>, ptePage: PtePage, page: PageIndex, pte: Pte): void {
  assertHeld(held, ptePage.ptl);
  ptePage.ptes[page % PTRS_PER_PTE] = pte;
}

/** The hardware's own write: accessed and dirty bits, set without any lock. */
export function setHardwareBits(table: PageTable, page: PageIndex, flags: number): void {
  const ptePage = table.pages.get(ptePageNumber(page));
  if (ptePage !== undefined) {
    const at = page % PTRS_PER_PTE;
    ptePage.ptes[at] = ((ptePage.ptes[at] ?? 0) | flags) >>> 0;
  }
}
