/**
 * nouveau's shared virtual memory: what one client of the GPU mirrors, and how it is told of changes.
 *
 * Models: struct nouveau_svmm, nouveau_svm_range_invalidate(), nouveau_svmm_invalidate_range_start(),
 * nouveau_svmm_init() of drivers/gpu/drm/nouveau/nouveau_svm.c (6.12).
 * Each fault brings a subscription of its own, whose callback moves the sequence; what clears the GPU's page table is
 * a notifier for the whole mm, which Linux calls behind all interval subscriptions. Here one subscription to everything
 * stands for it. As devices are asked in any order, each of the two callbacks does both in the order that Linux
 * guarantees: the sequence first, then the clearing.
 * Leaves out: the order of the two, the part of the address space that the GPU manages itself, huge pages.
 */
import {
  type DeviceDriver,
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { type Held, type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import {
  PAGES_MAX,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { addMemory, freeFrame } from '../hardware/copy-engine.ts';
import { allMapped, mappedIn } from '../hardware/device-page-table.ts';
import { type Gpu, gpuPeerMemory, newGpu, zap } from '../hardware/gpu.ts';
import type { DriverOptions } from '../interface/driver-variant.ts';

export interface NouveauSvmm {
  readonly gpu: Gpu;
  /** svmm->mutex: guards the GPU's page table, and the sequence of each fault's subscription. */
  readonly mutex: Lock<'driver_lock'>;
  /** Stands for the notifier of the whole mm. Set once, by nouveauSvmmInit(). */
  notifier: IntervalSub | 'none';
}

export function newNouveauSvmm(options: DriverOptions): NouveauSvmm {
  const mutex = newLock('driver_lock', objectId('driver_lock', options.deviceNumber, 0));
  return { gpu: newGpu(options), mutex, notifier: 'none' };
}

/** Takes the GPU's memory into use, and begins to mirror. Returns: ENOMEM if there is no room for the memory. */
export function* nouveauSvmmInit(svmm: NouveauSvmm): Task<Result<void>> {
  const added = yield* addMemory(svmm.gpu);
  if (!added.ok) return added;
  const all = pageRange(pageIndex(0), pageIndex(PAGES_MAX));
  const inserted = yield* svmm.gpu.api.mmuIntervalNotifierInsert(all);
  if (!inserted.ok) return inserted;
  svmm.notifier = inserted.value;
  return OK;
}

/** All that the kernel calls but migrate_to_ram(). */
export function nouveauNotifiers(svmm: NouveauSvmm): Omit<DeviceDriver, 'migrateToRam'> {
  return {
    invalidate: (sub, range, seq) => nouveauInvalidate(svmm, sub, range, seq),
    pageFree: (pfn) => freeFrame(svmm.gpu, pfn),
    release: () =>
      withSvmmMutex(svmm, 'nouveau_svmm_fini.lock', () =>
        zap(svmm.gpu, 'nouveau_svmm_fini.clear', allMapped(svmm.gpu.pageTable)),
      ),
    peerMemory: gpuPeerMemory(svmm.gpu),
  };
}

/** Runs `body` under svmm->mutex. */
export function* withSvmmMutex<T>(
  { gpu, mutex }: NouveauSvmm,
  at: string,
  body: (held: Held<'driver_lock'>) => Task<T>,
): Task<T> {
  const held = yield* lock(gpu.context, at, mutex);
  const result = yield* body(held);
  unlock(gpu.context, held);
  return result;
}

/** nouveau_svmm_invalidate(). Holds: svmm->mutex. */
export function nouveauSvmmInvalidate({ gpu }: NouveauSvmm, range: PageRange): Task<void> {
  return zap(gpu, 'nouveau_svmm_invalidate.clear', mappedIn(gpu.pageTable, range));
}

/**
 * Takes:   svmm->mutex.
 * Returns: 'again' for every range that may not block: the notifier of the mm refuses those.
 */
function* nouveauInvalidate(
  svmm: NouveauSvmm,
  sub: IntervalSub,
  { event, owner, blocking, range }: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  if (blocking !== 'blockable') return 'again';
  const { api, pgmapOwner = api.owner } = svmm.gpu;
  const own = owner === (event === 'migrate' ? pgmapOwner : api.owner);
  const ofFault = svmm.notifier === 'none' || sub.id !== svmm.notifier.id;
  const moves = ofFault ? !(own && event === 'exclusive') : !(own && event === 'migrate');
  const clears = !(own && event === 'migrate');
  if (!(moves || clears)) return 'done';
  yield* withSvmmMutex(svmm, 'nouveau_svm_range_invalidate.lock', function* () {
    if (moves) {
      yield willWrite('nouveau_svm_range_invalidate.seq', sub.object);
      mmuIntervalSetSeq(sub, seq);
    }
    if (clears) yield* nouveauSvmmInvalidate(svmm, range);
  });
  return 'done';
}
