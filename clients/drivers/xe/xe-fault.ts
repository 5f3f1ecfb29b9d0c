/**
 * A page fault of the GPU: collect garbage, find the range, get its pages, bind them.
 *
 * Models: xe_svm_handle_pagefault(), xe_svm_garbage_collector(), xe_pt_svm_pre_commit() of drivers/gpu/drm/xe,
 * drm_gpusvm_range_get_pages() of drivers/gpu/drm/drm_gpusvm.c (6.16).
 * Leaves out: time budgets (collisions are counted), prefetches, the policy of when to migrate (a verb asks for it).
 */
import { mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import {
  HMM_PFN_DEVICE_PRIVATE,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../../server/abi/hmm-pfn.ts';
import { type Task, willCompare, willRead, willWrite } from '../../../server/task/task.ts';
import { contains, type PageIndex, pageIndex } from '../../../server/vocabulary/address.ts';
import { fail, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { ownsFrame } from '../hardware/device-memory.ts';
import { entryAt, entryObject, setEntry } from '../hardware/device-page-table.ts';
import {
  type Access,
  type Attempt,
  rangeFault,
  underMmapLock,
  withinBudget,
} from '../hardware/gpu.ts';
import {
  findOrInsert,
  type Gpusvm,
  type GpusvmRange,
  underNotifierLock,
  underVmLock,
  unmapPages,
} from './gpusvm.ts';
import { evictRange, migrateToDevmem } from './xe-migrate.ts';

/** What hmm_range_fault() said of a range, and when. */
export interface GotPages {
  readonly begun: Seq;
  readonly pfns: readonly HmmPfn[];
}

/** Makes the DMA mapping, unless the range was invalidated since. */
export type MapPages = (svm: Gpusvm, prange: GpusvmRange, got: GotPages) => Task<Attempt>;

/** 'vram': the pages are to go to the device's memory first, if all of them will. */
export type Placement = 'as it is' | 'vram';

/**
 * Takes:   vm->lock, mmap_lock for read, the notifier lock.
 * Returns: EFAULT where nothing is mapped, or was just unmapped; EPERM; EBUSY when the budget is used up.
 */
export function xeHandlePagefault(
  svm: Gpusvm,
  mapPages: MapPages,
  page: PageIndex,
  access: Access,
  placement: Placement,
): Task<Result<void>> {
  return underVmLock(svm, 'xe_svm_handle_pagefault.lock', () =>
    faultLocked(svm, mapPages, page, access, placement),
  );
}

function* faultLocked(
  svm: Gpusvm,
  mapPages: MapPages,
  page: PageIndex,
  access: Access,
  placement: Placement,
): Task<Result<void>> {
  yield* collectGarbage(svm);
  const within = yield* underMmapLock(svm.gpu, () => svm.gpu.api.findVma(page));
  if (!(within.ok && contains(within.value.range, page)) || within.value.prot === 'none') {
    return fail('EFAULT');
  }
  const writable = within.value.prot === 'rw';
  if (access === 'write' && !writable) return fail('EPERM');
  const found = yield* findOrInsert(svm, page, within.value.range);
  if (!found.ok) return found;
  const prange = found.value;
  if (placement === 'vram') {
    const moved = yield* migrateToDevmem(svm, prange.range);
    // Busy pages stay where they are, and are bound there.
    if (!moved.ok && moved.errno !== 'EBUSY') return moved;
  }
  return yield* withinBudget(svm.gpu, prange.notifier.object, function* () {
    const got = yield* getPages(svm, mapPages, prange, writable ? 'write' : 'read');
    if (!got.ok || got.value === 'collided') return got;
    return yield* bind(svm, prange, page, access);
  });
}

/** Ranges that have lost a part go as a whole. Holds: vm->lock. */
function collectGarbage(svm: Gpusvm): Task<void> {
  return underNotifierLock(svm, 'xe_svm_garbage_collector.lock', function* () {
    for (const prange of [...svm.ranges]) {
      yield willRead('xe_svm_garbage_collector.look', prange.object);
      if (!prange.unmapped) continue;
      yield* unmapPages(svm, prange);
      svm.remove(prange);
    }
  });
}

/** Holds: vm->lock. Returns: EFAULT for a range that was unmapped. */
function* getPages(
  svm: Gpusvm,
  mapPages: MapPages,
  prange: GpusvmRange,
  access: Access,
): Task<Attempt> {
  const { notifier, range } = prange;
  const begun = yield* svm.gpu.api.mmuIntervalReadBegin(notifier);
  const valid = yield* underNotifierLock(svm, 'drm_gpusvm_range_pages_valid.lock', function* () {
    yield willRead('drm_gpusvm_range_pages_valid.look', prange.object);
    return prange.pagesValid;
  });
  if (valid) return ok('entered');
  const walked = yield* rangeFault(svm.gpu, {
    sub: notifier,
    notifierSeq: begun,
    range,
    defaultFlags: access === 'write' ? 'fault-write' : 'fault',
  });
  if (!walked.ok) return walked;
  if (walked.value === 'collided') return ok('collided');
  if (isMixed(svm, walked.value)) {
    const evicted = yield* evictRange(svm, range);
    return evicted.ok ? ok('collided') : evicted;
  }
  return yield* mapPages(svm, prange, { begun, pfns: walked.value });
}

/** Some in the device's memory, or a peer's, and some not: that range has to come back as a whole. */
function isMixed({ gpu }: Gpusvm, pfns: readonly HmmPfn[]): boolean {
  const whose = (pfn: HmmPfn) => {
    if (!hmmPfnHas(pfn, HMM_PFN_DEVICE_PRIVATE)) return 'system';
    return ownsFrame(gpu.memory, hmmPfnToPfn(pfn)) ? 'own' : 'peer';
  };
  return new Set(pfns.map(whose)).size > 1;
}

/** Takes: the notifier lock, for reading. */
export function mapPages(svm: Gpusvm, prange: GpusvmRange, got: GotPages): Task<Attempt> {
  return underNotifierLock(svm, 'drm_gpusvm_range_get_pages.lock', function* () {
    const refused = yield* checkPages(prange, got.begun);
    if (refused !== 'none') return refused;
    return yield* dmaMap(svm, prange, got.pfns);
  });
}

/** Holds: the notifier lock. Returns: 'none' if nothing has come in between. */
export function* checkPages(prange: GpusvmRange, begun: Seq): Task<Attempt | 'none'> {
  yield willRead('drm_gpusvm_range_get_pages.unmapped', prange.object);
  if (prange.unmapped) return fail('EFAULT');
  yield willCompare('drm_gpusvm_range_get_pages.retry', prange.notifier.object);
  return mmuIntervalReadRetry(prange.notifier, begun) ? ok('collided') : 'none';
}

/** Holds: the notifier lock. Returns: EFAULT for a page that is not there. */
export function* dmaMap(
  { gpu }: Gpusvm,
  prange: GpusvmRange,
  pfns: readonly HmmPfn[],
): Task<Attempt> {
  for (const [at, pfn] of pfns.entries()) {
    if (!hmmPfnHas(pfn, HMM_PFN_VALID)) return fail('EFAULT');
    const page = pageIndex(prange.range.first + at);
    yield willWrite('drm_gpusvm_range_get_pages.dma_map', entryObject(gpu.pageTable, page));
    const access = hmmPfnHas(pfn, HMM_PFN_WRITE) ? 'write' : 'read';
    setEntry(gpu.pageTable, page, { state: 'mapped', pfn: hmmPfnToPfn(pfn), access });
  }
  yield willWrite('drm_gpusvm_range_get_pages.valid', prange.object);
  prange.pagesValid = true;
  return ok('entered');
}

/** The GPU's entries, if the pages are valid still. Takes: the notifier lock, for reading. */
function bind(svm: Gpusvm, prange: GpusvmRange, page: PageIndex, access: Access): Task<Attempt> {
  return underNotifierLock(svm, 'xe_pt_svm_pre_commit.lock', function* () {
    yield willRead('xe_pt_svm_pre_commit.pages_valid', prange.object);
    if (!prange.pagesValid) return ok('collided');
    const { pageTable } = svm.gpu;
    for (let at = prange.range.first; at < prange.range.end; at = pageIndex(at + 1)) {
      yield willRead('xe_pt_svm_pre_commit.bind', entryObject(pageTable, at));
      const entry = entryAt(pageTable, at);
      if (entry.state === 'mapped') svm.bound.set(at, entry.access === 'read' ? 'read' : 'write');
    }
    const enough = access === 'read' || svm.bound.get(page) === 'write';
    return enough ? ok('entered') : fail('EFAULT');
  });
}
