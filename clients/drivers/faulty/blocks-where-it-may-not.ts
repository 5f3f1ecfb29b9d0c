import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Hypothesis H6: the OOM reaper waits for a lock whose holder may wait for memory. */
export const blocksWhereItMayNot: DriverVariant = {
  id: 'blocks-where-it-may-not',
  provenance:
    'from the source: svm_range_cpu_invalidate_pagetables() of amdkfd takes its mutexes without a look at the flag',
  summary: 'waits for the driver lock in every callback, blockable or not',
  newDevice: (options) => {
    const device = dmirrorWith(options, {}, 'nothing');
    const invalidate: DeviceDriver['invalidate'] = (sub, range, seq) =>
      device.callbacks.invalidate(sub, { ...range, blocking: 'blockable' }, seq);
    return { ...device, callbacks: { ...device.callbacks, invalidate } };
  },
};
