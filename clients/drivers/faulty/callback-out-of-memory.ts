import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Hypothesis H4: memory is short just when the kernel takes pages away. */
export const callbackOutOfMemory: DriverVariant = {
  id: 'callback-out-of-memory',
  provenance:
    'from the source: the callback of kernel-open/nvidia-uvm/uvm_hmm.c says that it is done when it gets no context',
  summary:
    'allocates in its callback, and says that the invalidation is done when there is no memory',
  newDevice: (options) => {
    const { api } = options;
    const device = dmirrorWith(options, {}, 'nothing');
    const invalidate: DeviceDriver['invalidate'] = function* (sub, range, seq) {
      const context = yield* api.allocPages(1);
      if (!context.ok) return 'done';
      const answer = yield* device.callbacks.invalidate(sub, range, seq);
      for (const frame of context.value) yield* api.putDevicePage(frame);
      return answer;
    };
    return { ...device, callbacks: { ...device.callbacks, invalidate } };
  },
};
