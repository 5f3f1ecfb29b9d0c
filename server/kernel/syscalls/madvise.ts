/**
 * madvise(2): DONTNEED, FREE, PAGEOUT; punch-hole.ts and madvise-collapse.ts have the others.
 * Source: mm/madvise.c (6.1).
 */
import type { Advice } from '../../abi/cpu-api.ts';
import { unlock } from '../../task/lock.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange, type Pfn } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import { compoundHead } from '../memory/compound-page.ts';
import {
  clearFlag,
  getPage,
  hasFlag,
  mapcount,
  PAGE_ANON,
  PAGE_COMPOUND,
  PAGE_DIRTY,
  PAGE_LRU,
  PAGE_SWAPBACKED,
  PAGE_SWAPCACHE,
} from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { endOfPtePage, isHuge, nextCovered, pteObject, readPte } from '../memory/page-table.ts';
import {
  PTE_DIRTY,
  PTE_NONE,
  PTE_YOUNG,
  pteDirty,
  pteIsMigration,
  pteIsSwap,
  pteIsZeroPage,
  pteNone,
  ptePfn,
  ptePresent,
  pteWithoutFlags,
  pteYoung,
} from '../memory/pte.ts';
import { lockedPte, lockTable } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { beginTlbFlushPending, endTlbFlushPending } from '../memory/tlb-flush-pending.ts';
import { isAnonymous, vmasIn } from '../memory/vma.ts';

/** What is done mapping by mapping, under one hold of mmap_lock for reading. */
type Walked = Exclude<Advice, 'REMOVE' | 'COLLAPSE'>;

/**
 * Takes: mmap_lock for reading, as these three advices do. Yields: yes.
 * Returns: ENOMEM if a part is unmapped (mapped parts are handled all the same); EINVAL for FREE on memory that is
 * not private and anonymous (what lies before it is done).
 */
export function* madvise(k: Kernel, mm: Mm, range: PageRange, advice: Advice): Task<Result<void>> {
  if (advice === 'REMOVE') return yield* k.fn.madviseRemove(k, mm, range);
  if (advice === 'COLLAPSE') return yield* k.fn.madviseCollapse(k, mm, range);
  const held = yield* readLock(k.context, 'madvise.mmap_lock', mm.mmapLock);
  const result = yield* walkVmas(k, mm, range, advice);
  readUnlock(k.context, held);
  return result;
}

function* walkVmas(k: Kernel, mm: Mm, range: PageRange, advice: Walked): Task<Result<void>> {
  let reached: PageIndex = range.first;
  let gaps = 0;
  for (const vma of vmasIn(mm.vmas, range)) {
    if (vma.first > reached) gaps += 1;
    const first = vma.first > range.first ? vma.first : range.first;
    const end = vma.end < range.end ? vma.end : range.end;
    if (advice === 'FREE' && !isAnonymous(vma)) return fail('EINVAL');
    yield* adviseVma(k, mm, vma, { first, end }, advice);
    reached = end;
  }
  return gaps > 0 || reached < range.end ? fail('ENOMEM') : OK;
}

function* adviseVma(k: Kernel, mm: Mm, vma: Vma, part: PageRange, advice: Walked): Task<void> {
  switch (advice) {
    case 'DONTNEED':
      return yield* k.fn.zapPageRange(k, mm, part, 'clear');
    case 'FREE':
      return yield* k.fn.madviseFree(k, mm, vma, part);
    case 'PAGEOUT':
      return yield* k.fn.madvisePageout(k, mm, vma, part);
  }
}

/** Pages stay mapped but clean and may be discarded; swap entries go at once; device entries are left alone. */
export function* madviseFree(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void> {
  beginTlbFlushPending(k, mm);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  yield* eachPte(k, mm, vma, range, {
    label: 'madvise_free_pte_range.ptl',
    small: (at) => k.fn.madviseFreePte(k, at),
    huge: (page) => k.fn.madviseFreeHugePmd(k, mm, page),
  });
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  yield* k.fn.flushTlbRange(k, mm, range);
  endTlbFlushPending(k, mm);
}

/** What a walk does at each entry, under its lock. */
interface EntryVisits {
  readonly label: string;
  readonly small: (at: LockedPte) => Task<void>;
  /** Takes the lock itself. */
  readonly huge?: (page: PageIndex) => Task<'handled' | 'small'>;
}

function* eachPte(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  range: PageRange,
  { label, small, huge = leaveHuge }: EntryVisits,
): Task<void> {
  for (let page = nextCovered(mm.table, range.first, range.end); page < range.end; ) {
    const end = endOfPtePage(mm.table, page) < range.end ? endOfPtePage(mm.table, page) : range.end;
    // A page that is about to move as a whole is passed over (pmd_trans_unstable).
    if (isHuge(mm.table, page) && pteIsMigration(readPte(mm.table, page))) {
      page = nextCovered(mm.table, end, range.end);
      continue;
    }
    const whole = end - page === k.ptrsPerPte && isHuge(mm.table, page);
    if (whole && (yield* huge(page)) === 'handled') {
      page = nextCovered(mm.table, end, range.end);
      continue;
    }
    yield* k.fn.splitHugePmd(k, mm, page);
    const table = yield* lockTable(k, label, mm, page);
    if (typeof table !== 'string') {
      yield* k.fn.flushTlbBatchedPending(k, mm);
      for (; page < end; page = nextPage(page)) yield* small({ mm, vma, page, ...table });
      unlock(k.context, table.held);
    }
    page = nextCovered(mm.table, end, range.end);
  }
}

/** A huge entry is split, and its parts visited. */
function* leaveHuge(): Task<'small'> {
  return 'small';
}

export function* madviseFreePte(k: Kernel, at: LockedPte): Task<void> {
  const seen = lockedPte(at);
  if (pteNone(seen) || pteIsZeroPage(seen)) return;
  if (pteIsSwap(seen)) {
    yield willWrite('madvise_free_pte_range.swap', pteObject(at.mm.table, at.page));
    setLockedPte(k, at, PTE_NONE);
    yield* k.fn.freeSwapAndCache(k, seen);
    return;
  }
  if (!ptePresent(seen)) return;
  const pfn = ptePfn(seen);
  if (!hasFlag(k.frames, pfn, PAGE_ANON)) return;
  const recorded = hasFlag(k.frames, pfn, PAGE_SWAPCACHE) || hasFlag(k.frames, pfn, PAGE_DIRTY);
  if (recorded && !(yield* forgetDirt(k, pfn))) return;
  if (pteYoung(seen) || pteDirty(seen)) {
    yield willWrite('madvise_free_pte_range.clean', pteObject(at.mm.table, at.page));
    setLockedPte(k, at, pteWithoutFlags(lockedPte(at), PTE_YOUNG | PTE_DIRTY));
  }
  if (!hasFlag(k.frames, pfn, PAGE_SWAPCACHE) && hasFlag(k.frames, pfn, PAGE_LRU)) {
    clearFlag(k.frames, pfn, PAGE_SWAPBACKED);
  }
}

/** True if the page is this mapping's alone and now clean. */
function* forgetDirt(k: Kernel, pfn: Pfn): Task<boolean> {
  yield willWrite('madvise_free_pte_range.trylock', pageLockObject(pfn));
  if (tryLockPage(k, pfn) === 'busy') return false;
  let alone = mapcount(k.frames, pfn) === 1;
  if (alone && hasFlag(k.frames, pfn, PAGE_SWAPCACHE)) {
    alone = (yield* k.fn.folioFreeSwap(k, pfn)) === 'freed';
  }
  if (alone) clearFlag(k.frames, pfn, PAGE_DIRTY);
  unlockPage(k, pfn);
  return alone;
}

/**
 * Reclaims the pages of `range` that only this process maps. What cannot go (no swap, pinned, in use) stays;
 * no device is notified of that.
 */
export function* madvisePageout(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void> {
  const chosen: Pfn[] = [];
  beginTlbFlushPending(k, mm);
  if (k.thp === 'always') yield* splitHugePages(k, mm, vma, range);
  yield* eachPte(k, mm, vma, range, {
    label: 'madvise_cold_or_pageout_pte_range.ptl',
    small: (at) => isolateAlone(k, at, chosen),
  });
  yield* k.fn.flushTlbRange(k, mm, range);
  endTlbFlushPending(k, mm);
  yield* k.fn.shrinkFolioList(k, chosen);
}

function* isolateAlone(k: Kernel, at: LockedPte, chosen: Pfn[]): Task<void> {
  const seen = lockedPte(at);
  if (!ptePresent(seen) || pteIsZeroPage(seen)) return;
  const pfn = ptePfn(seen);
  if (mapcount(k.frames, pfn) !== 1 || !hasFlag(k.frames, pfn, PAGE_LRU)) return;
  yield willWrite('madvise_cold_or_pageout_pte_range.old', pteObject(at.mm.table, at.page));
  setLockedPte(k, at, pteWithoutFlags(lockedPte(at), PTE_YOUNG));
  // It could not be split: part of it is in use.
  if (hasFlag(k.frames, pfn, PAGE_COMPOUND)) return;
  // folio_isolate_lru() tests and clears at once: a migration may have come first.
  if (!hasFlag(k.frames, pfn, PAGE_LRU)) return;
  clearFlag(k.frames, pfn, PAGE_LRU);
  k.isolated.add(pfn);
  getPage(k.frames, pfn, 1);
  chosen.push(pfn);
}

/**
 * Splits the huge pages that only this process maps. Before the PTE locks are taken, for splitting takes those of
 * every process that maps the page; Linux drops the lock that it has.
 */
function* splitHugePages(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void> {
  const found = new Set<Pfn>();
  yield* eachPte(k, mm, vma, range, {
    label: 'madvise_cold_or_pageout_pte_range.look',
    small: (at) => findHuge(k, at, found),
  });
  for (const head of found) yield* k.fn.splitHugePage(k, head);
}

// No yield: the signature of eachPte().
function* findHuge(k: Kernel, at: LockedPte, found: Set<Pfn>): Task<void> {
  const seen = lockedPte(at);
  if (!ptePresent(seen) || pteIsZeroPage(seen)) return;
  const pfn = ptePfn(seen);
  if (mapcount(k.frames, pfn) === 1 && hasFlag(k.frames, pfn, PAGE_COMPOUND)) {
    found.add(compoundHead(k, pfn));
  }
}
