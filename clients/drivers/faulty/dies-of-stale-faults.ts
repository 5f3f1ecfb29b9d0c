import { touch } from '../../../server/task/context.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { willWrite } from '../../../server/task/task.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 46: a fault waited in the queue while its access was served by another, and the memory has gone since. */
export const diesOfStaleFaults: DriverVariant = {
  id: 'dies-of-stale-faults',
  provenance:
    'from the source: drivers/gpu/drm/amd/amdkfd/kfd_svm.c drops faults that are older than the ' +
    'unmapping, and answers ' +
    'those without a mapping with success',
  summary:
    'ends its context when a fault names memory that is not mapped, however old the fault is',
  newDevice: (options) => {
    const { context, deviceNumber } = options;
    const device = dmirrorWith(options, {});
    const object = objectId('device', deviceNumber, 1);
    let gpu: 'alive' | 'killed' = 'alive';
    return {
      ...device,
      *perform(verb) {
        touch(context, object, 'read');
        if (gpu === 'killed') return { errno: 'EIO' };
        const result = yield* device.perform(verb);
        if (result.errno !== 'EFAULT' || !verb.verb.startsWith('fault-')) return result;
        yield willWrite('svm_range_restore_pages.kill', object);
        gpu = 'killed';
        return result;
      },
    };
  },
};
