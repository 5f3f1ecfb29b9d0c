import type { Task } from '../../../server/task/task.ts';
import { ok } from '../../../server/vocabulary/errno.ts';
import { storeFaulted } from '../dmirror/dmirror-fault.ts';
import {
  type Dmirror,
  type FaultedRange,
  type InstallOutcome,
  withDriverLock,
} from '../dmirror/dmirror-state.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 3, first form: mmu_interval_read_retry() might as well not be called. */
export const skipRetry: DriverVariant = {
  id: 'skip-retry',
  provenance:
    'amdgpu until f95f51a4c335 "drm/amdgpu: Add notifier lock for KFD userptrs" ' +
    '(20221103020028.832664-1-Felix.Kuehling@amd.com)',
  summary: 'enters what was faulted without asking whether it was invalidated since',
  newDevice: (options) => dmirrorWith(options, { installFaulted: installAtOnce }, 'nothing'),
};

function installAtOnce(dmirror: Dmirror, faulted: FaultedRange): Task<InstallOutcome> {
  return withDriverLock(dmirror, 'dmirror_fault.lock', function* (held) {
    const stored = yield* storeFaulted(held, dmirror, faulted);
    return stored.ok ? ok('installed') : stored;
  });
}
