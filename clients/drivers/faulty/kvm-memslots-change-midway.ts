import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from '../kvm/kvm-device.ts';
import { atOnce } from '../kvm/kvm-memslots.ts';

/** Race 27: the start of a bracket finds memory of the guest's, and its end none, so the count is never lowered. */
export const kvmMemslotsChangeMidway: DriverVariant = {
  id: 'kvm-memslots-change-midway',
  provenance:
    'constructed: 071064f14d87 "KVM: Don\'t take mmu_lock for range invalidation unless necessary" without ' +
    '52ac8b358b0c "KVM: Block memslot updates across range_start() and range_end()" (both Linux 5.15)',
  summary: 'changes memslots while invalidations are under way',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, { untilSlotsMayChange: atOnce }),
};
