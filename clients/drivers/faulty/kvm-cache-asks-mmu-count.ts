import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from '../kvm/kvm-device.ts';
import { isStale } from '../kvm/kvm-fault.ts';

/** Race 9: caches are emptied before that count is raised, so one that is filled in between stays valid. */
export const kvmCacheAsksMmuCount: DriverVariant = {
  id: 'kvm-cache-asks-mmu-count',
  provenance:
    'virt/kvm/pfncache.c of Linux 5.17 and 5.18; fixed by 58cd407ca4c6 "KVM: Fix multiple races in gfn=>pfn cache ' +
    'refresh"',
  summary: 'fills its cache of frames if the count that guards the page table is 0',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, { cacheIsStale: isStale }),
};
