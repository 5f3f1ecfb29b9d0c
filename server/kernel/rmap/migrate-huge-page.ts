/**
 * A huge page that moves as a whole: a migration entry of the PMD level in the place of each huge entry that maps it,
 * small ones where small entries do. Source: mm/huge_memory.c (set_pmd_migration_entry, remove_migration_pmd),
 * mm/rmap.c (try_to_migrate_one), mm/page_vma_mapped.c, mm/migrate.c (remove_migration_pte) (6.1, 6.12).
 *
 * Leaves out: huge pages of files.
 */
import { lock, unlock } from '../../task/lock.ts';
import { type Task, willWrite, type YieldPoint } from '../../task/task.ts';
import {
  nextPage,
  type PageIndex,
  type PageRange,
  type Pfn,
  pagesFrom,
} from '../../vocabulary/address.ts';
import type { EmptyBlocks, Kernel, LockedPte, MappedAt, TlbBatch } from '../kernel.ts';
import { compoundParts } from '../memory/compound-page.ts';
import {
  getPage,
  hasFlag,
  mappingOf,
  maybeDmaPinned,
  PAGE_ANON_EXCLUSIVE,
  PAGE_DIRTY,
  setFlag,
} from '../memory/frames.ts';
import { blockRange, setHugePmd } from '../memory/huge-pmd.ts';
import { putPage } from '../memory/page-references.ts';
import {
  blockOf,
  endOfPtePage,
  findPtePage,
  type PageTable,
  type PtePage,
  pteObject,
} from '../memory/page-table.ts';
import {
  migrationKindFor,
  mkMigration,
  type Pte,
  pteDirty,
  pteIsMigration,
  pteIsZeroPage,
  pteModify,
  ptePfn,
  ptePresent,
} from '../memory/pte.ts';
import { lockedPte } from '../memory/pte-lock.ts';
import { linearIndex } from '../memory/vma.ts';
import { addRmap, mapsPage, migrateOne, restoreOne } from './try-to-migrate.ts';

/**
 * try_to_migrate_one() of a huge page: one mapping that covers some of it, in one bracket. 'stop' if it is pinned.
 *
 * Holds: the page lock, the lock of the reverse map. Takes: callbacks' locks, PTE locks.
 */
export function* tryToMigrateLarge(
  k: Kernel,
  head: Pfn,
  place: MappedAt,
  batch?: TlbBatch,
): Task<'go-on' | 'stop'> {
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, place.mm, {
    event: 'clear',
    range: coveredPages(k, head, place),
    owner: 'none',
    blocking: 'blockable',
  });
  const outcome = yield* walkMapped(
    k,
    head,
    place,
    'page_vma_mapped_walk.pmd_lock',
    'passed over',
    {
      *huge(at) {
        const { huge } = at.ptePage;
        const maps = ptePresent(huge) && !pteIsZeroPage(huge) && ptePfn(huge) === head;
        return maps ? yield* k.fn.setPmdMigrationEntry(k, at, head) : 'go-on';
      },
      *small(at, part) {
        return mapsPage(lockedPte(at), part) ? yield* migrateOne(k, at, part, batch) : 'go-on';
      },
    },
  );
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  return outcome;
}

/**
 * remove_migration_pte() of a huge page: the entries of one mapping that wait for it. Takes: PTE locks, also of blocks
 * that are empty (PVMW_SYNC): mremap() may just now be carrying the entry to a mapping that the walk comes to later.
 *
 *   walk                                mremap, with both PTE locks
 *                                         clears the old place
 *     old place: empty                                              <- must wait for the lock
 *     new place: empty
 *                                         sets the new place
 *
 * Without that the entry is missed, and waits for ever.
 */
export function* removeMigrationLarge(
  k: Kernel,
  place: MappedAt,
  from: Pfn,
  to: Pfn,
  empty: EmptyBlocks = 'waited for',
): Task<void> {
  yield* walkMapped(k, from, place, 'remove_migration_pmd.pmd_lock', empty, {
    *huge(at) {
      const { huge } = at.ptePage;
      if (pteIsMigration(huge) && ptePfn(huge) === from) {
        yield* k.fn.removeMigrationPmd(k, at, from, to);
      }
      return 'go-on';
    },
    *small(at, part) {
      yield* restoreOne(k, at, part, (to + (part - from)) as Pfn);
      return 'go-on';
    },
  });
}

/**
 * set_pmd_migration_entry(): the huge entry at `at`, which maps the page, becomes a migration entry.
 *
 * Holds: the PTE lock of the block. Returns: 'stop' if some part is pinned; the entry is as it was then.
 */
export function* setPmdMigrationEntry(k: Kernel, at: LockedPte, head: Pfn): Task<'go-on' | 'stop'> {
  const pmd = yield* k.fn.pmdpInvalidate(k, at);
  const parts = compoundParts(k, head);
  const exclusive = parts.every((part) => hasFlag(k.frames, part, PAGE_ANON_EXCLUSIVE));
  // A pin counts for the page as a whole.
  if (exclusive && parts.some((part) => maybeDmaPinned(k.frames, part))) {
    setLockedPmd(k, at, pmd);
    return 'stop';
  }
  for (const part of parts) {
    if (exclusive) k.fn.pageTryShareAnonRmap(k, part);
    if (pteDirty(pmd)) setFlag(k.frames, part, PAGE_DIRTY);
  }
  const kind = migrationKindFor(pmd, exclusive ? 'exclusive' : 'shared');
  setLockedPmd(k, at, mkMigration(head, kind, pmd));
  for (const part of parts) {
    k.fn.pageRemoveRmap(k, part);
    yield* putPage(k, part);
  }
  return 'go-on';
}

/**
 * pmdp_invalidate(): the huge entry at `at` grants nothing any more, and stands: whoever looks without the lock must
 * not find the block empty. Returns: what it was in that instant, with the dirty bit that hardware may have set until
 * then.
 *
 * Holds: the PTE lock of the block.
 */
export function* pmdpInvalidate(k: Kernel, at: LockedPte): Task<Pte> {
  const { mm, page } = at;
  yield willWrite('pmdp_invalidate.exchange', pteObject(mm.table, page));
  const pmd = at.ptePage.huge;
  setLockedPmd(k, at, pteModify(pmd, { none: true, write: false }));
  yield* k.fn.flushTlbRange(k, mm, blockRange(k, page));
  return pmd;
}

/**
 * remove_migration_pmd(): the block is mapped by one entry again, with the rights that it had and that the mapping
 * still gives. Holds: the PTE lock of the block, the locks of both pages.
 */
export function* removeMigrationPmd(k: Kernel, at: LockedPte, from: Pfn, to: Pfn): Task<void> {
  yield willWrite('remove_migration_pmd.set', pteObject(at.mm.table, at.page));
  const entry = at.ptePage.huge;
  for (const [index, part] of compoundParts(k, to).entries()) {
    getPage(k.frames, part, 1);
    addRmap(k, { ...at, page: (at.page + index) as PageIndex }, entry, part);
  }
  setLockedPmd(k, at, k.fn.restoredPte(k, at, entry, from, to));
}

function setLockedPmd(k: Kernel, { held, mm, ptePage, page }: LockedPte, pmd: Pte): void {
  setHugePmd(k, held, mm, ptePage, page, pmd);
}

/** What a walk does at the one entry of a block, or at a small entry where `part` may be. 'stop' ends the walk. */
interface MappedVisits {
  readonly huge: (at: LockedPte) => Task<'go-on' | 'stop'>;
  readonly small: (at: LockedPte, part: Pfn) => Task<'go-on' | 'stop'>;
}

/** page_vma_mapped_walk(): table after table, for a page that was moved may reach into two. */
function* walkMapped(
  k: Kernel,
  head: Pfn,
  place: MappedAt,
  label: YieldPoint,
  empty: EmptyBlocks,
  visits: MappedVisits,
): Task<'go-on' | 'stop'> {
  const { mm } = place;
  const { first, end } = coveredPages(k, head, place);
  for (let page = first; page < end; ) {
    const next = endOfPtePage(mm.table, page) < end ? endOfPtePage(mm.table, page) : end;
    if (empty === 'waited for' || findPtePage(mm.table, page) !== 'none') {
      const outcome = yield* visitBlock(k, head, place, { first: page, end: next }, label, visits);
      if (outcome === 'stop') return outcome;
    }
    page = next;
  }
  return 'go-on';
}

/** What the block is mapped by is asked under its lock: it may have been split, or let go, in between. */
function* visitBlock(
  k: Kernel,
  head: Pfn,
  { mm, vma }: MappedAt,
  range: PageRange,
  label: YieldPoint,
  visits: MappedVisits,
): Task<'go-on' | 'stop'> {
  const ptePage = blockOf(mm.table, range.first);
  const held = yield* lock(k.context, label, ptePage.ptl);
  const { index } = mappingOf(k.frames, head);
  let outcome: 'go-on' | 'stop' = 'go-on';
  const level = levelOf(mm.table, range.first);
  if (level === 'huge') {
    outcome = yield* visits.huge({
      mm,
      vma,
      page: blockRange(k, range.first).first,
      ptePage,
      held,
    });
  } else if (level === 'table') {
    for (let page = range.first; page < range.end && outcome === 'go-on'; page = nextPage(page)) {
      const part = (head + linearIndex(vma, page) - index) as Pfn;
      outcome = yield* visits.small({ mm, vma, page, ptePage, held }, part);
    }
  }
  unlock(k.context, held);
  return outcome;
}

/** Whoever takes a table away may have other locks than that of the block: an explorer has to know of the look. */
function levelOf(table: PageTable, page: PageIndex): PtePage['level'] {
  const found = findPtePage(table, page);
  return found === 'none' ? found : found.level;
}

/** The pages of the mapping that belong to parts of the huge page, the first of them at `place`. */
function coveredPages(k: Kernel, head: Pfn, { vma, page }: MappedAt): PageRange {
  const { index } = mappingOf(k.frames, head);
  const { end } = pagesFrom(page, index + k.ptrsPerPte - linearIndex(vma, page));
  return { first: page, end: end < vma.end ? end : vma.end };
}
