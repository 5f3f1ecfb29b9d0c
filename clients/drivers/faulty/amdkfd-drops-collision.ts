import { type Task, willWrite } from '../../../server/task/task.ts';
import { ok } from '../../../server/vocabulary/errno.ts';
import { amdkfdWith, KFD_FUNCTIONS } from '../amdkfd/amdkfd.ts';
import { validateOnce } from '../amdkfd/kfd-restore.ts';
import type { KfdSvms } from '../amdkfd/kfd-svms.ts';
import type { Attempt } from '../hardware/gpu.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 3 in the worker: neither the answer nor a counter says any more that the pages were taken away meanwhile. */
export const amdkfdDropsCollision: DriverVariant = {
  id: 'amdkfd-drops-collision',
  provenance:
    'after amdgpu until f95f51a4c335 "drm/amdgpu: Add notifier lock for KFD userptrs" ' +
    '(20221103020028.832664-1-Felix.Kuehling@amd.com), whose worker dropped the answer; ' +
    'here its counters say nothing either',
  summary:
    'its restore worker drops the answer of the retry check, and takes ranges for valid behind it',
  newDevice: (options) =>
    amdkfdWith(options, 'no-retry', { ...KFD_FUNCTIONS, revalidate: revalidateOnce }),
};

/** Holds: mmap_lock, svms->lock. */
function* revalidateOnce(svms: KfdSvms): Task<Attempt> {
  for (const prange of [...svms.ranges]) {
    if (prange.invalid === 0) continue;
    const valid = yield* validateOnce(svms, prange, 'all', 'read', () => false);
    if (!valid.ok) return valid;
    if (valid.value === 'collided') return valid;
    yield willWrite('svm_range_restore_work.valid', prange.object);
    prange.invalid = 0;
  }
  yield willWrite('svm_range_restore_work.restored', svms.evictedObject);
  svms.evictedRanges = 0;
  return ok('entered');
}
