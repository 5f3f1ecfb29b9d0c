import type { Advice } from '../../../abi/cpu-api.ts';
import type { Task } from '../../../task/task.ts';
import type { PageRange } from '../../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../../vocabulary/errno.ts';
import type { Kernel, KernelFunctions } from '../../kernel.ts';
import type { Mm } from '../../memory/mm.ts';
import type { Vma } from '../../memory/mm-types.ts';
import { isAnonymous, vmasIn } from '../../memory/vma.ts';
import { lockVmaUnderRcu, vmaEndRead, vmaStartWrite } from '../../memory/vma-lock.ts';
import type { KernelChange } from '../kernel-change.ts';

/**
 * Page faults and drivers still take mmap_lock here: a fault under the lock of its mapping is not modelled. So what
 * is new is that madvise() runs beside holders of mmap_lock for writing, as long as they work on other mappings, and
 * that a writer that waits does not stop it.
 */
export const madviseUnderVmaLock: KernelChange = {
  since: '6.17',
  commit: 'mm: use per_vma lock for MADV_DONTNEED (a6fde7add78d), then for MADV_FREE',
  summary:
    'madvise(DONTNEED, FREE) within one mapping takes the lock of that mapping, and no mmap_lock',
  overrides: (older) => ({
    madvise: (k, mm, range, advice) => madvise(older, k, mm, range, advice),
    ...writersOf(older),
  }),
};

/** Returns: as madvise(). Takes: the lock of the mapping; mmap_lock for reading where that is not enough. */
function* madvise(
  older: KernelFunctions,
  k: Kernel,
  mm: Mm,
  range: PageRange,
  advice: Advice,
): Task<Result<void>> {
  if (advice !== 'DONTNEED' && advice !== 'FREE') return yield* older.madvise(k, mm, range, advice);
  const vma = yield* lockVmaUnderRcu(k, mm, range.first);
  if (vma === 'none') return yield* older.madvise(k, mm, range, advice);
  if (range.end > vma.end) {
    vmaEndRead(k, mm, vma);
    return yield* older.madvise(k, mm, range, advice);
  }
  const done = advice === 'DONTNEED' || isAnonymous(vma);
  if (advice === 'DONTNEED') yield* k.fn.zapPageRange(k, mm, range, 'clear');
  else if (done) yield* k.fn.madviseFree(k, mm, vma, range);
  vmaEndRead(k, mm, vma);
  return done ? OK : fail('EINVAL');
}

/** Where a holder of mmap_lock for writing changes a mapping or its entries. */
function writersOf(older: KernelFunctions): Partial<KernelFunctions> {
  return {
    *vmaAdjust(k, mm, adjustment) {
      const { vma, next, removed } = adjustment;
      yield* startWrites(mm, next === 'none' ? [vma, ...removed] : [vma, next, ...removed]);
      yield* older.vmaAdjust(k, mm, adjustment);
    },
    *changeProtection(k, mm, vma, range) {
      yield* startWrites(mm, [vma]);
      yield* older.changeProtection(k, mm, vma, range);
    },
    *zapPageRange(k, mm, range, event) {
      // munmap() and exit(); madvise() itself says 'clear', and holds its mapping.
      if (event === 'unmap') yield* startWrites(mm, vmasIn(mm.vmas, range));
      yield* older.zapPageRange(k, mm, range, event);
    },
    *collapsePteMappedThp(k, mm, vma, first) {
      yield* startWrites(mm, [vma]);
      return yield* older.collapsePteMappedThp(k, mm, vma, first);
    },
    *movePageTables(k, mm, range, to, copied) {
      yield* startWrites(mm, [copied.old, copied.made]);
      return yield* older.movePageTables(k, mm, range, to, copied);
    },
    *copyPageRange(k, to, from, mms) {
      yield* startWrites(mms.from, [from]);
      return yield* older.copyPageRange(k, to, from, mms);
    },
  };
}

function* startWrites(mm: Mm, vmas: readonly Vma[]): Task<void> {
  for (const vma of vmas) yield* vmaStartWrite(mm, vma);
}
