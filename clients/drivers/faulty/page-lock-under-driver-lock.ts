import { mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import { hmmPfnToPfn } from '../../../server/abi/hmm-pfn.ts';
import type { Task } from '../../../server/task/task.ts';
import { willCompare } from '../../../server/task/task.ts';
import { fail, ok } from '../../../server/vocabulary/errno.ts';
import { storeFaulted } from '../dmirror/dmirror-fault.ts';
import {
  type Dmirror,
  type FaultedRange,
  type InstallOutcome,
  withDriverLock,
} from '../dmirror/dmirror-state.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverOptions, DriverVariant } from '../interface/driver-variant.ts';

/**
 * Race 38: a task that unmaps a page holds its lock and waits for this driver, which waits for the lock of the page.
 */
export const pageLockUnderDriverLock: DriverVariant = {
  id: 'page-lock-under-driver-lock',
  provenance:
    'xe until "drm/xe/userptr: fix notifier vs folio deadlock" (bd7c0cb695e8, ' +
    '20250414132539.26654-2-matthew.auld@intel.com)',
  summary: 'marks faulted pages dirty, for which it locks them, while it holds the driver lock',
  newDevice: (options) =>
    dmirrorWith(
      options,
      { installFaulted: (dmirror, faulted) => installAndMark(options, dmirror, faulted) },
      'nothing',
    ),
};

function installAndMark(
  options: DriverOptions,
  dmirror: Dmirror,
  faulted: FaultedRange,
): Task<InstallOutcome> {
  return withDriverLock(dmirror, 'dmirror_fault.lock', function* (held) {
    const sub = dmirror.sub;
    if (sub === 'closed') return fail('EINVAL');
    yield willCompare('dmirror_fault.retry', sub.object);
    if (mmuIntervalReadRetry(sub, faulted.begun)) return ok('collided');
    const stored = yield* storeFaulted(held, dmirror, faulted);
    if (!stored.ok) return stored;
    for (const pfn of faulted.pfns) yield* options.setPageDirtyLock(hmmPfnToPfn(pfn));
    return ok('installed');
  });
}
