import type { Task } from '../../../task/task.ts';
import type { PageRange } from '../../../vocabulary/address.ts';
import type { Kernel, KernelFunctions } from '../../kernel.ts';
import type { Mm } from '../../memory/mm.ts';
import type { KernelChange } from '../kernel-change.ts';

/** Also where rights are taken away, and where a page goes after its bracket has ended: both were missed before. */
export const secondaryTlbsWithShootdowns: KernelChange = {
  since: '6.6',
  commit: 'mmu_notifiers: call invalidate_range() when invalidating TLBs (6bbd42e2df8f)',
  summary:
    'each flush of the TLBs of CPUs flushes those of devices, and the end of a bracket does not',
  overrides: (older) => ({
    flushTlbRange: (k, mm, range) => flushAll(older, k, mm, range),
    flushTlbNotify: (k, mm, range) => k.fn.flushTlbRange(k, mm, range),
    invalidateRangeAtEnd: nothing,
  }),
};

function* flushAll(older: KernelFunctions, k: Kernel, mm: Mm, range: PageRange): Task<void> {
  yield* older.flushTlbRange(k, mm, range);
  yield* k.fn.mmuNotifierInvalidateRange(k, mm, range);
}

function* nothing(): Task<void> {
  // It was done with the flush.
}
