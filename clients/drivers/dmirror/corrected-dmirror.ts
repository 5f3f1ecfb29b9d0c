/**
 * dmirror without its races: the same driver, with another callback, another way to enter what migrated, and another
 * exclusive verb.
 *
 * What the faithful driver does wrong, and what is done here:
 *  - it ignores the invalidations of its own migrations. So a fault that saw the old page just before enters it just
 *    after, and a write through an old entry lands in a page that has been copied already. Here each of them moves the
 *    sequence, and drops the entries of pages that the migration may take.
 *  - it enters what migrated before the migration has ended, without asking whether an invalidation has taken the page
 *    away since. Here the page table is looked at once more afterwards, as for a fault, but without faulting.
 *  - it enters what it made exclusive in the same way. To look again is no help there, for an exclusive entry is not
 *    shown; so pages that others invalidate meanwhile are noted, and not entered.
 *
 * Leaves out: marking pages dirty that the device has written, for which DeviceApi has no call. As with dmirror, what
 * a device writes to a page after MADV_FREE may be discarded.
 */
import {
  type DeviceApi,
  type DeviceDriver,
  type IntervalSub,
  type MigrateRequest,
  type MigrateVma,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import {
  HMM_PFN_DEVICE_PRIVATE,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../../server/abi/hmm-pfn.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  migratePfnHas,
} from '../../../server/abi/migrate-pfn.ts';
import {
  enterLoop,
  keepOnly,
  learnOnly,
  type TaskContext,
  touch,
} from '../../../server/task/context.ts';
import { lock, tryLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId, objectName } from '../../../server/task/object-id.ts';
import { type Task, willCompare, willWrite } from '../../../server/task/task.ts';
import {
  contains,
  intersection,
  nextPage,
  type PageIndex,
  type PageRange,
  type Pfn,
  pageCount,
  pageIndex,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { readU64 } from '../../../server/vocabulary/page-contents.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { ownsFrame } from '../hardware/device-memory.ts';
import { entryAt, entryObject, mappedThrough, setEntry } from '../hardware/device-page-table.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, newDmirror } from './dmirror.ts';
import { type DmirrorCopied, dmirrorReadMapped } from './dmirror-access.ts';
import { contentOfDmirror } from './dmirror-contents.ts';
import { dropEntries } from './dmirror-invalidate.ts';
import {
  type CommittedMigration,
  type Dmirror,
  type DmirrorOptions,
  nextBatch,
  withDriverLock,
  withMmapReadLock,
} from './dmirror-state.ts';
import { type DmirrorResult, type DmirrorVerb, performVerb } from './dmirror-verb.ts';

/** A migration of the mirrored address space that this device has begun and not ended. */
interface OwnMigration {
  readonly task: number;
  readonly range: PageRange;
  readonly select: MigrateRequest['select'];
  /** The page of a CPU's fault, which is locked until the callback returns. */
  readonly faultPage: Pfn | 'none';
  /** Pages that migrated, or whose entry was dropped for it: to be looked at when it has ended. */
  readonly again: Set<PageIndex>;
}

/** An exclusive access that this device has begun and not ended. */
interface OwnExclusive {
  readonly task: number;
  readonly range: PageRange;
  /** Pages that others have invalidated, and under which sequence. */
  readonly lost: Map<PageIndex, Seq>;
}

/** Not guarded by a lock: each look and each change is noted for an explorer. */
class OwnOperations {
  readonly #context: TaskContext;
  readonly #migrationsObject: ObjectId;
  readonly #exclusivesObject: ObjectId;
  readonly #migrations = new Set<OwnMigration>();
  readonly #exclusives = new Set<OwnExclusive>();

  /** The device's own state is named by index 0. */
  constructor(context: TaskContext, deviceNumber: number) {
    this.#context = context;
    this.#migrationsObject = objectId('device', deviceNumber, 1);
    this.#exclusivesObject = objectId('device', deviceNumber, 2);
  }

  /** The one that runs. */
  get task(): number {
    return this.#context.current.id;
  }

  get migrations(): ReadonlySet<OwnMigration> {
    touch(this.#context, this.#migrationsObject, 'read');
    return this.#migrations;
  }

  /** For the code that changes the set, or a migration in it. */
  get migrationsToChange(): Set<OwnMigration> {
    touch(this.#context, this.#migrationsObject, 'write');
    return this.#migrations;
  }

  begin(own: OwnMigration): void {
    touch(this.#context, this.#migrationsObject, 'note');
    this.#migrations.add(own);
  }

  /** What is left of it is known to the task that ends it, and of the others it learns nothing. */
  end(own: OwnMigration): void {
    touch(this.#context, this.#migrationsObject, 'note');
    this.#migrations.delete(own);
    learnOnly(this.#context, this.#migrationsObject, [...own.again].join());
  }

  watch(exclusive: OwnExclusive): void {
    touch(this.#context, this.#exclusivesObject, 'note');
    this.#exclusives.add(exclusive);
  }

  watchNoMore(exclusive: OwnExclusive): void {
    touch(this.#context, this.#exclusivesObject, 'note');
    this.#exclusives.delete(exclusive);
  }

  get exclusives(): ReadonlySet<OwnExclusive> {
    touch(this.#context, this.#exclusivesObject, 'read');
    return this.#exclusives;
  }

  /** For the code that changes the set, or an exclusive access in it. */
  get exclusivesToChange(): Set<OwnExclusive> {
    touch(this.#context, this.#exclusivesObject, 'write');
    return this.#exclusives;
  }

  /** The pages of it that others have invalidated. */
  lostOf({ lost }: OwnExclusive): ReadonlyMap<PageIndex, Seq> {
    touch(this.#context, this.#exclusivesObject, 'read');
    return lost;
  }

  /** As LabDevice.contentOf(), of these two sets. `seq`: what callbacks have set last. */
  contentOf(object: ObjectId, seq: Seq | 'none'): string | 'unknown' {
    if (object === this.#migrationsObject) {
      return operationsText(
        [...this.#migrations].map(({ task, range, select, again }) => ({
          task,
          operation: `${range.first}-${range.end} ${select}`,
          noted: [...again].join(),
        })),
      );
    }
    if (object !== this.#exclusivesObject) return 'unknown';
    return operationsText(
      [...this.#exclusives].map(({ task, range, lost }) => ({
        task,
        operation: `${range.first}-${range.end}`,
        // Since which sequence does not matter but for the last one, which may be that of callbacks to come.
        noted: [...lost].map(([page, since]) => `${page} ${since === seq}`).join(),
      })),
    );
  }
}

interface Told {
  readonly task: number;
  readonly operation: string;
  readonly noted: string;
}

/** Whose is whose is told where two are alike: which task has changed places with which is no other state elsewhere. */
function operationsText(operations: readonly Told[]): string {
  const differ = new Set(operations.map(({ operation }) => operation)).size === operations.length;
  return operations
    .map(({ task, operation, noted }) => `${differ ? '' : task} ${operation} ${noted}`)
    .sort()
    .join(';');
}

export interface CorrectedDmirror {
  readonly dmirror: Dmirror;
  /** What the kernel calls. */
  readonly callbacks: DeviceDriver;
  readonly operations: OwnOperations;
}

/** As newDmirror(). Open it with dmirrorOpen(corrected.dmirror), and ask it with performCorrectedVerb(). */
export function newCorrectedDmirror(options: DmirrorOptions): CorrectedDmirror {
  const operations = new OwnOperations(options.context, options.deviceNumber);
  const api = lookingAgain(options.api, () => dmirror, operations);
  const dmirror: Dmirror = newDmirror(
    { ...options, api },
    {
      ...DMIRROR_FUNCTIONS,
      // Nothing is entered before the migration has ended.
      mapMigrated: (_, migration) => noteMigrated(operations, migration),
    },
  );
  const callbacks: DeviceDriver = {
    ...dmirrorDriver(dmirror),
    invalidate: (sub, range, seq) => invalidate(dmirror, operations, { sub, range, seq }),
  };
  return { dmirror, callbacks, operations };
}

/** As LabDevice.contentOf(). */
export function contentOfCorrected(
  { dmirror, operations }: CorrectedDmirror,
  object: ObjectId,
): string | number | 'unknown' {
  const { kind, index } = objectName(object);
  if (kind !== 'device' || index === 0) return contentOfDmirror(dmirror, object);
  const { sub } = dmirror;
  return operations.contentOf(object, sub === 'closed' ? 'none' : sub.invalidateSeq);
}

/** Does one verb, as performVerb(). */
export function* performCorrectedVerb(
  corrected: CorrectedDmirror,
  verb: DmirrorVerb,
  exclusive: typeof correctedExclusive = correctedExclusive,
): Task<DmirrorResult> {
  if (verb.verb !== 'exclusive') return yield* performVerb(corrected.dmirror, verb);
  const made = yield* exclusive(corrected, verb.range);
  if (!made.ok) return { errno: made.errno };
  const values = made.value.values.map((contents) => `0x${readU64(contents, 0).toString(16)}`);
  return { errno: 'OK', values, cpages: made.value.cpages };
}

/**
 * Makes `range` exclusive to the device and reads it through the device page table, without faulting.
 *
 * Takes:   mmap_lock for read; under it the pages' locks and driver_lock.
 * Returns: as dmirrorExclusive(); EBUSY also if an invalidation took a page away meanwhile.
 */
export function* correctedExclusive(
  corrected: CorrectedDmirror,
  range: PageRange,
): Task<Result<DmirrorCopied>> {
  const { dmirror } = corrected;
  if (dmirror.mm === 'gone') return fail('EINVAL');
  const made = yield* withMmapReadLock(dmirror, () =>
    makeExclusive(corrected, range, (take) => take()),
  );
  return made.ok ? yield* dmirrorReadMapped(dmirror, range) : made;
}

/**
 * The same, but mmap_lock is let go of before the pages are entered: their own locks keep them, as in
 * nouveau_atomic_range_fault() of drivers/gpu/drm/nouveau/nouveau_svm.c.
 */
export function* correctedLateExclusive(
  corrected: CorrectedDmirror,
  range: PageRange,
): Task<Result<DmirrorCopied>> {
  const { dmirror } = corrected;
  if (dmirror.mm === 'gone') return fail('EINVAL');
  const made = yield* makeExclusive(corrected, range, (take) => withMmapReadLock(dmirror, take));
  return made.ok ? yield* dmirrorReadMapped(dmirror, range) : made;
}

/** What the kernel gives the invalidate callback. */
interface Invalidate {
  readonly sub: IntervalSub;
  readonly range: NotifierRange;
  readonly seq: Seq;
}

/**
 * The invalidate callback. Sequence, notes and entries change under one lock: a task that enters pages under it either
 * sees the change, or is done and loses what it has entered.
 *
 * Takes:   driver_lock; only tries to if the range is not blockable.
 * Returns: 'again' if the lock was busy and waiting is not allowed.
 */
function* invalidate(
  dmirror: Dmirror,
  operations: OwnOperations,
  call: Invalidate,
): Task<'done' | 'again'> {
  const at = 'dmirror_interval_invalidate.lock';
  const mayWait = call.range.blocking === 'blockable';
  if (!mayWait) yield willWrite(at, dmirror.lock.object);
  const held = mayWait
    ? yield* lock(dmirror.context, at, dmirror.lock)
    : tryLock(dmirror.context, dmirror.lock);
  if (held === 'busy') return 'again';
  yield willWrite('dmirror_interval_invalidate.seq', call.sub.object);
  mmuIntervalSetSeq(call.sub, call.seq);
  // Another subscription than the device's own is a snapshot's: only its sequence matters.
  const whole = dmirror.sub !== 'closed' && dmirror.sub.id === call.sub.id;
  if (whole) yield* dropEntries(dmirror, entriesToDrop(dmirror, operations, call));
  unlock(dmirror.context, held);
  return 'done';
}

function entriesToDrop(
  dmirror: Dmirror,
  operations: OwnOperations,
  { range: { event, owner, range }, seq }: Invalidate,
): PageIndex[] {
  const own = owner === dmirror.api.owner;
  const { pgmapOwner } = dmirror;
  // What is lost is lost since a sequence, and that moves here.
  const exclusives = operations.exclusives.size === 0 ? [] : operations.exclusivesToChange;
  if (own && event === 'migrate') return takenByOwn(dmirror, operations, range);
  const mapped = mappedThrough(dmirror.pageTable, range);
  // Whose migration it is an owner does not say that others share: it may be a peer's.
  if (event === 'migrate' && owner === pgmapOwner) lookAgainAt(operations, mapped);
  for (const exclusive of exclusives) {
    if (own && event === 'exclusive') forgetLost(exclusive, range, seq);
    else noteLost(exclusive, range, seq);
  }
  return mapped;
}

/** Pages whose entries go while own migrations are about them, if only beside them. */
function lookAgainAt(operations: OwnOperations, pages: readonly PageIndex[]): void {
  if (operations.migrations.size === 0) return;
  for (const { range, again } of operations.migrationsToChange) {
    for (const page of pages) if (contains(range, page)) again.add(page);
  }
}

/**
 * Pages whose entries stand for what a migration of this device may take: system memory on the way to the device, its
 * own memory on the way back. The others stay, as does what is exclusive: that does not migrate.
 */
function takenByOwn(dmirror: Dmirror, operations: OwnOperations, range: PageRange): PageIndex[] {
  return mappedThrough(dmirror.pageTable, range).filter((page) => {
    const entry = entryAt(dmirror.pageTable, page);
    if (!contains(range, page) || entry.state === 'none' || entry.access === 'exclusive') {
      return false;
    }
    const select = ownsFrame(dmirror.memory, entry.pfn) ? 'device-private' : 'system';
    const takers = [...operations.migrationsToChange].filter(
      (own) => own.select === select && contains(own.range, page),
    );
    for (const taker of takers) taker.again.add(page);
    return takers.length > 0;
  });
}

/** `api`, with a note of each migration from before its setup, and a look at its pages behind its end. */
function lookingAgain(
  api: DeviceApi,
  dmirror: () => Dmirror,
  operations: OwnOperations,
): DeviceApi {
  const looking: LookingAgain = { api, dmirror, operations, byId: new Map() };
  return {
    ...api,
    migrateVmaSetup: (request) => setupNoted(looking, request),
    migrateVmaFinalize: (migrate) => finalizeAndLook(looking, migrate),
  };
}

interface LookingAgain {
  readonly api: DeviceApi;
  readonly dmirror: () => Dmirror;
  readonly operations: OwnOperations;
  readonly byId: Map<number, OwnMigration>;
}

function* setupNoted(
  { api, dmirror, operations, byId }: LookingAgain,
  request: MigrateRequest,
): Task<Result<MigrateVma>> {
  // The device has no entries for another address space than the one that it mirrors.
  if (request.mm !== api.mm) return yield* api.migrateVmaSetup(request);
  const { range, select, faultPage } = request;
  const own: OwnMigration = { task: operations.task, range, select, faultPage, again: new Set() };
  operations.begin(own);
  const setup = yield* api.migrateVmaSetup(request);
  if (setup.ok) {
    byId.set(setup.value.id, own);
    const collected = setup.value.src.flatMap((entry, at) =>
      migratePfnHas(entry, MIGRATE_PFN_MIGRATE) ? [pageIndex(range.first + at)] : [],
    );
    yield* dropCollected(dmirror(), operations, own, collected);
  } else operations.end(own);
  return setup;
}

function* finalizeAndLook(
  { api, dmirror, operations, byId }: LookingAgain,
  migrate: MigrateVma,
): Task<void> {
  yield* api.migrateVmaFinalize(migrate);
  const own = byId.get(migrate.id);
  if (own === undefined) return;
  byId.delete(migrate.id);
  operations.end(own);
  // To wait for the end of an invalidation would be to wait for who waits in it for the lock of the page: UFFDIO_MOVE.
  if (own.faultPage === 'none') yield* lookAgain(dmirror(), own);
}

/**
 * The callback dropped these entries before the pages were collected, but another operation of this device that had a
 * page until then may have entered it since. Under the driver lock, so that no access is under way when the page is
 * copied.
 *
 * Takes: driver_lock.
 */
function dropCollected(
  dmirror: Dmirror,
  operations: OwnOperations,
  own: OwnMigration,
  collected: readonly PageIndex[],
): Task<void> {
  return withDriverLock(dmirror, 'dmirror_migrate_vma.lock', () =>
    dropUnderLock(dmirror, operations, own, collected),
  );
}

function* dropUnderLock(
  dmirror: Dmirror,
  operations: OwnOperations,
  own: OwnMigration,
  collected: readonly PageIndex[],
): Task<void> {
  const mapped = collected.filter((page) => entryAt(dmirror.pageTable, page).state === 'mapped');
  if (mapped.length > 0 && operations.migrationsToChange.has(own)) {
    for (const page of mapped) own.again.add(page);
  }
  yield* dropEntries(dmirror, mapped);
}

// No yield: the signature of the seam.
function* noteMigrated(operations: OwnOperations, migration: CommittedMigration): Task<void> {
  for (const own of operations.migrationsToChange) {
    if (own.select === 'device-private') continue;
    for (const [at, entry] of migration.src.entries()) {
      const page = pageIndex(migration.range.first + at);
      if (!contains(own.range, page)) continue;
      if (migratePfnHas(entry ?? MIGRATE_PFN_NONE, MIGRATE_PFN_MIGRATE)) own.again.add(page);
    }
  }
}

/**
 * Enters what is there now, as after a fault, for the pages that a migration has taken the entries of. On the way back
 * only what stayed on the device: the rest has left it.
 *
 * Holds: mmap_lock for read (the caller does). Takes: driver_lock. Yields: yes.
 */
function* lookAgain(dmirror: Dmirror, own: OwnMigration): Task<void> {
  const sub = dmirror.sub;
  if (own.again.size === 0 || sub === 'closed') return;
  const { context, retriesMax } = dmirror;
  if (retriesMax === Number.POSITIVE_INFINITY) enterLoop(context, sub.object);
  for (let attempt = 0; attempt < retriesMax; attempt += 1) {
    if (attempt > 0) keepOnly(context, sub.object, '');
    const begun = yield* dmirror.api.mmuIntervalReadBegin(sub);
    const walked: Result<readonly HmmPfn[]> = yield* dmirror.api.hmmRangeFault({
      sub,
      notifierSeq: begun,
      range: own.range,
      defaultFlags: 'snapshot',
    });
    if (!walked.ok && walked.errno !== 'EBUSY') return;
    if (walked.ok && (yield* enterSeen(dmirror, own, walked.value, begun)) === 'entered') return;
  }
}

function enterSeen(
  dmirror: Dmirror,
  own: OwnMigration,
  seen: readonly HmmPfn[],
  begun: Seq,
): Task<'entered' | 'collided'> {
  return withDriverLock(dmirror, 'dmirror_migrate_finalize_and_map.lock', () =>
    enterUnderLock(dmirror, own, seen, begun),
  );
}

function* enterUnderLock(
  dmirror: Dmirror,
  own: OwnMigration,
  seen: readonly HmmPfn[],
  begun: Seq,
): Task<'entered' | 'collided'> {
  if (dmirror.sub === 'closed') return 'entered';
  yield willCompare('dmirror_migrate_finalize_and_map.retry', dmirror.sub.object);
  if (mmuIntervalReadRetry(dmirror.sub, begun)) return 'collided';
  for (const page of own.again) {
    const entry = seen[page - own.range.first];
    if (entry === undefined || !hmmPfnHas(entry, HMM_PFN_VALID)) continue;
    if (own.select === 'device-private' && !hmmPfnHas(entry, HMM_PFN_DEVICE_PRIVATE)) continue;
    yield willWrite('dmirror_migrate_finalize_and_map.map', entryObject(dmirror.pageTable, page));
    const access = hmmPfnHas(entry, HMM_PFN_WRITE) ? 'write' : 'read';
    setEntry(dmirror.pageTable, page, { state: 'mapped', pfn: hmmPfnToPfn(entry), access });
  }
  return 'entered';
}

/**
 * From here on `range` is watched. The callback of an invalidation may have run before, and the page table change
 * after: so its end is waited for.
 *
 * Holds: not the driver lock.
 */
function* beginExclusive(
  dmirror: Dmirror,
  operations: OwnOperations,
  range: PageRange,
): Task<OwnExclusive> {
  const exclusive: OwnExclusive = { task: operations.task, range, lost: new Map() };
  operations.watch(exclusive);
  if (dmirror.sub !== 'closed') yield* dmirror.api.mmuIntervalReadBegin(dmirror.sub);
  return exclusive;
}

function noteLost(exclusive: OwnExclusive, range: PageRange, seq: Seq): void {
  const common = intersection(exclusive.range, range);
  if (common === 'nothing') return;
  for (let page = common.first; page < common.end; page = nextPage(page)) {
    exclusive.lost.set(page, seq);
  }
}

/**
 * The device is about to make `range` its own: what happened to it before does not matter, a fault on the device's
 * behalf for one. Unless it is not over: invalidations that are open at the same time have the same sequence.
 */
function forgetLost(exclusive: OwnExclusive, range: PageRange, seq: Seq): void {
  for (const [page, since] of exclusive.lost) {
    if (contains(range, page) && since !== seq) exclusive.lost.delete(page);
  }
}

type MadeExclusive = Result<readonly (Pfn | 'none')[]>;

/** `locked` does what it is given, while mmap_lock is held. */
function* makeExclusive(
  corrected: CorrectedDmirror,
  range: PageRange,
  locked: (take: () => Task<MadeExclusive>) => Task<MadeExclusive>,
): Task<Result<void>> {
  const { dmirror, operations } = corrected;
  for (let first = range.first; first < range.end; ) {
    const batch = nextBatch(first, range.end);
    const exclusive = yield* beginExclusive(dmirror, operations, batch);
    const made = yield* locked(() => dmirror.api.makeDeviceExclusiveRange(batch));
    const frames = made.ok ? made.value : [];
    const complete = frames.length === pageCount(batch);
    const mapped = complete ? yield* mapExclusive(corrected, exclusive, frames) : 0;
    operations.watchNoMore(exclusive);
    const held = frames.filter((frame) => frame !== 'none');
    if (held.length > 0) yield* dmirror.api.unlockAndPutPages(held);
    if (!made.ok && made.errno === 'ENOTCONN') return made;
    if (mapped < pageCount(batch)) return fail('EBUSY');
    first = batch.end;
  }
  return OK;
}

/** Holds: the pages' locks. Takes: driver_lock. Returns: how many pages were entered. */
function mapExclusive(
  corrected: CorrectedDmirror,
  exclusive: OwnExclusive,
  frames: readonly (Pfn | 'none')[],
): Task<number> {
  return withDriverLock(corrected.dmirror, 'dmirror_atomic_map.lock', () =>
    enterExclusive(corrected, exclusive, frames),
  );
}

function* enterExclusive(
  { dmirror, operations }: CorrectedDmirror,
  exclusive: OwnExclusive,
  frames: readonly (Pfn | 'none')[],
): Task<number> {
  const lost = operations.lostOf(exclusive);
  let mapped = 0;
  for (const [at, frame] of frames.entries()) {
    const page = pageIndex(exclusive.range.first + at);
    if (frame === 'none' || lost.has(page)) continue;
    yield willWrite('dmirror_atomic_map.map', entryObject(dmirror.pageTable, page));
    setEntry(dmirror.pageTable, page, { state: 'mapped', pfn: frame, access: 'exclusive' });
    mapped += 1;
  }
  return mapped;
}
