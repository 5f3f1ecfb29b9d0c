/**
 * What the kernel calls at both ends of a bracket.
 *
 * Models: kvm_mmu_notifier_invalidate_range_start(), kvm_mmu_notifier_invalidate_range_end() and what they call
 * (virt/kvm/kvm_main.c, 6.12). Leaves out: flushing the TLBs of virtual CPUs. A guest accesses memory under mmu_lock
 * here, so none is in the middle of an access when an entry has gone.
 */
import type { MmuNotifierOps, NotifierRange } from '../../../server/abi/device-api.ts';
import { touch, wake } from '../../../server/task/context.ts';
import { type Task, willLower, willRaise, willWrite } from '../../../server/task/task.ts';
import type { PageIndex, PageRange } from '../../../server/vocabulary/address.ts';
import { allMapped, dropEntry, entryObject } from '../hardware/device-page-table.ts';
import { hasMemoryIn } from './kvm-memslots.ts';
import { type Kvm, mmuInvalidateBegin, mmuInvalidateDone, withMmuLock } from './kvm-state.ts';
import { closeCache, invalidateCache } from './pfn-cache.ts';

export function kvmNotifierOps(kvm: Kvm): MmuNotifierOps {
  return {
    invalidateRangeStart: (range) => invalidateRangeStart(kvm, range),
    invalidateRangeEnd: (range) => invalidateRangeEnd(kvm, range),
  };
}

/** Never refuses: mmu_lock is a spinlock. Takes: mmu_lock. Yields: yes. */
export function* invalidateRangeStart(kvm: Kvm, { range }: NotifierRange): Task<'done'> {
  yield willRaise('kvm_mmu_notifier_invalidate_range_start.active', kvm.objects.active);
  touch(kvm.context, kvm.objects.active, 'raise');
  kvm.activeInvalidates += 1;
  // Before mmu_lock, so that its lock is not taken inside; whoever fills it goes by the count that was raised first.
  yield* invalidateCache(kvm, range);
  // Most of the address space of a process is none of its guest's business.
  if (!(yield* hasMemoryIn(kvm, range))) return 'done';
  yield* withMmuLock(kvm, 'kvm_mmu_notifier_invalidate_range_start.mmu_lock', function* () {
    yield willWrite('kvm_mmu_invalidate_begin.count', kvm.objects.inProgress);
    mmuInvalidateBegin(kvm, range);
    yield* zap(kvm, mappedIn(kvm, range));
  });
  return 'done';
}

/** Must come to the same memslots as the start of the bracket did: those change between brackets alone. */
export function* invalidateRangeEnd(kvm: Kvm, { range }: NotifierRange): Task<void> {
  if (yield* hasMemoryIn(kvm, range)) yield* kvm.fn.invalidateEnd(kvm);
  yield willLower('kvm_mmu_notifier_invalidate_range_end.active', kvm.objects.active);
  kvm.activeInvalidates -= 1;
  wake(kvm.context, kvm.objects.active, 'lower');
}

/** kvm_mmu_invalidate_end(): whoever looks while the count is falling sees that the sequence has moved already. */
export function mmuInvalidateEnd(kvm: Kvm): Task<void> {
  return withMmuLock(kvm, 'kvm_mmu_notifier_invalidate_range_end.mmu_lock', function* () {
    yield* moveSequence(kvm);
    yield* lowerCount(kvm);
  });
}

/** Holds: mmu_lock. */
export function* moveSequence(kvm: Kvm): Task<void> {
  yield willWrite('kvm_mmu_invalidate_end.seq', kvm.objects.seq);
  touch(kvm.context, kvm.objects.seq, 'write');
  kvm.mmuInvalidateSeq += 1;
}

/** Holds: mmu_lock. */
export function* lowerCount(kvm: Kvm): Task<void> {
  yield willWrite('kvm_mmu_invalidate_end.count', kvm.objects.inProgress);
  mmuInvalidateDone(kvm);
}

/** kvm_flush_shadow_all(): the process, or the registration, is going away. */
export function* kvmRelease(kvm: Kvm): Task<void> {
  yield* withMmuLock(kvm, 'kvm_mmu_notifier_release.mmu_lock', function* () {
    touch(kvm.context, kvm.objects.life, 'write');
    kvm.life = 'gone';
    wake(kvm.context, kvm.objects.active);
    yield* zap(kvm, allMapped(kvm.table));
  });
  yield* closeCache(kvm);
}

/** Holds: mmu_lock. */
export function* zap(kvm: Kvm, pages: readonly PageIndex[]): Task<void> {
  for (const page of pages) {
    yield willWrite('kvm_unmap_gfn_range.zap', entryObject(kvm.table, page));
    dropEntry(kvm.table, page);
  }
}

export function mappedIn({ table }: Kvm, { first, end }: PageRange): PageIndex[] {
  return allMapped(table).filter((page) => first <= page && page < end);
}
