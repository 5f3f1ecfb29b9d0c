/**
 * Pinning without mmap_lock and without a PTE lock: looks at the entry, takes a reference, and looks whether the entry
 * still stands. fork() takes the right to write away between asking whether a page is pinned and telling the entry, so
 * its copy is counted (write_protect_seq): who pinned meanwhile gives the page back and goes the slow way.
 *
 * Source: mm/gup.c (lockless_pages_from_mm, gup_pte_range, internal_get_user_pages_fast) (6.1).
 * Interrupts are off meanwhile, so that a page table that is taken away is not freed: see free-page-table.ts.
 * Leaves out: read-only pins; huge pages, which go the slow way.
 */
import { type Task, willRead, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange, type Pfn } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel } from '../kernel.ts';
import { getPage, PIN_BIAS, pageObject, refcount } from '../memory/frames.ts';
import { beginFastWalk, endFastWalk } from '../memory/free-page-table.ts';
import { type Mm, pinnedObject } from '../memory/mm.ts';
import { putPages } from '../memory/page-references.ts';
import { freesOf, isHuge, pteObject, readPte } from '../memory/page-table.ts';
import { pteIsZeroPage, ptePfn, ptePresent, pteProtNone, pteWrite } from '../memory/pte.ts';

/**
 * pin_user_pages_fast() before it takes mmap_lock: pins what can be had at once, for writing.
 *
 * Holds: nothing. Yields: yes.
 * Returns: the frames of the first pages of `range`, none at all if fork() copied meanwhile.
 */
export function* locklessPagesFromMm(k: Kernel, mm: Mm, range: PageRange): Task<Pfn[]> {
  yield willWrite('internal_get_user_pages_fast.pinned', pinnedObject(mm.id));
  mm.hasPinned = true;
  const begun = mm.writeProtectSeq;
  if (begun % 2 === 1) return [];
  const frames: Pfn[] = [];
  beginFastWalk(k, mm);
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const pfn = yield* k.fn.gupPteRange(k, mm, page);
    if (pfn === 'none') break;
    frames.push(pfn);
  }
  endFastWalk(k, mm);
  yield willRead('lockless_pages_from_mm.retry', pinnedObject(mm.id));
  if (mm.writeProtectSeq === begun) return frames;
  for (const pfn of frames) yield* putPages(k, pfn, PIN_BIAS);
  return [];
}

/** gup_pte_range() of one page. Returns: 'none' if it cannot be had without a fault, or changed meanwhile. */
export function* gupPteRange(k: Kernel, mm: Mm, page: PageIndex): Task<Pfn | 'none'> {
  yield willRead('gup_pte_range.pte', pteObject(mm.table, page));
  const seen = readPte(mm.table, page);
  const usable = ptePresent(seen) && !pteProtNone(seen) && pteWrite(seen);
  if (isHuge(mm.table, page) || !usable || pteIsZeroPage(seen)) return 'none';
  const pfn = ptePfn(seen);
  const frees = freesOf(mm.table, page);
  yield willWrite('try_grab_folio.reference', pageObject(pfn));
  // The page may have been freed since, and be another's by now: the next look shows it.
  if (refcount(k.frames, pfn) === 0) return 'none';
  getPage(k.frames, pfn, PIN_BIAS);
  yield willRead('gup_pte_range.again', pteObject(mm.table, page));
  invariant(freesOf(mm.table, page) === frees, 'PT3', { page });
  if (readPte(mm.table, page) === seen) return pfn;
  yield* putPages(k, pfn, PIN_BIAS);
  return 'none';
}
