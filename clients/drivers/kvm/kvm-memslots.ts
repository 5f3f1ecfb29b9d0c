/**
 * What of the process a guest has as its memory.
 *
 * Models: kvm_for_each_memslot_in_hva_range(), kvm_swap_active_memslots() and kvm_set_memslot() (virt/kvm/kvm_main.c,
 * 6.12), as far as invalidations depend on them. Differs: a fault in a memslot that is on its way out fails at once,
 * where Linux has it tried again until the memslot is gone. Leaves out: addresses of the guest's own, flags, the grace
 * period for faults that have found the old memslots: they ask again under mmu_lock.
 */
import { touch } from '../../../server/task/context.ts';
import { type Task, waitUntil, willRead, willWrite } from '../../../server/task/task.ts';
import {
  contains,
  overlaps,
  type PageIndex,
  type PageRange,
  withoutRange,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import type { Kvm } from './kvm-state.ts';

/** Some memslot overlaps `range`, if it is on its way out as well: what is mapped through it may be there still. */
export function* hasMemoryIn(kvm: Kvm, range: PageRange): Task<boolean> {
  yield willRead('kvm_handle_hva_range.memslots', kvm.objects.slots);
  touch(kvm.context, kvm.objects.slots, 'read');
  return [...kvm.slots, ...kvm.invalidSlots].some((slot) => overlaps(slot, range));
}

export function hasMemoryAt(kvm: Kvm, page: PageIndex): boolean {
  touch(kvm.context, kvm.objects.slots, 'read');
  return kvm.slots.some((slot) => contains(slot, page));
}

/**
 * kvm_swap_active_memslots(): while a bracket is open, its end must find what its start has found. Of a guest that is
 * gone no end may come any more; in Linux no thread is left then that could wait (kvm_destroy_vm()).
 */
export function* untilNoneIsActive(kvm: Kvm): Task<void> {
  yield waitUntil(
    'kvm_swap_active_memslots.wait',
    kvm.objects.active,
    () => kvm.activeInvalidates === 0 || kvm.life === 'gone',
  );
  touch(kvm.context, kvm.objects.active, 'read');
  touch(kvm.context, kvm.objects.life, 'read');
}

/**
 * kvm_invalidate_memslot(), the first half: no fault maps anything in `range` any more, but invalidations go on finding
 * it there until forgetSlots(). Yields: yes.
 */
export function* invalidateSlots(kvm: Kvm, range: PageRange): Task<void> {
  yield* kvm.fn.untilSlotsMayChange(kvm);
  touch(kvm.context, kvm.objects.slots, 'write');
  kvm.slots = withoutRange(kvm.slots, range);
  kvm.invalidSlots = [...kvm.invalidSlots, range];
}

/** kvm_delete_memslot(): nothing is mapped in `range` any more. Yields: yes. */
export function* forgetSlots(kvm: Kvm, range: PageRange): Task<void> {
  yield* kvm.fn.untilSlotsMayChange(kvm);
  touch(kvm.context, kvm.objects.slots, 'write');
  kvm.invalidSlots = kvm.invalidSlots.filter((slot) => slot !== range);
}

/** Yields: yes. Returns: EEXIST if the guest has some of it. */
export function* putIn(kvm: Kvm, range: PageRange): Task<Result<void>> {
  yield* kvm.fn.untilSlotsMayChange(kvm);
  touch(kvm.context, kvm.objects.slots, 'write');
  const taken = [...kvm.slots, ...kvm.invalidSlots];
  if (taken.some((slot) => overlaps(slot, range))) return fail('EEXIST');
  kvm.slots = [...kvm.slots, range].sort((a, b) => a.first - b.first);
  return OK;
}

/** For a driver that does not wait: only the change is a step. */
export function* atOnce(kvm: Kvm): Task<void> {
  yield willWrite('kvm_swap_active_memslots.swap', kvm.objects.slots);
}
