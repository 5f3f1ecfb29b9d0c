/**
 * Unmapping a page everywhere: try_to_migrate() leaves migration entries, try_to_unmap() swap entries,
 * remove_migration_ptes() undoes the former. Source: mm/rmap.c, mm/migrate.c (6.1).
 */

import { type Task, willWrite } from '../../task/task.ts';
import { type Pfn, pagesFrom } from '../../vocabulary/address.ts';
import { mayWrite, vmProt } from '../fault/vm-page-prot.ts';
import type { Kernel, LockedPte, MappedAt, TlbBatch } from '../kernel.ts';
import { isLarge } from '../memory/compound-page.ts';
import {
  getPage,
  hasFlag,
  isDevicePfn,
  mapcount,
  PAGE_ANON,
  PAGE_ANON_EXCLUSIVE,
  PAGE_DIRTY,
  PAGE_SWAPBACKED,
  refcount,
  setFlag,
} from '../memory/frames.ts';
import { cachedIn, putPage } from '../memory/page-references.ts';
import { pteObject } from '../memory/page-table.ts';
import {
  migrationKind,
  migrationKindFor,
  mkDevicePrivate,
  mkMigration,
  mkPte,
  mkSwap,
  PTE_DIRTY,
  PTE_NONE,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteDirty,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsZeroPage,
  pteModify,
  ptePfn,
  ptePresent,
  pteWithFlags,
  pteYoung,
} from '../memory/pte.ts';
import { lockedPte, lockTable, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { changeSlotUses } from '../memory/swap.ts';
import { pageMapped } from './rmap.ts';

/** The entry maps `pfn`: present, or as device-private memory. */
export function mapsPage(pte: Pte, pfn: Pfn): boolean {
  const mapping = (ptePresent(pte) && !pteIsZeroPage(pte)) || pteIsDevicePrivate(pte);
  return mapping && ptePfn(pte) === pfn;
}

/**
 * try_to_migrate(): every other mapping of the page becomes a migration entry. Each mapping that covers the page
 * is bracketed (event CLEAR, no owner: no device may ignore it), even where the entry turns out to be gone already.
 *
 * Holds: the page lock. Takes: callbacks' locks, PTE locks. Stops at a page that is pinned. With `batch`
 * (TTU_BATCH_FLUSH) the caller flushes the TLBs.
 */
export function* tryToMigrate(k: Kernel, pfn: Pfn, batch?: TlbBatch): Task<void> {
  yield* k.fn.rmapWalk(k, pfn, {
    visit: (place) => k.fn.tryToMigrateOne(k, pfn, place, batch),
    done: () => !pageMapped(k, pfn),
    mapped: 'only',
  });
}

/** try_to_migrate_one(): one mapping of the page. 'stop' if it is pinned. */
export function tryToMigrateOne(
  k: Kernel,
  pfn: Pfn,
  place: MappedAt,
  batch?: TlbBatch,
): Task<'go-on' | 'stop'> {
  if (isLarge(k, pfn)) return k.fn.tryToMigrateLarge(k, pfn, place, batch);
  return inBracket(k, place, pfn, (at) => migrateOne(k, at, pfn, batch));
}

/** try_to_unmap(): every mapping becomes a swap entry, or goes if the page may be discarded (MADV_FREE). */
export function* tryToUnmap(k: Kernel, pfn: Pfn, batch?: TlbBatch): Task<void> {
  yield* k.fn.rmapWalk(k, pfn, {
    visit: (place) => k.fn.tryToUnmapOne(k, pfn, place, batch),
    done: () => !pageMapped(k, pfn),
    mapped: 'only',
  });
}

/** try_to_unmap_one(): one mapping of the page. 'stop' if it must stay. */
export function tryToUnmapOne(
  k: Kernel,
  pfn: Pfn,
  place: MappedAt,
  batch?: TlbBatch,
): Task<'go-on' | 'stop'> {
  return inBracket(k, place, pfn, (at) => unmapOne(k, at, pfn, batch));
}

function* inBracket(
  k: Kernel,
  place: MappedAt,
  pfn: Pfn,
  change: (at: LockedPte) => Task<'go-on' | 'stop'>,
): Task<'go-on' | 'stop'> {
  const { mm, vma, page } = place;
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range: pagesFrom(page, 1),
    owner: 'none',
    blocking: 'blockable',
  });
  let outcome: 'go-on' | 'stop' = 'go-on';
  const table = yield* lockTable(k, 'page_vma_mapped_walk.ptl', mm, page);
  if (typeof table !== 'string') {
    const at: LockedPte = { mm, vma, page, ...table };
    const seen = lockedPte(at);
    if (mapsPage(seen, pfn)) outcome = yield* change(at);
    unlockPte(k, at);
  }
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  return outcome;
}

/** Clears a present entry, its cached copies now or with those of `batch`, and saves its dirty bit on the page. */
function* clearMapping(k: Kernel, at: LockedPte, pfn: Pfn, batch: TlbBatch | undefined): Task<Pte> {
  if (batch === undefined || !k.fn.shouldDeferFlush(k, at.mm)) {
    return yield* k.fn.ptepClearFlush(k, at, pfn);
  }
  yield willWrite('try_to_unmap_one.clear', pteObject(at.mm.table, at.page));
  const pte = lockedPte(at);
  if (!ptePresent(pte)) return pte;
  const entry = pteDirty(pte) ? 'dirty' : 'clean';
  k.fn.setTlbUbcFlushPending(k, at.mm, batch, entry);
  setLockedPte(k, at, PTE_NONE);
  if (entry === 'dirty') setFlag(k.frames, pfn, PAGE_DIRTY);
  return pte;
}

/** The same, flushed at once. */
export function* ptepClearFlush(k: Kernel, at: LockedPte, pfn: Pfn): Task<Pte> {
  yield willWrite('ptep_clear_flush.clear', pteObject(at.mm.table, at.page));
  const pte = lockedPte(at);
  if (ptePresent(pte)) {
    setLockedPte(k, at, PTE_NONE);
    yield* k.fn.flushTlbNotify(k, at.mm, pagesFrom(at.page, 1));
    if (pteDirty(pte)) setFlag(k.frames, pfn, PAGE_DIRTY);
  }
  return pte;
}

/** The entry at `at`, which maps `pfn`. Holds: its PTE lock. */
export function* migrateOne(
  k: Kernel,
  at: LockedPte,
  pfn: Pfn,
  batch: TlbBatch | undefined,
): Task<'go-on' | 'stop'> {
  const exclusive =
    hasFlag(k.frames, pfn, PAGE_ANON) && hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  const pte = yield* clearMapping(k, at, pfn, batch);
  if (exclusive && k.fn.pageTryShareAnonRmap(k, pfn) === 'pinned') {
    setLockedPte(k, at, pte);
    return 'stop';
  }
  const kind = migrationKindFor(pte, exclusive ? 'exclusive' : 'shared');
  setLockedPte(k, at, mkMigration(pfn, kind, pte));
  k.fn.pageRemoveRmap(k, pfn);
  yield* putPage(k, pfn);
  return 'go-on';
}

function* unmapOne(
  k: Kernel,
  at: LockedPte,
  pfn: Pfn,
  batch: TlbBatch | undefined,
): Task<'go-on' | 'stop'> {
  const pte = yield* clearMapping(k, at, pfn, batch);
  if (hasFlag(k.frames, pfn, PAGE_ANON)) {
    if (!hasFlag(k.frames, pfn, PAGE_SWAPBACKED)) {
      const unused = refcount(k.frames, pfn) === 1 + mapcount(k.frames, pfn);
      if (!unused || hasFlag(k.frames, pfn, PAGE_DIRTY)) {
        setLockedPte(k, at, pte);
        setFlag(k.frames, pfn, PAGE_SWAPBACKED);
        return 'stop';
      }
    } else {
      const slot = cachedIn(k, pfn);
      const exclusive = hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
      if (slot === 'none' || (exclusive && k.fn.pageTryShareAnonRmap(k, pfn) === 'pinned')) {
        setLockedPte(k, at, pte);
        return 'stop';
      }
      changeSlotUses(k.swap, slot, 1);
      setLockedPte(k, at, mkSwap(slot.number, exclusive ? 'exclusive' : 'shared'));
    }
  }
  k.fn.pageRemoveRmap(k, pfn);
  yield* putPage(k, pfn);
  return 'go-on';
}

/**
 * remove_migration_ptes(): wherever a migration entry names `from`, the entry becomes `to` with the rights that it
 * had and that the mapping still gives. Nothing was mapped, so no device is notified.
 *
 * Holds: the locks of both pages. Takes: PTE locks.
 */
export function* removeMigrationPtes(k: Kernel, from: Pfn, to: Pfn): Task<void> {
  yield* k.fn.rmapWalk(k, from, {
    *visit(place) {
      yield* k.fn.removeMigrationPte(k, place, from, to);
      return 'go-on';
    },
    done: () => false,
    mapped: 'or not',
  });
}

/** remove_migration_pte(): one mapping that may have a migration entry. */
export function* removeMigrationPte(k: Kernel, place: MappedAt, from: Pfn, to: Pfn): Task<void> {
  if (isLarge(k, from)) {
    yield* k.fn.removeMigrationLarge(k, place, from, to);
    return;
  }
  const { mm, vma, page } = place;
  const table = yield* lockTable(k, 'remove_migration_pte.ptl', mm, page);
  if (typeof table === 'string') return;
  const at: LockedPte = { mm, vma, page, ...table };
  yield* restoreOne(k, at, from, to);
  unlockPte(k, at);
}

/** The entry at `at`, if it is the migration entry of `from`. Holds: its PTE lock. */
export function* restoreOne(k: Kernel, at: LockedPte, from: Pfn, to: Pfn): Task<void> {
  const entry = lockedPte(at);
  if (pteIsMigration(entry) && ptePfn(entry) === from) {
    yield willWrite('remove_migration_pte.set', pteObject(at.mm.table, at.page));
    getPage(k.frames, to, 1);
    addRmap(k, at, entry, to);
    setLockedPte(k, at, k.fn.restoredPte(k, at, entry, from, to));
  }
}

/** One more mapping of `to`, as `entry` says whose the page was. */
export function addRmap(k: Kernel, at: LockedPte, entry: Pte, to: Pfn): void {
  if (!hasFlag(k.frames, to, PAGE_ANON)) {
    k.fn.pageAddFileRmap(k, to);
    return;
  }
  const sharing = migrationKind(entry) === 'readable' ? 'shared' : 'exclusive';
  k.fn.pageAddAnonRmap(k, at.mm, at.vma, at.page, to, sharing);
}

export function restoredPte(k: Kernel, at: LockedPte, entry: Pte, from: Pfn, to: Pfn): Pte {
  const young = pteYoung(entry) ? PTE_YOUNG : 0;
  const dirty = pteDirty(entry) && hasFlag(k.frames, from, PAGE_DIRTY) ? PTE_DIRTY : 0;
  const write = migrationKind(entry) === 'writable' && mayWrite(at.vma) ? PTE_WRITE : 0;
  const base = pteModify(mkPte(to, young), vmProt(at.vma));
  if (isDevicePfn(to)) return mkDevicePrivate(to, write === 0 ? 'readable' : 'writable');
  return pteWithFlags(base, dirty | write);
}
