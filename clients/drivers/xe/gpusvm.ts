/**
 * The library that xe's shared virtual memory stands on: notifiers for wide parts of the address space, and in them
 * ranges, each with the pages that the GPU may reach by DMA.
 *
 * Models: struct drm_gpusvm, drm_gpusvm_range_find_or_insert(), drm_gpusvm_notifier_invalidate(),
 * drm_gpusvm_range_unmap_pages() of drivers/gpu/drm/drm_gpusvm.c, xe_svm_invalidate() of drivers/gpu/drm/xe/xe_svm.c
 * (6.16).
 * What the GPU may reach is its DMA mapping, and that is what this device tells the world; the GPU's own page table
 * stands before it. Faults read-lock the notifier lock, the callback write-locks it.
 * Leaves out: notifiers that go away, several tiles, TLB fences, the two-pass callbacks of later kernels.
 */
import {
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { touch } from '../../../server/task/context.ts';
import { type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import {
  newRwSem,
  type RwSem,
  readLock,
  readUnlock,
  writeLock,
  writeUnlock,
} from '../../../server/task/rwsem.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import {
  contains,
  overlaps,
  type PageIndex,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import { ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { mappedIn } from '../hardware/device-page-table.ts';
import { type Access, type Gpu, newGpu, zap } from '../hardware/gpu.ts';
import type { DriverOptions } from '../interface/driver-variant.ts';

/** Pages of a notifier: 512 MiB. */
const NOTIFIER_PAGES = 2 ** 17;
/** Pages of the largest range; the driver's is 2 MiB. */
const CHUNK_PAGES = 16;

const RANGES = 0;
const FIRST_RANGE = 16;

export interface GpusvmRange {
  readonly notifier: IntervalSub;
  readonly range: PageRange;
  /** What its flags are called when tasks conflict on them. */
  readonly object: ObjectId;
  /** The DMA mapping is there, and nothing has been invalidated since. */
  pagesValid: boolean;
  /** The process has unmapped a part of it: the garbage collector takes it away. */
  unmapped: boolean;
}

/** What of the callback is done to the pages of a range. */
export type UnmapPages = (svm: Gpusvm, prange: GpusvmRange) => Task<void>;

export class Gpusvm {
  readonly gpu: Gpu;
  /** vm->lock: one fault at a time. Callbacks never take it. */
  readonly vmLock: Lock;
  /** gpusvm->notifier_lock. Guards flags, DMA mappings and the GPU's entries. */
  readonly notifierLock: RwSem;
  readonly unmapPages: UnmapPages;
  /** By the number of its block. */
  readonly notifiers = new Map<number, IntervalSub>();
  /** The GPU's own page table: which pages it translates, and for what. */
  readonly bound = new Map<PageIndex, Access>();
  readonly #deviceNumber: number;
  readonly #ranges: GpusvmRange[] = [];
  readonly #rangesObject: ObjectId;
  #made = 0;

  constructor(options: DriverOptions, unmapPages: UnmapPages) {
    const { deviceNumber } = options;
    this.gpu = { ...newGpu(options), translates: (page, access) => this.#translates(page, access) };
    this.unmapPages = unmapPages;
    this.#deviceNumber = deviceNumber;
    this.#rangesObject = objectId('device', deviceNumber, RANGES);
    this.notifierLock = newRwSem('driver_lock', objectId('driver_lock', deviceNumber, 0));
    this.vmLock = newLock('driver_outer_lock', objectId('driver_lock', deviceNumber, 2));
  }

  get ranges(): readonly GpusvmRange[] {
    touch(this.gpu.context, this.#rangesObject, 'read');
    return this.#ranges;
  }

  /** Holds: vm->lock and the notifier lock. */
  add(notifier: IntervalSub, range: PageRange): GpusvmRange {
    touch(this.gpu.context, this.#rangesObject, 'write');
    const object = objectId('device', this.#deviceNumber, FIRST_RANGE + this.#made);
    this.#made += 1;
    const made: GpusvmRange = { notifier, range, object, pagesValid: false, unmapped: false };
    this.#ranges.push(made);
    return made;
  }

  /** Holds: vm->lock and the notifier lock. */
  remove(gone: GpusvmRange): void {
    touch(this.gpu.context, this.#rangesObject, 'write');
    this.#ranges.splice(this.#ranges.indexOf(gone), 1);
  }

  #translates(page: PageIndex, access: Access): boolean {
    const allowed = this.bound.get(page);
    return allowed === 'write' || (allowed !== undefined && access === 'read');
  }
}

/** Runs `body` under vm->lock. */
export function* underVmLock<T>(svm: Gpusvm, at: string, body: () => Task<T>): Task<T> {
  const held = yield* lock(svm.gpu.context, at, svm.vmLock);
  const result = yield* body();
  unlock(svm.gpu.context, held);
  return result;
}

/** Runs `body` with the notifier lock held for reading. */
export function* underNotifierLock<T>(svm: Gpusvm, at: string, body: () => Task<T>): Task<T> {
  const held = yield* readLock(svm.gpu.context, at, svm.notifierLock);
  const result = yield* body();
  readUnlock(svm.gpu.context, held);
  return result;
}

/** The range of `page`, made within the mapping `within` if need be. Holds: vm->lock. */
export function* findOrInsert(
  svm: Gpusvm,
  page: PageIndex,
  within: PageRange,
): Task<Result<GpusvmRange>> {
  const known = svm.ranges.find(({ range }) => contains(range, page));
  if (known !== undefined) return ok(known);
  const notifier = yield* notifierOf(svm, page);
  if (!notifier.ok) return notifier;
  const first = page - (page % CHUNK_PAGES);
  const range = pageRange(
    pageIndex(Math.max(first, within.first)),
    pageIndex(Math.min(first + CHUNK_PAGES, within.end)),
  );
  const added = yield* underNotifierLock(svm, 'drm_gpusvm_range_insert.lock', function* () {
    return svm.add(notifier.value, range);
  });
  return ok(added);
}

function* notifierOf(svm: Gpusvm, page: PageIndex): Task<Result<IntervalSub>> {
  const block = Math.floor(page / NOTIFIER_PAGES);
  const known = svm.notifiers.get(block);
  if (known !== undefined) return ok(known);
  const first = block * NOTIFIER_PAGES;
  const inserted = yield* svm.gpu.api.mmuIntervalNotifierInsert(
    pageRange(pageIndex(first), pageIndex(first + NOTIFIER_PAGES)),
  );
  if (inserted.ok) svm.notifiers.set(block, inserted.value);
  return inserted;
}

/**
 * The callback.
 *
 * Takes:   the notifier lock, for writing.
 * Returns: 'again' for a range that may not block: the lock may be a while in coming.
 */
export function* gpusvmInvalidate(
  svm: Gpusvm,
  sub: IntervalSub,
  { event, range, blocking }: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  if (blocking !== 'blockable') return 'again';
  const at = 'drm_gpusvm_notifier_invalidate.lock';
  const held = yield* writeLock(svm.gpu.context, at, svm.notifierLock);
  yield willWrite('drm_gpusvm_notifier_invalidate.seq', sub.object);
  mmuIntervalSetSeq(sub, seq);
  for (const prange of svm.ranges) {
    if (!overlaps(prange.range, range)) continue;
    yield willWrite('xe_svm_invalidate.flags', prange.object);
    if (event === 'unmap') prange.unmapped = true;
    prange.pagesValid = false;
    for (const page of svm.bound.keys()) if (contains(prange.range, page)) svm.bound.delete(page);
    yield* svm.unmapPages(svm, prange);
  }
  writeUnlock(svm.gpu.context, held);
  return 'done';
}

/** drm_gpusvm_range_unmap_pages(): the DMA mapping of the whole range goes. Holds: the notifier lock. */
export function unmapPages({ gpu }: Gpusvm, { range }: GpusvmRange): Task<void> {
  return zap(gpu, 'drm_gpusvm_range_unmap_pages.unmap', mappedIn(gpu.pageTable, range));
}
