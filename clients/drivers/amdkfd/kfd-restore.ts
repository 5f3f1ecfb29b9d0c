/**
 * How amdkfd brings pages to the GPU: on a fault that the GPU waits with, or in a worker while its queues stand.
 *
 * Models: svm_range_restore_pages(), svm_range_validate_and_map(), svm_range_restore_work() of
 * drivers/gpu/drm/amd/amdkfd/kfd_svm.c (6.12).
 * Leaves out: stale faults that are told by their time stamps, reservations of buffers, the delay of the worker, which
 * runs in the operation that waits for the queues.
 */
import { mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import {
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../../server/abi/hmm-pfn.ts';
import { type Task, willCompare, willRead, willWrite } from '../../../server/task/task.ts';
import { contains, type PageIndex, pageIndex } from '../../../server/vocabulary/address.ts';
import { fail, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { entryObject, setEntry } from '../hardware/device-page-table.ts';
import { type Access, type Attempt, underMmapLock, withinBudget } from '../hardware/gpu.ts';
import {
  addRange,
  enterPage,
  flushDeferred,
  type KfdRange,
  type KfdSvms,
  type ShrinkRange,
  withLock,
  withRangeLock,
} from './kfd-svms.ts';

/** Where amdkfd went, or could go, wrong. */
export interface KfdFunctions {
  readonly shrink: ShrinkRange;
  /** Validates the ranges that were invalidated. 'collided': some were again, and it has to be done again. */
  readonly revalidate: (svms: KfdSvms) => Task<Attempt>;
}

/**
 * Serves a fault of the GPU, or what sets a range up where faults cannot wait.
 *
 * Takes:   mmap_lock for read, svms->lock, prange->lock.
 * Returns: EFAULT where nothing is mapped; EPERM for a write that it forbids; EBUSY when the budget is used up.
 */
export function kfdRestorePages(
  svms: KfdSvms,
  fn: KfdFunctions,
  page: PageIndex,
  access: Access,
): Task<Result<void>> {
  return withRangeAt(svms, fn, page, access, (prange) =>
    validateAndMap(svms, prange, page, access),
  );
}

/** Runs `body` with the range of `page`, made if need be. Takes: mmap_lock for read, svms->lock. */
export function withRangeAt(
  svms: KfdSvms,
  fn: KfdFunctions,
  page: PageIndex,
  access: Access,
  body: (prange: KfdRange) => Task<Result<void>>,
): Task<Result<void>> {
  return underMmapLock(svms.gpu, () =>
    withLock(svms, 'svm_range_restore_pages.list_lock', svms.listLock, function* () {
      const flushed = yield* flushDeferred(svms, fn.shrink);
      if (!flushed.ok) return flushed;
      const vma = yield* svms.gpu.api.findVma(page);
      if (!(vma.ok && contains(vma.value.range, page)) || vma.value.prot === 'none') {
        return fail('EFAULT');
      }
      if (access === 'write' && vma.value.prot !== 'rw') return fail('EPERM');
      const known = svms.rangeAt(page);
      if (known !== 'none') return yield* body(known);
      const added = yield* addRange(svms, page, vma.value.range);
      return added.ok ? yield* body(added.value) : added;
    }),
  );
}

/** Holds: mmap_lock, svms->lock. Takes: prange->lock. Returns: EFAULT if `page` does not allow `access`. */
export function validateAndMap(
  svms: KfdSvms,
  prange: KfdRange,
  page: PageIndex | 'all',
  access: Access,
): Task<Result<void>> {
  return withinBudget(svms.gpu, prange.sub.object, () =>
    validateOnce(svms, prange, page, access, mmuIntervalReadRetry),
  );
}

/** `collided` is mmu_interval_read_retry(). Holds, takes: as validateAndMap(). */
export function* validateOnce(
  svms: KfdSvms,
  prange: KfdRange,
  page: PageIndex | 'all',
  access: Access,
  collided: typeof mmuIntervalReadRetry,
): Task<Attempt> {
  const { api, pageTable } = svms.gpu;
  const { sub, range } = prange;
  const notifierSeq = yield* api.mmuIntervalReadBegin(sub);
  const vma = yield* api.findVma(range.first);
  const writable = vma.ok && vma.value.prot === 'rw';
  const walked: Result<readonly HmmPfn[]> = yield* api.hmmRangeFault({
    sub,
    notifierSeq,
    range,
    defaultFlags: writable ? 'fault-write' : 'fault',
  });
  if (!walked.ok) return walked.errno === 'EBUSY' ? ok('collided') : walked;
  const pfns = walked.value;
  return yield* withRangeLock(svms, 'svm_range_validate_and_map.lock', function* () {
    yield willCompare('svm_range_validate_and_map.retry', sub.object);
    if (collided(sub, notifierSeq)) return ok('collided');
    for (const [at, pfn] of pfns.entries()) {
      const where = pageIndex(range.first + at);
      const allowed = hmmPfnHas(pfn, HMM_PFN_WRITE) ? 'write' : 'read';
      const enough = page !== where || access === 'read' || allowed === 'write';
      if (!(hmmPfnHas(pfn, HMM_PFN_VALID) && enough)) return fail('EFAULT');
      yield willWrite('svm_range_map_to_gpus.map', entryObject(pageTable, where));
      enterPage(svms, where, { state: 'mapped', pfn: hmmPfnToPfn(pfn), access: allowed });
    }
    return ok('entered');
  });
}

/**
 * Validates what was invalidated, and starts the queues if nothing else was meanwhile: each counter still says what it
 * said before.
 *
 * Takes:   process_info->lock, mmap_lock for read, svms->lock, prange->lock.
 * Returns: as kfdRestorePages().
 */
export function kfdRestoreWork(svms: KfdSvms, fn: KfdFunctions): Task<Result<void>> {
  return withLock(svms, 'svm_range_restore_work.lock', svms.processLock, () =>
    withinBudget(svms.gpu, svms.evictedObject, () => restoreOnce(svms, fn)),
  );
}

function* restoreOnce(svms: KfdSvms, fn: KfdFunctions): Task<Attempt> {
  yield willRead('svm_range_restore_work.evicted', svms.evictedObject);
  if (svms.evictedRanges === 0) return ok('entered');
  const done = yield* underMmapLock(svms.gpu, () =>
    withLock(svms, 'svm_range_restore_work.list_lock', svms.listLock, function* () {
      const flushed = yield* flushDeferred(svms, fn.shrink);
      return flushed.ok ? yield* fn.revalidate(svms) : flushed;
    }),
  );
  if (!done.ok || done.value === 'collided') return done;
  yield* resumeQueues(svms);
  return ok('entered');
}

/** Holds: mmap_lock, svms->lock. Takes: prange->lock. */
export function* revalidate(svms: KfdSvms): Task<Attempt> {
  yield willRead('svm_range_restore_work.evicted_ranges', svms.evictedObject);
  const evicted = svms.evictedRanges;
  for (const prange of [...svms.ranges]) {
    yield willRead('svm_range_restore_work.invalid', prange.object);
    const { invalid } = prange;
    if (invalid === 0) continue;
    const valid = yield* validateAndMap(svms, prange, 'all', 'read');
    if (!valid.ok) return valid;
    yield willWrite('svm_range_restore_work.valid', prange.object);
    if (prange.invalid !== invalid) return ok('collided');
    prange.invalid = 0;
  }
  yield willWrite('svm_range_restore_work.restored', svms.evictedObject);
  if (svms.evictedRanges !== evicted) return ok('collided');
  svms.evictedRanges = 0;
  return ok('entered');
}

/** kgd2kfd_resume_mm(): as often as they were stopped. Takes: prange->lock. */
function resumeQueues(svms: KfdSvms): Task<void> {
  return withRangeLock(svms, 'kgd2kfd_resume_mm.lock', function* () {
    yield willWrite('kgd2kfd_resume_mm.start', svms.queuesObject);
    svms.queueEvictions -= 1;
    if (svms.queueEvictions > 0) return;
    for (const [page, entry] of svms.table) {
      yield willWrite('kgd2kfd_resume_mm.reach', entryObject(svms.gpu.pageTable, page));
      setEntry(svms.gpu.pageTable, page, entry);
    }
  });
}
