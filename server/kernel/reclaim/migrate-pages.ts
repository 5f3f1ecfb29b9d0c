/**
 * Migration that nobody in the process has asked for: compaction and NUMA balancing move a page to another frame, of
 * whatever process it is, without its mmap_lock. Source: mm/compaction.c (isolate_migratepages_block), mm/migrate.c
 * (migrate_pages, unmap_and_move, move_to_new_folio) (6.1).
 *
 * Leaves out: which page and where to is chosen (a page is named by where it is mapped, and goes to the next free
 * frame); later passes, which wait for locks; migrations under way when the machine runs out of memory. A huge page
 * that one entry maps moves as a whole, as with move_pages(), NUMA balancing and alloc_contig_range(); where no frames
 * are left for it, it stays and is not split.
 */
import { touch } from '../../task/context.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import type { PageRange, Pfn } from '../../vocabulary/address.ts';
import { OK, type Result } from '../../vocabulary/errno.ts';
import { cacheObject } from '../fault/do-fault.ts';
import { mappingReferences, putbackLru } from '../hmm/migrate-vma-setup.ts';
import type { Kernel, TlbBatch, Unmapped } from '../kernel.ts';
import { compoundHead, compoundParts, folioFrames, isLarge } from '../memory/compound-page.ts';
import { copyPage } from '../memory/copy-page.ts';
import {
  allocHugeFrames,
  clearFlag,
  enterSwapCache,
  getPage,
  hasFlag,
  leaveSwapCache,
  mappingOf,
  PAGE_FILE,
  PAGE_LRU,
  pageObject,
  refcount,
  setFlag,
} from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { allocPage, cachedIn, putPage } from '../memory/page-references.ts';
import { endOfPtePage, isHuge, pteObject, readPte } from '../memory/page-table.ts';
import { pteIsZeroPage, ptePfn, ptePresent } from '../memory/pte.ts';
import { setSlotCached } from '../memory/swap.ts';
import { newTlbBatch } from '../memory/tlb-batch.ts';
import { pageMapped } from '../rmap/rmap.ts';

/**
 * compact_zone(), or numamigrate: isolates the pages that are mapped at `range` of `mm`, and moves them.
 *
 * Takes: page locks, the locks of the reverse map, callbacks' locks, PTE locks. Yields: yes.
 */
export function* compactPages(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  const isolated = yield* k.fn.isolateLruPages(k, mm, range);
  const large = k.thp === 'never' ? [] : yield* k.fn.isolateLargeFolios(k, mm, range);
  yield* k.fn.migratePages(k, [...isolated, ...large]);
  return OK;
}

/**
 * isolate_migratepages_block() of huge pages: those that one entry of `mm` maps somewhere in `range`, off their list
 * and with a reference. Small entries of a huge page are passed over.
 */
export function* isolateLargeFolios(k: Kernel, mm: Mm, range: PageRange): Task<Pfn[]> {
  const heads: Pfn[] = [];
  for (let page = range.first; page < range.end; page = endOfPtePage(mm.table, page)) {
    if (!isHuge(mm.table, page)) continue;
    yield willRead('isolate_migratepages_block.take', pteObject(mm.table, page));
    const seen = readPte(mm.table, page);
    if (!(isHuge(mm.table, page) && ptePresent(seen)) || pteIsZeroPage(seen)) continue;
    const parts = compoundParts(k, ptePfn(seen));
    if (!parts.every((part) => hasFlag(k.frames, part, PAGE_LRU))) continue;
    for (const part of parts) {
      getPage(k.frames, part, 1);
      clearFlag(k.frames, part, PAGE_LRU);
      k.isolated.add(part);
    }
    heads.push(compoundHead(k, ptePfn(seen)));
  }
  return heads;
}

/** migrate_pages(): one page after the other (unmap_and_move). A page that cannot move now stays where it is. */
export function* migratePages(k: Kernel, isolated: readonly Pfn[]): Task<void> {
  for (const pfn of isolated) {
    const unmapped = yield* k.fn.migrateFolioUnmap(k, pfn);
    if (unmapped !== 'stays') yield* k.fn.migrateFolioMove(k, unmapped);
  }
}

/** migrate_pages_batch() of 6.3 and later: all are unmapped, then the TLBs are flushed once, then they move. */
export function* migratePagesBatch(k: Kernel, isolated: readonly Pfn[]): Task<void> {
  const batch = newTlbBatch();
  const unmapped: Unmapped[] = [];
  for (const pfn of isolated) {
    const one = yield* k.fn.migrateFolioUnmap(k, pfn, batch);
    if (one !== 'stays') unmapped.push(one);
  }
  yield* k.fn.tryToUnmapFlush(k, batch);
  for (const one of unmapped) yield* k.fn.migrateFolioMove(k, one);
}

/** The first half of unmap_and_move(). 'stays': the page is back on its list. */
export function* migrateFolioUnmap(
  k: Kernel,
  from: Pfn,
  batch?: TlbBatch,
): Task<Unmapped | 'stays'> {
  yield willWrite('unmap_and_move.trylock', pageLockObject(from));
  if (tryLockPage(k, from) === 'busy') {
    yield* putback(k, from);
    return 'stays';
  }
  const to = isLarge(k, from) ? allocHugeFrames(k.frames, k.ptrsPerPte) : allocPage(k);
  if (to === 'none') {
    unlockPage(k, from);
    yield* putback(k, from);
    return 'stays';
  }
  tryLockPage(k, to);
  if (pageMapped(k, from)) yield* k.fn.tryToMigrate(k, from, batch);
  if (!pageMapped(k, from)) return { from, to };
  yield* undo(k, { from, to });
  return 'stays';
}

/** The second half: the frame takes over what the page was, its bytes, and the entries that wait for it. */
export function* migrateFolioMove(k: Kernel, { from, to }: Unmapped): Task<void> {
  const [olds, mades] = [folioFrames(k, from), folioFrames(k, to)];
  yield willRead('folio_migrate_mapping.freeze', pageObject(from));
  if (olds.some((old) => !mayFreeze(k, old))) {
    yield* undo(k, { from, to });
    return;
  }
  for (const [at, old] of olds.entries()) yield* takeOver(k, old, mades[at] ?? to);
  yield* k.fn.removeMigrationPtes(k, from, to);
  unlockPage(k, to);
  unlockPage(k, from);
  yield* putback(k, to);
  for (const old of olds) {
    k.isolated.delete(old);
    yield* putPage(k, old);
  }
}

/** Nobody has a reference but the isolation and the cache. */
function mayFreeze(k: Kernel, from: Pfn): boolean {
  return refcount(k.frames, from) === 1 + mappingReferences(k, from);
}

function* takeOver(k: Kernel, from: Pfn, to: Pfn): Task<void> {
  k.fn.folioMigrateMapping(k, from, to);
  yield* moveCache(k, from, to);
  yield* copyPage(k, from, to);
}

function* undo(k: Kernel, { from, to }: Unmapped): Task<void> {
  yield* k.fn.removeMigrationPtes(k, from, from);
  unlockPage(k, to);
  for (const made of folioFrames(k, to)) yield* putPage(k, made);
  unlockPage(k, from);
  yield* putback(k, from);
}

/** The reference of the swap cache or of the page cache goes along (folio_migrate_mapping). */
function* moveCache(k: Kernel, from: Pfn, to: Pfn): Task<void> {
  const slot = cachedIn(k, from);
  if (slot !== 'none') {
    leaveSwapCache(k.frames, from);
    enterSwapCache(k.frames, to, slot.number);
    setSlotCached(k.swap, slot, to);
  } else if (hasFlag(k.frames, from, PAGE_FILE)) {
    const { id, index } = mappingOf(k.frames, from);
    const file = k.files.get(id);
    if (file === undefined) return;
    touch(k.context, cacheObject(file, index), 'write');
    file.pages.set(index, to);
    setFlag(k.frames, to, PAGE_FILE);
  } else return;
  getPage(k.frames, to, 1);
  yield* putPage(k, from);
}

function* putback(k: Kernel, folio: Pfn): Task<void> {
  for (const pfn of folioFrames(k, folio)) {
    putbackLru(k, pfn);
    yield* putPage(k, pfn);
  }
}
