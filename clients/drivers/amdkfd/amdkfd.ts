import type { Task } from '../../../server/task/task.ts';
import type { Result } from '../../../server/vocabulary/errno.ts';
import { addMemory, freeFrame } from '../hardware/copy-engine.ts';
import { freeFrames } from '../hardware/device-memory.ts';
import { allMapped } from '../hardware/device-page-table.ts';
import { gpuPeerMemory, zap } from '../hardware/gpu.ts';
import { type GpuActions, performGpuVerb } from '../hardware/gpu-verbs.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';
import { kfdInvalidate } from './kfd-invalidate.ts';
import { kfdEvict, kfdMigrateToRam, kfdMigrateToVram } from './kfd-migrate.ts';
import { type KfdFunctions, kfdRestorePages, kfdRestoreWork, revalidate } from './kfd-restore.ts';
import { type FaultMode, KfdSvms, shrinkCovered, withRangeLock } from './kfd-svms.ts';

const SOURCE = 'drivers/gpu/drm/amd/amdkfd/kfd_svm.c, kfd_migrate.c, Linux 6.12';

export const KFD_FUNCTIONS: KfdFunctions = { shrink: shrinkCovered, revalidate };

export const amdkfd: DriverVariant = {
  id: 'amdkfd',
  provenance: SOURCE,
  summary: 'a subscription for each range; migrates, and maps by a fault of its own afterwards',
  newDevice: (options) => amdkfdWith(options, 'retry', KFD_FUNCTIONS),
};

/** For GPUs that cannot wait for a page. */
export const amdkfdNoRetry: DriverVariant = {
  id: 'amdkfd-no-retry',
  provenance: SOURCE,
  summary: 'stops its queues at an invalidation, counts, and starts them once no counter has moved',
  newDevice: (options) => amdkfdWith(options, 'no-retry', KFD_FUNCTIONS),
};

/** amdkfd with some of its functions replaced. */
export function amdkfdWith(options: DriverOptions, mode: FaultMode, fn: KfdFunctions): LabDevice {
  const svms = new KfdSvms(options, mode);
  const { gpu } = svms;
  const actions: GpuActions = {
    running: (body) => onQueue(svms, fn, body),
    fault: (page, access) => kfdRestorePages(svms, fn, page, access),
    migrate: (range) => kfdMigrateToVram(svms, fn, range),
    evict: (range) => kfdEvict(svms, range),
  };
  return {
    callbacks: {
      invalidate: (sub, range, seq) => kfdInvalidate(svms, sub, range, seq),
      migrateToRam: (fault) => kfdMigrateToRam(svms, fault),
      pageFree: (pfn) => freeFrame(gpu, pfn),
      release: () => releaseProcess(svms),
      peerMemory: gpuPeerMemory(gpu),
    },
    open: () => addMemory(gpu),
    perform: (verb) => performGpuVerb(gpu, actions, verb),
    freeFrames: () => freeFrames(gpu.memory),
  };
}

/** Runs `body` on a queue that is not stopped. What stands in its way is done first. */
function* onQueue<T>(
  svms: KfdSvms,
  fn: KfdFunctions,
  body: () => Task<Result<T>>,
): Task<Result<T>> {
  for (;;) {
    const ran = yield* withRangeLock(svms, 'engine.run', function* () {
      return svms.queueEvictions > 0 ? ('stopped' as const) : yield* body();
    });
    if (ran !== 'stopped') return ran;
    const restored = yield* kfdRestoreWork(svms, fn);
    if (!restored.ok) return restored;
  }
}

function releaseProcess(svms: KfdSvms): Task<void> {
  return withRangeLock(svms, 'kfd_process_notifier_release.lock', function* () {
    svms.table.clear();
    yield* zap(svms.gpu, 'kfd_process_notifier_release.zap', allMapped(svms.gpu.pageTable));
  });
}
