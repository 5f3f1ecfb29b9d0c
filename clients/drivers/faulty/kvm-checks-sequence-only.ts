import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from '../kvm/kvm-device.ts';
import { sequenceMoved } from '../kvm/kvm-fault.ts';

/** Race 5, first form: the sequence moves at the end of an invalidation, which may have begun before the look. */
export const kvmChecksSequenceOnly: DriverVariant = {
  id: 'kvm-checks-sequence-only',
  provenance:
    'constructed: what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" (2008) ' +
    'would be without its count',
  summary: 'maps what it has looked up although an invalidation is in progress',
  notifiers: 'classic',
  newDevice: (options) =>
    kvmWith(options, { isStale: (kvm, _page, begun) => sequenceMoved(kvm, begun) }),
};
