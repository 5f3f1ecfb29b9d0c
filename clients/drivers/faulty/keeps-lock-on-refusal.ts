import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import { lock, newLock, tryLock, unlock } from '../../../server/task/lock.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { willWrite } from '../../../server/task/task.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 26: who refuses gets no end that would release the lock, and every later callback waits for it. */
export const keepsLockOnRefusal: DriverVariant = {
  id: 'keeps-lock-on-refusal',
  provenance:
    'RDMA ODP until 7608bf40cf24 "RDMA/odp: Fix missed unlock in non-blocking invalidate_start" (2019-06-11, 5.3)',
  summary: 'takes a lock of its own in the callback, and keeps it when it refuses the invalidation',
  newDevice: (options) => {
    const { context, deviceNumber } = options;
    const device = dmirrorWith(options, {}, 'nothing');
    // umem_rwsem; the driver lock is umem_mutex.
    const outer = newLock('driver_lock', objectId('driver_lock', deviceNumber, 1));
    const at = 'ib_umem_notifier_invalidate_range_start.umem_rwsem';
    const invalidate: DeviceDriver['invalidate'] = function* (sub, range, seq) {
      if (range.blocking === 'non-blockable') yield willWrite(at, outer.object);
      const held =
        range.blocking === 'blockable' ? yield* lock(context, at, outer) : tryLock(context, outer);
      if (held === 'busy') return 'again';
      const answer = yield* device.callbacks.invalidate(sub, range, seq);
      if (answer === 'done') unlock(context, held);
      return answer;
    };
    return { ...device, callbacks: { ...device.callbacks, invalidate } };
  },
};
