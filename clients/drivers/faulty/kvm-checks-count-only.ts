import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from '../kvm/kvm-device.ts';
import { isInvalidating } from '../kvm/kvm-state.ts';

/** Race 5, second form: a whole invalidation between the look and the question goes unnoticed. */
export const kvmChecksCountOnly: DriverVariant = {
  id: 'kvm-checks-count-only',
  provenance:
    'constructed: what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" (2008) ' +
    'would be without its sequence',
  summary: 'maps what it has looked up if no invalidation is in progress, whatever has been since',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, { isStale: (kvm, page) => isInvalidating(kvm, page) }),
};
