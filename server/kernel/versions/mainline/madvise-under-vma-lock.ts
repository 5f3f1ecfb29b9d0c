import type { Advice } from '../../../abi/cpu-api.ts';
import type { Task } from '../../../task/task.ts';
import type { PageRange } from '../../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../../vocabulary/errno.ts';
import type { Kernel, KernelFunctions } from '../../kernel.ts';
import type { Mm } from '../../memory/mm.ts';
import { isAnonymous } from '../../memory/vma.ts';
import { vmaEndRead } from '../../memory/vma-lock.ts';
import type { KernelChange } from '../kernel-change.ts';

/**
 * So madvise() runs beside holders of mmap_lock for writing, as long as they work on other mappings, and a writer that
 * waits does not stop it.
 */
export const madviseUnderVmaLock: KernelChange = {
  since: '6.17',
  commit: 'mm: use per_vma lock for MADV_DONTNEED (a6fde7add78d), then for MADV_FREE',
  summary:
    'madvise(DONTNEED, FREE) within one mapping takes the lock of that mapping, and no mmap_lock',
  overrides: (older) => ({
    madvise: (k, mm, range, advice) => madvise(older, k, mm, range, advice),
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
  const vma = yield* k.fn.lockVmaUnderRcu(k, mm, range.first);
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
