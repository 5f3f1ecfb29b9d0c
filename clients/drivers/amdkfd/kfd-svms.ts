/**
 * What amdkfd keeps of one process: its ranges, each with a subscription that lives as long as the range, and whether
 * its queues run.
 *
 * Models: struct svm_range_list, struct svm_range, svm_range_add_to_svms(), svm_range_deferred_list_work() of
 * drivers/gpu/drm/amd/amdkfd/kfd_svm.c (6.12).
 * svms->lock serialises what faults, restores and migrates; prange->lock is one lock for all ranges here. mmap_lock is
 * held for reading where the driver holds it for writing: devices have no other call. What the driver leaves to a
 * worker is done by the next operation that needs it.
 * Leaves out: several GPUs, attributes of ranges, the granularity of migrations, checkpointing.
 */
import type { IntervalSub } from '../../../server/abi/device-api.ts';
import { type TaskContext, touch } from '../../../server/task/context.ts';
import { type Held, type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import type { Task } from '../../../server/task/task.ts';
import {
  contains,
  type PageIndex,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import { OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { type MappedEntry, setEntry } from '../hardware/device-page-table.ts';
import { type Gpu, newGpu } from '../hardware/gpu.ts';
import type { DriverOptions } from '../interface/driver-variant.ts';

/** Pages of a range that a fault makes; the driver's default is 2 MiB. */
const GRANULE_PAGES = 16;

/** Objects of the device by index; those of ranges come behind them. */
const QUEUES = 0;
const RANGES = 1;
const EVICTED = 2;
const FIRST_RANGE = 16;

/** 'retry': the GPU waits for a page that is missing (XNACK). 'no-retry': its queues stop while a page may be. */
export type FaultMode = 'retry' | 'no-retry';

export interface KfdRange {
  readonly sub: IntervalSub;
  readonly range: PageRange;
  /** What `invalid` is called when tasks conflict on it. */
  readonly object: ObjectId;
  /** Counts invalidations since it was validated. */
  invalid: number;
  /** Parts that the process has unmapped: the range has to shrink. */
  readonly unmapped: PageRange[];
}

/** Each look at what no lock guards is noted. */
export class KfdSvms {
  readonly gpu: Gpu;
  readonly mode: FaultMode;
  /** svms->lock. */
  readonly listLock: Lock;
  /** prange->lock of all ranges: what the callback takes. Guards the tables, and `ranges` against callbacks. */
  readonly lock: Lock<'driver_lock'>;
  /** process_info->lock: one restore at a time. */
  readonly processLock: Lock;
  /** What is entered in the GPU. While the queues stand nothing reaches it, and nothing of it is told. */
  readonly table = new Map<PageIndex, MappedEntry>();
  readonly queuesObject: ObjectId;
  readonly rangesObject: ObjectId;
  readonly evictedObject: ObjectId;
  readonly #context: TaskContext;
  readonly #deviceNumber: number;
  readonly #ranges: KfdRange[] = [];
  #made = 0;
  #queueEvictions = 0;
  #evictedRanges = 0;

  constructor(options: DriverOptions, mode: FaultMode) {
    const { context, deviceNumber } = options;
    this.gpu = newGpu(options);
    this.mode = mode;
    this.#context = context;
    this.#deviceNumber = deviceNumber;
    this.listLock = newLock('mmap_lock/svms_lock', objectId('driver_lock', deviceNumber, 1));
    this.lock = newLock('driver_lock', objectId('driver_lock', deviceNumber, 0));
    this.processLock = newLock('driver_outer_lock', objectId('driver_lock', deviceNumber, 2));
    this.queuesObject = objectId('device', deviceNumber, QUEUES);
    this.rangesObject = objectId('device', deviceNumber, RANGES);
    this.evictedObject = objectId('device', deviceNumber, EVICTED);
  }

  /** How often the queues were stopped and not started again. They run at 0. */
  get queueEvictions(): number {
    touch(this.#context, this.queuesObject, 'read');
    return this.#queueEvictions;
  }

  set queueEvictions(now: number) {
    touch(this.#context, this.queuesObject, 'write');
    this.#queueEvictions = now;
  }

  /** Ranges that were invalidated since the last restore. */
  get evictedRanges(): number {
    touch(this.#context, this.evictedObject, 'read');
    return this.#evictedRanges;
  }

  set evictedRanges(now: number) {
    touch(this.#context, this.evictedObject, 'write');
    this.#evictedRanges = now;
  }

  get ranges(): readonly KfdRange[] {
    touch(this.#context, this.rangesObject, 'read');
    return this.#ranges;
  }

  rangeOf(sub: IntervalSub): KfdRange | 'none' {
    return this.ranges.find((each) => each.sub.id === sub.id) ?? 'none';
  }

  rangeAt(page: PageIndex): KfdRange | 'none' {
    return this.ranges.find(({ range }) => contains(range, page)) ?? 'none';
  }

  /** Holds: prange->lock. */
  add(sub: IntervalSub, invalid: number): KfdRange {
    touch(this.#context, this.rangesObject, 'write');
    const object = objectId('device', this.#deviceNumber, FIRST_RANGE + this.#made);
    this.#made += 1;
    const made: KfdRange = { sub, range: sub.range, object, invalid, unmapped: [] };
    this.#ranges.push(made);
    return made;
  }

  /** Holds: prange->lock. */
  remove(gone: KfdRange): void {
    touch(this.#context, this.rangesObject, 'write');
    this.#ranges.splice(this.#ranges.indexOf(gone), 1);
  }
}

/** Runs `body` under prange->lock. */
export function withRangeLock<T>(
  svms: KfdSvms,
  at: string,
  body: (held: Held<'driver_lock'>) => Task<T>,
): Task<T> {
  return withLock(svms, at, svms.lock, body);
}

/** Runs `body` under `wanted`. */
export function* withLock<T, Class extends Lock['class']>(
  { gpu }: KfdSvms,
  at: string,
  wanted: Lock<Class>,
  body: (held: Held<Class>) => Task<T>,
): Task<T> {
  const held = yield* lock(gpu.context, at, wanted);
  const result = yield* body(held);
  unlock(gpu.context, held);
  return result;
}

/** Enters a page in the GPU. Holds: prange->lock. */
export function enterPage(svms: KfdSvms, page: PageIndex, entry: MappedEntry): void {
  svms.table.set(page, entry);
  if (svms.queueEvictions === 0) setEntry(svms.gpu.pageTable, page, entry);
}

/** A subscription for the part of `within` around `page`. Holds: svms->lock. */
export function* addRange(
  svms: KfdSvms,
  page: PageIndex,
  within: PageRange,
): Task<Result<KfdRange>> {
  const first = page - (page % GRANULE_PAGES);
  const range = pageRange(
    pageIndex(Math.max(first, within.first)),
    pageIndex(Math.min(first + GRANULE_PAGES, within.end)),
  );
  const inserted = yield* svms.gpu.api.mmuIntervalNotifierInsert(range);
  if (!inserted.ok) return inserted;
  const added = yield* withRangeLock(svms, 'svm_range_add_to_svms.lock', function* () {
    return svms.add(inserted.value, 0);
  });
  return ok(added);
}

/** How a range that has lost a part is replaced by what is left of it. Holds: svms->lock. */
export type ShrinkRange = (svms: KfdSvms, old: KfdRange) => Task<Result<void>>;

/** Ranges of which a part was unmapped shrink, and those of which nothing is left go. Holds: svms->lock. */
export function* flushDeferred(svms: KfdSvms, shrink: ShrinkRange): Task<Result<void>> {
  const dented = yield* withRangeLock(svms, 'svm_range_deferred_list_work.lock', function* () {
    return svms.ranges.filter(({ unmapped }) => unmapped.length > 0);
  });
  for (const old of dented) {
    const done = yield* shrink(svms, old);
    if (!done.ok) return done;
  }
  return OK;
}

/**
 * What is left has subscriptions of its own before the old one goes: until then an invalidation is heard twice.
 *
 * Holds: svms->lock. Takes: prange->lock.
 */
export function* shrinkCovered(svms: KfdSvms, old: KfdRange): Task<Result<void>> {
  const inserted = yield* insertLeft(svms, old);
  if (!inserted.ok) return inserted;
  yield* replaceRange(svms, old, inserted.value);
  yield* svms.gpu.api.mmuIntervalNotifierRemove(old.sub);
  return OK;
}

/** Subscriptions for the parts of `old` that are still mapped. */
export function* insertLeft(svms: KfdSvms, old: KfdRange): Task<Result<readonly IntervalSub[]>> {
  const subs: IntervalSub[] = [];
  for (const left of partsLeft(old)) {
    const inserted = yield* svms.gpu.api.mmuIntervalNotifierInsert(left);
    if (!inserted.ok) return inserted;
    subs.push(inserted.value);
  }
  return ok(subs);
}

/** Takes: prange->lock. */
export function replaceRange(
  svms: KfdSvms,
  old: KfdRange,
  subs: readonly IntervalSub[],
): Task<void> {
  return withRangeLock(svms, 'svm_range_update_notifier.lock', function* () {
    for (const sub of subs) svms.add(sub, old.invalid);
    svms.remove(old);
  });
}

function partsLeft({ range, unmapped }: KfdRange): PageRange[] {
  const parts: PageRange[] = [];
  let first: PageIndex | 'none' = 'none';
  for (let page = range.first; page <= range.end; page = pageIndex(page + 1)) {
    const mapped = page < range.end && !unmapped.some((gone) => contains(gone, page));
    if (mapped && first === 'none') first = page;
    if (mapped || first === 'none') continue;
    parts.push(pageRange(first, page));
    first = 'none';
  }
  return parts;
}
