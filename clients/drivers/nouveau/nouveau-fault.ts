/**
 * A fault of the GPU: a subscription for its window, a look at the CPU's page table, and the GPU's entry under
 * svmm->mutex.
 *
 * Models: nouveau_range_fault(), nouveau_atomic_range_fault() of drivers/gpu/drm/nouveau/nouveau_svm.c (6.12).
 * Leaves out: the fault buffer and its order, the time budget (collisions are counted), windows of more than a page.
 */
import { type IntervalSub, mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import type { HmmPfn } from '../../../server/abi/hmm-pfn.ts';
import { type Task, willCompare, willWrite } from '../../../server/task/task.ts';
import {
  nextPage,
  type PageIndex,
  type PageRange,
  type Pfn,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { entryObject, setEntry } from '../hardware/device-page-table.ts';
import {
  type Access,
  type Attempt,
  enterFaulted,
  rangeFault,
  underMmapLock,
  withinBudget,
} from '../hardware/gpu.ts';
import { type NouveauSvmm, withSvmmMutex } from './nouveau-svmm.ts';

/**
 * Takes:   mmap_lock for read, then svmm->mutex, one after the other.
 * Returns: EFAULT or EPERM as the walk; EFAULT where only reading is allowed; EBUSY when the budget is used up.
 */
export function nouveauRangeFault(
  svmm: NouveauSvmm,
  page: PageIndex,
  access: Access,
): Task<Result<void>> {
  return subscribed(svmm, page, (sub) =>
    withinBudget(svmm.gpu, sub.object, () => faultOnce(svmm, sub, page, access)),
  );
}

/** Atomic access: the page is this GPU's alone until somebody touches it. Returns: EBUSY if it cannot be had. */
export function* nouveauAtomicRangeFault(svmm: NouveauSvmm, range: PageRange): Task<Result<void>> {
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const at = page;
    const made = yield* subscribed(svmm, at, (sub) =>
      withinBudget(svmm.gpu, sub.object, () => atomicOnce(svmm, sub, at)),
    );
    if (!made.ok) return made;
  }
  return OK;
}

/** The subscription lives as long as the fault. To remove it waits for invalidations that have seen it. */
function* subscribed(
  { gpu }: NouveauSvmm,
  page: PageIndex,
  body: (sub: IntervalSub) => Task<Result<void>>,
): Task<Result<void>> {
  const inserted = yield* gpu.api.mmuIntervalNotifierInsert(pagesFrom(page, 1));
  if (!inserted.ok) return inserted;
  const done = yield* body(inserted.value);
  yield* gpu.api.mmuIntervalNotifierRemove(inserted.value);
  return done;
}

function* faultOnce(
  svmm: NouveauSvmm,
  sub: IntervalSub,
  page: PageIndex,
  access: Access,
): Task<Attempt> {
  const notifierSeq = yield* svmm.gpu.api.mmuIntervalReadBegin(sub);
  const walked = yield* rangeFault(svmm.gpu, {
    sub,
    notifierSeq,
    range: pagesFrom(page, 1),
    defaultFlags: access === 'write' ? 'fault-write' : 'fault',
  });
  if (!walked.ok) return walked;
  if (walked.value === 'collided') return ok('collided');
  const [pfn] = walked.value as readonly [HmmPfn];
  return yield* withSvmmMutex(svmm, 'nouveau_range_fault.lock', function* () {
    yield willCompare('nouveau_range_fault.retry', sub.object);
    if (mmuIntervalReadRetry(sub, notifierSeq)) return ok('collided');
    return yield* enterFaulted(svmm.gpu, 'nouveau_range_fault.map', page, pfn, access);
  });
}

function* atomicOnce(svmm: NouveauSvmm, sub: IntervalSub, page: PageIndex): Task<Attempt> {
  const { gpu } = svmm;
  const begun = yield* gpu.api.mmuIntervalReadBegin(sub);
  const made: Result<readonly (Pfn | 'none')[]> = yield* underMmapLock(gpu, () =>
    gpu.api.makeDeviceExclusiveRange(pagesFrom(page, 1)),
  );
  if (!made.ok) return made;
  const [frame] = made.value;
  if (frame === undefined || frame === 'none') return fail('EBUSY');
  // The page's own lock keeps it exclusive until the GPU has its entry.
  const entered = yield* withSvmmMutex(svmm, 'nouveau_atomic_range_fault.lock', function* () {
    yield willCompare('nouveau_atomic_range_fault.retry', sub.object);
    if (mmuIntervalReadRetry(sub, begun)) return 'collided' as const;
    yield willWrite('nouveau_atomic_range_fault.map', entryObject(gpu.pageTable, page));
    setEntry(gpu.pageTable, page, { state: 'mapped', pfn: frame, access: 'exclusive' });
    return 'entered' as const;
  });
  yield* gpu.api.unlockAndPutPages([frame]);
  return ok(entered);
}
