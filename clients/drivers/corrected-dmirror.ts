/**
 * dmirror without its races: the same driver, with another filter, another way to enter what migrated, and another
 * exclusive verb. Its answers differ from the faithful one's where those rest on entries that were kept through a
 * migration of the device's own.
 *
 * What the faithful driver does wrong, and what is done here:
 *  - it ignores the invalidations of its own migrations. So a fault that saw the old page just before enters it just
 *    after, and a write through an old entry lands in a page that has been copied already. Here every invalidation
 *    drops entries and moves the sequence.
 *  - it enters what migrated, or what it made exclusive, without asking whether somebody has taken the page away
 *    since. The sequence cannot tell, for the operation's own invalidations move it. Here each operation notes the
 *    pages that others invalidate while it runs; those are not entered, and a later fault finds out what they are.
 *
 * Leaves out: marking pages dirty that the device has written, for which DeviceApi has no call. As with dmirror, what
 * a device writes to a page after MADV_FREE may be discarded.
 */
import {
  type DeviceApi,
  type DeviceDriver,
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../server/protocol/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  type MigratePfn,
  migratePfnHas,
} from '../../server/protocol/migrate-pfn.ts';
import { lock, tryLock, unlock } from '../../server/task/lock.ts';
import { type Task, willWrite } from '../../server/task/task.ts';
import {
  intersection,
  nextPage,
  type PageIndex,
  type PageRange,
  type Pfn,
  pageCount,
  pageIndex,
} from '../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../server/vocabulary/errno.ts';
import { readU64 } from '../../server/vocabulary/page-contents.ts';
import type { Seq } from '../../server/vocabulary/seq.ts';
import { entryObject, mappedThrough, setEntry } from './device-page-table.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, newDmirror } from './dmirror.ts';
import { type DmirrorCopied, dmirrorReadMapped } from './dmirror-access.ts';
import { dropEntries } from './dmirror-invalidate.ts';
import { mapDestination } from './dmirror-migrate.ts';
import {
  type CommittedMigration,
  type Dmirror,
  type DmirrorOptions,
  nextBatch,
  withDriverLock,
  withMmapReadLock,
} from './dmirror-state.ts';
import { type DmirrorResult, type DmirrorVerb, performVerb } from './dmirror-verb.ts';

/** A migration or an exclusive access of this device that has begun and not ended. */
interface OwnOperation {
  readonly range: PageRange;
  /** Pages that others have invalidated since it began. */
  readonly lost: Set<PageIndex>;
}

type OwnOperations = Set<OwnOperation>;

export interface CorrectedDmirror {
  readonly dmirror: Dmirror;
  /** What the kernel calls. */
  readonly callbacks: DeviceDriver;
  readonly operations: OwnOperations;
}

/** As newDmirror(). Open it with dmirrorOpen(corrected.dmirror), and ask it with performCorrectedVerb(). */
export function newCorrectedDmirror(options: DmirrorOptions): CorrectedDmirror {
  const operations: OwnOperations = new Set();
  const api = notingMigrations(options.api, () => dmirror, operations);
  const dmirror: Dmirror = newDmirror(
    { ...options, api },
    {
      ...DMIRROR_FUNCTIONS,
      mapMigrated: (_, migration) => mapWhatIsLeft(dmirror, operations, migration),
    },
  );
  const callbacks: DeviceDriver = {
    ...dmirrorDriver(dmirror),
    invalidate: (sub, range, seq) => invalidate(dmirror, operations, { sub, range, seq }),
  };
  return { dmirror, callbacks, operations };
}

/** Does one verb, as performVerb(). */
export function* performCorrectedVerb(
  corrected: CorrectedDmirror,
  verb: DmirrorVerb,
): Task<DmirrorResult> {
  if (verb.verb !== 'exclusive') return yield* performVerb(corrected.dmirror, verb);
  const made = yield* correctedExclusive(corrected, verb.range);
  if (!made.ok) return { errno: made.errno };
  const values = made.value.values.map((contents) => `0x${readU64(contents, 0).toString(16)}`);
  return { errno: 'OK', values, cpages: made.value.cpages };
}

/**
 * Makes `range` exclusive to the device and reads it through the device page table, without faulting.
 *
 * Takes:   mmap_lock for read; under it the pages' locks and driver_lock.
 * Returns: as dmirrorExclusive(); EBUSY also if somebody took a page away meanwhile.
 */
export function* correctedExclusive(
  corrected: CorrectedDmirror,
  range: PageRange,
): Task<Result<DmirrorCopied>> {
  const { dmirror } = corrected;
  if (dmirror.mm === 'gone') return fail('EINVAL');
  const made = yield* withMmapReadLock(dmirror, () => makeExclusive(corrected, range));
  return made.ok ? yield* dmirrorReadMapped(dmirror, range) : made;
}

/**
 * The invalidate callback. Note, sequence and entries change under one lock: whoever enters pages under it either
 * sees the note, or is done and loses what it has entered.
 *
 * Takes:   driver_lock; only tries to if the range is not blockable.
 * Returns: 'again' if the lock was busy and waiting is not allowed.
 */
function* invalidate(
  dmirror: Dmirror,
  operations: OwnOperations,
  call: { readonly sub: IntervalSub; readonly range: NotifierRange; readonly seq: Seq },
): Task<'done' | 'again'> {
  const { sub, range, seq } = call;
  const at = 'dmirror_interval_invalidate.lock';
  if (range.blocking === 'non-blockable') yield willWrite(at, dmirror.lock.object);
  const held =
    range.blocking === 'blockable'
      ? yield* lock(dmirror.context, at, dmirror.lock)
      : tryLock(dmirror.context, dmirror.lock);
  if (held === 'busy') return 'again';
  yield willWrite('dmirror_interval_invalidate.seq', sub.object);
  mmuIntervalSetSeq(sub, seq);
  // Another subscription than the device's own is a snapshot's: only its sequence matters.
  if (dmirror.sub !== 'closed' && dmirror.sub.id === sub.id) {
    if (!isOwn(dmirror, range)) noteLost(operations, range.range);
    yield* dropEntries(dmirror, mappedThrough(dmirror.pageTable, range.range));
  }
  unlock(dmirror.context, held);
  return 'done';
}

/** `api`, with a note of each migration to the device from before its setup to its end. */
function notingMigrations(
  api: DeviceApi,
  dmirror: () => Dmirror,
  operations: OwnOperations,
): DeviceApi {
  const byMigration = new Map<number, OwnOperation>();
  return {
    ...api,
    *migrateVmaSetup(request) {
      const { mm, range } = request;
      // Only a migration to the device enters what it moved.
      const enters = request.select === 'system';
      const operation = enters ? yield* begin(dmirror(), operations, range) : 'not watched';
      const setup = yield* api.migrateVmaSetup(request);
      if (operation !== 'not watched') {
        if (setup.ok) byMigration.set(setup.value.id, operation);
        else operations.delete(operation);
      }
      if (setup.ok && mm === api.mm) yield* dropCollected(dmirror(), range, setup.value.src);
      return setup;
    },
    *migrateVmaFinalize(migrate) {
      const operation = byMigration.get(migrate.id);
      byMigration.delete(migrate.id);
      if (operation !== undefined) operations.delete(operation);
      yield* api.migrateVmaFinalize(migrate);
    },
  };
}

/**
 * The callback dropped these entries before the pages were collected, but an operation of this device that had a
 * page until then may have entered it since. Under the driver lock, so that no access is under way when the page is
 * copied.
 *
 * Takes: driver_lock.
 */
function dropCollected(dmirror: Dmirror, range: PageRange, src: readonly MigratePfn[]): Task<void> {
  const collected = src.flatMap((entry, at) =>
    migratePfnHas(entry, MIGRATE_PFN_MIGRATE) ? [pageIndex(range.first + at)] : [],
  );
  return withDriverLock(dmirror, 'dmirror_migrate_vma.lock', () => dropEntries(dmirror, collected));
}

/**
 * From here on `range` is watched. The callback of an invalidation may have run before, and the page table change
 * after: so its end is waited for.
 *
 * Holds: not the driver lock.
 */
function* begin(dmirror: Dmirror, operations: OwnOperations, range: PageRange): Task<OwnOperation> {
  const operation = { range, lost: new Set<PageIndex>() };
  operations.add(operation);
  if (dmirror.sub !== 'closed') yield* dmirror.api.mmuIntervalReadBegin(dmirror.sub);
  return operation;
}

/**
 * True for what an operation of this device causes itself. Another operation of the device may be the cause, but it
 * cannot take a page away that this one has: that page is locked. What it takes later it drops: dropCollected().
 */
function isOwn(dmirror: Dmirror, range: NotifierRange): boolean {
  const ownKind = range.event === 'migrate' || range.event === 'exclusive';
  return ownKind && range.owner === dmirror.api.owner;
}

function noteLost(operations: OwnOperations, range: PageRange): void {
  for (const operation of operations) {
    const common = intersection(operation.range, range);
    if (common === 'nothing') continue;
    for (let page = common.first; page < common.end; page = nextPage(page)) {
      operation.lost.add(page);
    }
  }
}

/** Enters what migrated and nobody has taken away since. Takes: driver_lock. */
function mapWhatIsLeft(
  dmirror: Dmirror,
  operations: OwnOperations,
  migration: CommittedMigration,
): Task<void> {
  return withDriverLock(dmirror, 'dmirror_migrate_finalize_and_map.lock', function* (held) {
    for (let at = 0; at < migration.src.length; at += 1) {
      const page = pageIndex(migration.range.first + at);
      if (!migratePfnHas(migration.src[at] ?? MIGRATE_PFN_NONE, MIGRATE_PFN_MIGRATE)) continue;
      // Which of the open operations this is does not matter: a page that any of them lost is better looked up again.
      if (wasLost(operations, page)) continue;
      yield* mapDestination(held, dmirror, page, migration.dst[at] ?? MIGRATE_PFN_NONE);
    }
  });
}

function wasLost(operations: OwnOperations, page: PageIndex): boolean {
  for (const operation of operations) if (operation.lost.has(page)) return true;
  return false;
}

function* makeExclusive(corrected: CorrectedDmirror, range: PageRange): Task<Result<void>> {
  const { dmirror, operations } = corrected;
  for (let first = range.first; first < range.end; ) {
    const batch = nextBatch(first, range.end);
    const operation = yield* begin(dmirror, operations, batch);
    const made = yield* dmirror.api.makeDeviceExclusiveRange(batch);
    const frames = made.ok ? made.value : [];
    const complete = frames.length === pageCount(batch);
    const mapped = complete ? yield* mapExclusive(dmirror, operation, frames) : 0;
    operations.delete(operation);
    const held = frames.filter((frame) => frame !== 'none');
    if (held.length > 0) yield* dmirror.api.unlockAndPutPages(held);
    if (!made.ok && made.errno === 'ENOTCONN') return made;
    if (mapped < pageCount(batch)) return fail('EBUSY');
    first = batch.end;
  }
  return OK;
}

/** Holds: mmap_lock and the pages' locks. Takes: driver_lock. Returns: how many pages were entered. */
function mapExclusive(
  dmirror: Dmirror,
  operation: OwnOperation,
  frames: readonly (Pfn | 'none')[],
): Task<number> {
  return withDriverLock(dmirror, 'dmirror_atomic_map.lock', function* () {
    let mapped = 0;
    for (const [at, frame] of frames.entries()) {
      const page = pageIndex(operation.range.first + at);
      if (frame === 'none' || operation.lost.has(page)) continue;
      yield willWrite('dmirror_atomic_map.map', entryObject(dmirror.pageTable, page));
      // Announcing gave others the CPU: they may have taken the page in between, and then wait for this lock.
      setEntry(dmirror.pageTable, page, { state: 'mapped', pfn: frame, access: 'exclusive' });
      mapped += 1;
    }
    return mapped;
  });
}
