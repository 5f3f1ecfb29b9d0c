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

/** Race 3, third form: check and map are both under the lock, but it was let go in between. */
export const dropLockBeforeMap: DriverVariant = {
  id: 'drop-lock-before-map',
  provenance: 'constructed after rule 1 of the driver contract (include/linux/mmu_notifier.h)',
  summary: 'lets go of the driver lock between asking for collisions and entering',
  newDevice: (options) => dmirrorWith(options, { installFaulted: installInTwoSteps }, 'nothing'),
};

function* installInTwoSteps(dmirror: Dmirror, faulted: FaultedRange): Task<InstallOutcome> {
  const sub = dmirror.sub;
  if (sub === 'closed') return fail('EINVAL');
  const collided = yield* withDriverLock(dmirror, 'dmirror_fault.lock', function* () {
    yield willCompare('dmirror_fault.retry', sub.object);
    return mmuIntervalReadRetry(sub, faulted.begun);
  });
  if (collided) return ok('collided');
  return yield* withDriverLock(dmirror, 'dmirror_fault.relock', function* (held) {
    const stored = yield* storeFaulted(held, dmirror, faulted);
    return stored.ok ? ok('installed') : stored;
  });
}
