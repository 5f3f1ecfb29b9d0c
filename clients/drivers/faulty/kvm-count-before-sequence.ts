import type { Task } from '../../../server/task/task.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvmWith } from '../kvm/kvm-device.ts';
import { lowerCount, moveSequence } from '../kvm/kvm-notifier.ts';
import { type Kvm, withMmuLock } from '../kvm/kvm-state.ts';

/**
 * Race 5, third form: between the two a fault sees neither. In Linux both stand in one critical section, and a barrier
 * keeps their order for those who look without the lock.
 */
export const kvmCountBeforeSequence: DriverVariant = {
  id: 'kvm-count-before-sequence',
  provenance: 'constructed, after the comments of kvm_mmu_invalidate_end(), virt/kvm/kvm_main.c',
  summary: 'ends an invalidation by lowering the count, and moves the sequence after that',
  notifiers: 'classic',
  newDevice: (options) => kvmWith(options, { invalidateEnd: countFirst }),
};

function* countFirst(kvm: Kvm): Task<void> {
  yield* withMmuLock(kvm, 'kvm_count_before_sequence.first', () => lowerCount(kvm));
  yield* withMmuLock(kvm, 'kvm_count_before_sequence.second', () => moveSequence(kvm));
}
