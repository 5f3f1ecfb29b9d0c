import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from './kvm-device.ts';

export const kvm: DriverVariant = {
  id: 'kvm',
  provenance: 'virt/kvm/kvm_main.c, arch/x86/kvm/mmu/mmu.c, Linux 6.12',
  summary:
    'a guest: a classic notifier with start and end, a count and a sequence; pages come by get_user_pages()',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, {}),
};
