import { lock, newLock, unlock } from '../../../server/task/lock.ts';
import { objectId } from '../../../server/task/object-id.ts';
import type { Task, YieldPoint } from '../../../server/task/task.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 39: a fault on the device's behalf meets a page of the device itself, and calls its driver back. */
export const lockHeldOverFault: DriverVariant = {
  id: 'lock-held-over-fault',
  provenance:
    'amdkfd until "drm/amdkfd: avoid recursive lock in migrations back to RAM" (2021-11-01, ' +
    '20211102024040.11666-1-alex.sierra@amd.com)',
  summary: 'holds a lock while it faults pages in that its migrate_to_ram() takes as well',
  newDevice: (options) => {
    const { context, deviceNumber } = options;
    const device = dmirrorWith(options, {}, 'nothing');
    const migrate = newLock('driver_lock', objectId('driver_lock', deviceNumber, 1));
    function* locked<T>(at: YieldPoint, task: Task<T>): Task<T> {
      const held = yield* lock(context, at, migrate);
      const result = yield* task;
      unlock(context, held);
      return result;
    }
    return {
      ...device,
      callbacks: {
        ...device.callbacks,
        migrateToRam: (fault) =>
          locked('svm_migrate_to_ram.migrate_mutex', device.callbacks.migrateToRam(fault)),
      },
      perform(verb) {
        const task = device.perform(verb);
        if (!verb.verb.startsWith('fault-')) return task;
        return locked('svm_range_validate_and_map.migrate_mutex', task);
      },
    };
  },
};
