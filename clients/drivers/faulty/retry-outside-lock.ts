import { mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import { type Task, willCompare } from '../../../server/task/task.ts';
import { fail, ok } from '../../../server/vocabulary/errno.ts';
import { storeFaulted } from '../dmirror/dmirror-fault.ts';
import {
  type Dmirror,
  type FaultedRange,
  type InstallOutcome,
  withDriverLock,
} from '../dmirror/dmirror-state.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 3, second form: the answer is true when it is given, and nothing keeps it true. */
export const retryOutsideLock: DriverVariant = {
  id: 'retry-outside-lock',
  provenance: 'constructed after rule 1 of the driver contract (include/linux/mmu_notifier.h)',
  summary: 'asks for collisions before it takes the driver lock',
  newDevice: (options) =>
    dmirrorWith(options, { installFaulted: installAfterEarlyCheck }, 'nothing'),
};

function* installAfterEarlyCheck(dmirror: Dmirror, faulted: FaultedRange): Task<InstallOutcome> {
  const sub = dmirror.sub;
  if (sub === 'closed') return fail('EINVAL');
  yield willCompare('dmirror_fault.retry', sub.object);
  if (mmuIntervalReadRetry(sub, faulted.begun)) return ok('collided');
  return yield* withDriverLock(dmirror, 'dmirror_fault.lock', function* (held) {
    const stored = yield* storeFaulted(held, dmirror, faulted);
    return stored.ok ? ok('installed') : stored;
  });
}
