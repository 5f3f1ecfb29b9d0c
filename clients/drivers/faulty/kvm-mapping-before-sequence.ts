import type { Task } from '../../../server/task/task.ts';
import type { PageIndex } from '../../../server/vocabulary/address.ts';
import type { Result } from '../../../server/vocabulary/errno.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { blockOf, lookUpBlock } from '../kvm/kvm-arm64.ts';
import { kvmWith } from '../kvm/kvm-device.ts';
import { sampleSequence } from '../kvm/kvm-fault.ts';
import type { Kvm, LookedUp } from '../kvm/kvm-state.ts';

/** Race 6: between the two the mapping may have been replaced, with a whole invalidation that nobody asks about. */
export const kvmMappingBeforeSequence: DriverVariant = {
  id: 'kvm-mapping-before-sequence',
  provenance:
    'arch/arm64/kvm/mmu.c until 13ec9308a857 "KVM: arm64: Retry fault if vma_lookup() results become invalid" ' +
    '(Linux 6.3)',
  summary: 'lets go of mmap_lock after it has looked at the mapping, and samples the sequence then',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, { lookUp: sampleLate }),
};

function* sampleLate(kvm: Kvm, page: PageIndex, access: 'read' | 'write'): Task<Result<LookedUp>> {
  yield* kvm.api.mmapReadLock();
  const block = yield* blockOf(kvm, page);
  yield* kvm.api.mmapReadUnlock();
  if (!block.ok) return block;
  const begun = yield* sampleSequence(kvm, 'user_mem_abort.mmu_seq');
  return yield* lookUpBlock(kvm, block.value, access, begun);
}
