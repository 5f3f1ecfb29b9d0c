/**
 * migrate_vma_setup(): invalidate the range in every secondary MMU, lock and isolate its pages, put migration
 * entries in the CPU page table. Empty and zero-page entries stay as they are.
 *
 * Source: mm/migrate_device.c (6.1 with 60bae7370896: the TLB is flushed under the PTE lock, and fd35ca3d12cc:
 * the dirty bit moves to the page). Leaves out: huge pages, device-coherent memory.
 */
import type { DeviceOwner, MigrateRequest } from '../../abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_WRITE,
  type MigratePfn,
  migrateFlags,
  migratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../abi/migrate-pfn.ts';
import { unlock } from '../../task/lock.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import { nextPage, type PageIndex, type PageRange, type Pfn } from '../../vocabulary/address.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { type Kernel, type LockedPte, type Migration, nextId } from '../kernel.ts';
import { compoundHead } from '../memory/compound-page.ts';
import {
  clearFlag,
  getPage,
  hasFlag,
  isDevicePfn,
  mapcount,
  PAGE_ANON,
  PAGE_ANON_EXCLUSIVE,
  PAGE_COMPOUND,
  PAGE_DIRTY,
  PAGE_FILE,
  PAGE_LRU,
  PAGE_SWAPCACHE,
  pageObject,
  refcount,
  setFlag,
} from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { pgmapOf, pgmapOwnerOf, putPage } from '../memory/page-references.ts';
import { endOfPtePage, isHuge, pteObject, readPte } from '../memory/page-table.ts';
import {
  migrationKindFor,
  mkMigration,
  PTE_NONE,
  pteDirty,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsZeroPage,
  pteNone,
  ptePfn,
  ptePresent,
  pteWrite,
} from '../memory/pte.ts';
import { type LockedTable, lockedPte, lockTable } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { isAnonymous, vmaLookup } from '../memory/vma.ts';
import { pageMapped } from '../rmap/rmap.ts';
import { changeSource, collect, endCollecting, openMigration } from './open-migrations.ts';

/**
 * Holds: mmap_lock for read, by the caller, until migrateVmaFinalize().
 * Returns: EINVAL if the range is not within one mapping, or the fault page is not device-private. A migration
 * with nothing collected (cpages 0) is a success, and need not be finalized.
 */
export function* migrateVmaSetup(
  k: Kernel,
  mm: Mm,
  owner: DeviceOwner,
  request: MigrateRequest,
): Task<Result<Migration>> {
  const { range, faultPage } = request;
  const vma = vmaLookup(mm.vmas, range.first);
  if (vma === 'none' || range.end > vma.end) return fail('EINVAL');
  if (faultPage !== 'none' && !isDevicePfn(faultPage)) return fail('EINVAL');
  const migration: Migration = {
    id: nextId(k),
    mm,
    owner,
    vma,
    range,
    select: request.select,
    faultPage,
    src: [],
    dst: [],
    cpages: 'collecting',
  };
  openMigration(k, migration);
  yield* k.fn.migrateVmaCollect(k, migration);
  if (migration.src.some((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE))) {
    yield* k.fn.migrateVmaUnmap(k, migration);
  }
  endCollecting(
    k,
    migration,
    migration.src.filter((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE)).length,
  );
  return ok(migration);
}

/** migrate_vma_collect(): one bracket around the whole range; the migrating device may ignore it. */
export function* migrateVmaCollect(k: Kernel, migration: Migration): Task<void> {
  const { mm, range, owner } = migration;
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'migrate',
    range,
    owner: pgmapOwnerOf(k, owner),
    blocking: 'blockable',
  });
  for (let page = range.first; page < range.end; ) {
    const end = endOfPtePage(mm.table, page) < range.end ? endOfPtePage(mm.table, page) : range.end;
    yield* k.fn.migrateVmaCollectPmd(k, migration, { first: page, end });
    page = end;
  }
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
}

/** migrate_vma_collect_pmd(): what the entries of one page-table page contribute. `block` lies within it. */
export function* migrateVmaCollectPmd(
  k: Kernel,
  migration: Migration,
  block: PageRange,
): Task<void> {
  const walk = yield* tableToCollect(k, migration, block);
  if (walk === 'nothing') return;
  const unmapped = yield* collectPtes(k, migration, walk);
  // Before the lock goes: a task that finds the entry gone must be able to rely on no CPU still using it.
  if (unmapped > 0) yield* k.fn.flushTlbRange(k, migration.mm, block);
  unlock(k.context, walk.held);
}

/** Entries to be collected under one PTE lock. */
export interface CollectWalk extends LockedTable {
  readonly vma: Vma;
  readonly block: PageRange;
}

/**
 * The table behind `block`, locked; 'nothing' if there is none, and then its pages are in the migration already: as
 * holes, or skipped where a huge entry could not be split or is there again.
 */
export function* tableToCollect(
  k: Kernel,
  migration: Migration,
  block: PageRange,
): Task<CollectWalk | 'nothing'> {
  const { mm, vma } = migration;
  if (vma === 'none') return 'nothing';
  const split = yield* splitBlock(k, mm, block);
  const table =
    split === 'busy' ? 'huge' : yield* lockTable(k, 'migrate_vma_collect.ptl', mm, block.first);
  if (typeof table !== 'string') return { vma, block, ...table };
  const hole =
    table === 'none' && isAnonymous(vma) ? migrateFlags(MIGRATE_PFN_MIGRATE) : MIGRATE_PFN_NONE;
  for (let page = block.first; page < block.end; page = nextPage(page)) collect(k, migration, hole);
  return 'nothing';
}

/** Collects each entry of `walk`. Returns: how many were present before and are not any more. */
export function* collectPtes(k: Kernel, migration: Migration, walk: CollectWalk): Task<number> {
  const { vma, ptePage, held, block } = walk;
  let unmapped = 0;
  for (let page = block.first; page < block.end; page = nextPage(page)) {
    const at: LockedPte = { mm: migration.mm, vma, page, ptePage, held };
    const before = lockedPte(at);
    collect(k, migration, yield* k.fn.migrateVmaCollectPte(k, migration, at));
    if (ptePresent(before) && lockedPte(at) !== before) unmapped += 1;
  }
  return unmapped;
}

/** Huge pages move as small ones: the entry and the page behind it are split first. */
function* splitBlock(k: Kernel, mm: Mm, block: PageRange): Task<'split' | 'busy'> {
  if (k.thp === 'never') return 'split';
  const page = block.first;
  if (!isHuge(mm.table, page)) {
    yield* splitMappedParts(k, mm, block);
    return 'split';
  }
  yield willRead('migrate_vma_collect.huge', pteObject(mm.table, page));
  const seen = readPte(mm.table, page);
  // It is about to move as a whole (pmd_bad).
  if (pteIsMigration(seen)) return 'busy';
  if (!pteIsZeroPage(seen) && (yield* k.fn.splitHugePage(k, ptePfn(seen))) === 'busy')
    return 'busy';
  yield* k.fn.splitHugePmd(k, mm, page);
  return 'split';
}

/**
 * Huge pages that small entries map here, and maybe a huge entry elsewhere. 6.1 does not migrate them; later kernels
 * split them as here.
 */
function* splitMappedParts(k: Kernel, mm: Mm, block: PageRange): Task<void> {
  const heads = new Set<Pfn>();
  for (let page = block.first; page < block.end; page = nextPage(page)) {
    const seen = readPte(mm.table, page);
    if (!ptePresent(seen) || pteIsZeroPage(seen)) continue;
    if (hasFlag(k.frames, ptePfn(seen), PAGE_COMPOUND)) heads.add(compoundHead(k, ptePfn(seen)));
  }
  for (const head of heads) yield* k.fn.splitHugePage(k, head);
}

/** What one entry contributes; a page that is collected is locked, referenced and behind a migration entry. */
export function* migrateVmaCollectPte(
  k: Kernel,
  migration: Migration,
  at: LockedPte,
): Task<MigratePfn> {
  const { select, owner } = migration;
  const pte = lockedPte(at);
  if (pteNone(pte)) {
    return isAnonymous(at.vma) ? migrateFlags(MIGRATE_PFN_MIGRATE) : MIGRATE_PFN_NONE;
  }
  const write = pteWrite(pte) ? MIGRATE_PFN_WRITE : 0;
  if (!ptePresent(pte)) {
    const wanted =
      pteIsDevicePrivate(pte) &&
      select !== 'system' &&
      pgmapOf(k, ptePfn(pte)).owner === pgmapOwnerOf(k, owner);
    if (!wanted) return MIGRATE_PFN_NONE;
  } else {
    if (select === 'device-private') return MIGRATE_PFN_NONE;
    if (pteIsZeroPage(pte)) return migrateFlags(MIGRATE_PFN_MIGRATE);
  }
  const pfn = ptePfn(pte);
  // It could not be split.
  if (hasFlag(k.frames, pfn, PAGE_COMPOUND)) return MIGRATE_PFN_NONE;
  const locked = yield* k.fn.takePage(k, migration, at, pfn);
  if (locked === 'busy') return MIGRATE_PFN_NONE;
  return migratePfn(pfn, MIGRATE_PFN_MIGRATE | write);
}

/** References and locks the page and replaces its entry, or leaves everything as it was. */
export function* takePage(
  k: Kernel,
  migration: Migration,
  at: LockedPte,
  pfn: Pfn,
): Task<'taken' | 'busy'> {
  getPage(k.frames, pfn, 1);
  // Trylock: two migrations that each wait for the other's page would never end. The fault page is locked
  // already, by the fault that is being served.
  if (pfn !== migration.faultPage) {
    yield willWrite('migrate_vma_collect.trylock_page', pageLockObject(pfn));
    if (tryLockPage(k, pfn) === 'busy') {
      yield* putPage(k, pfn);
      return 'busy';
    }
  }
  yield willWrite('migrate_vma_collect.clear', pteObject(at.mm.table, at.page));
  // Read and cleared at once, so that a dirty bit that hardware sets until then is not lost.
  const pte = lockedPte(at);
  const anonExclusive =
    hasFlag(k.frames, pfn, PAGE_ANON) && hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  if (anonExclusive) {
    if (ptePresent(pte)) {
      setLockedPte(k, at, PTE_NONE);
      yield* k.fn.flushTlbRange(k, at.mm, { first: at.page, end: nextPage(at.page) });
    }
    if (k.fn.pageTryShareAnonRmap(k, pfn) === 'pinned') {
      setLockedPte(k, at, pte);
      if (pfn !== migration.faultPage) unlockPage(k, pfn);
      yield* putPage(k, pfn);
      return 'busy';
    }
  }
  if (pteDirty(pte)) setFlag(k.frames, pfn, PAGE_DIRTY);
  const kind = migrationKindFor(pte, anonExclusive ? 'exclusive' : 'shared');
  setLockedPte(k, at, mkMigration(pfn, kind, pte));
  k.fn.pageRemoveRmap(k, pfn);
  yield* putPage(k, pfn);
  return 'taken';
}

/**
 * migrate_vma_unmap(): isolates the collected pages from the LRU, unmaps them everywhere else, and gives up on
 * those that are still used elsewhere.
 */
export function* migrateVmaUnmap(k: Kernel, migration: Migration): Task<void> {
  const refused: number[] = [];
  for (let index = 0; index < migration.src.length; index += 1) {
    const pfn = migratePfnToPfn(migration.src[index] as MigratePfn);
    if (pfn === 'none') continue;
    if (!(yield* k.fn.unmapPage(k, migration, pfn))) refused.push(index);
  }
  for (const index of refused) {
    const pfn = migratePfnToPfn(migration.src[index] as MigratePfn);
    changeSource(k, migration, index, MIGRATE_PFN_NONE);
    if (pfn === 'none') continue;
    yield* k.fn.removeMigrationPtes(k, pfn, pfn);
    if (pfn !== migration.faultPage) unlockPage(k, pfn);
    yield* putPage(k, pfn);
  }
}

/** True if the page is now unmapped and used by this migration alone. */
export function* unmapPage(k: Kernel, migration: Migration, pfn: Pfn): Task<boolean> {
  const onLru = !isDevicePfn(pfn);
  if (onLru) {
    if (!hasFlag(k.frames, pfn, PAGE_LRU)) return false;
    clearFlag(k.frames, pfn, PAGE_LRU);
    k.isolated.add(pfn);
    // Isolation holds a reference of its own; the one from collecting goes.
    getPage(k.frames, pfn, 1);
    yield* putPage(k, pfn);
  }
  if (pageMapped(k, pfn)) yield* k.fn.tryToMigrate(k, pfn);
  yield willRead('migrate_vma_check_page.refcount', pageObject(pfn));
  if (pageMapped(k, pfn) || !k.fn.migrateVmaCheckPage(k, migration, pfn)) {
    if (onLru) putbackLru(k, pfn);
    return false;
  }
  return true;
}

/** putback_lru_page(), short of the reference, which the caller drops. */
export function putbackLru(k: Kernel, pfn: Pfn): void {
  invariant(!hasFlag(k.frames, pfn, PAGE_LRU), 'FR5', { pfn });
  k.isolated.delete(pfn);
  setFlag(k.frames, pfn, PAGE_LRU);
}

/** migrate_vma_check_page(): no reference but those that migration knows of. */
export function migrateVmaCheckPage(k: Kernel, migration: Migration, pfn: Pfn): boolean {
  const ours = pfn === migration.faultPage ? 2 : 1;
  return refcount(k.frames, pfn) - ours - mappingReferences(k, pfn) <= mapcount(k.frames, pfn);
}

/** References that the page cache or the swap cache holds. */
export function mappingReferences(k: Kernel, pfn: Pfn): number {
  return hasFlag(k.frames, pfn, PAGE_FILE) || hasFlag(k.frames, pfn, PAGE_SWAPCACHE) ? 1 : 0;
}

/** Where the entry `index` of a migration lies. */
export function migrationPage(migration: Migration, index: number): PageIndex {
  return (migration.range.first + index) as PageIndex;
}
