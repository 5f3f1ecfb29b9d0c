import type { HeldForWrite } from '../../../task/rwsem.ts';
import type { Task } from '../../../task/task.ts';
import type { Kernel, KernelFunctions } from '../../kernel.ts';
import type { Mm } from '../../memory/mm.ts';
import type { KernelChange } from '../kernel-change.ts';

/** Who works under the lock of a mapping alone may have a bracket open. */
export const registrationLocksMappings: KernelChange = {
  since: '6.5',
  commit: 'mm/mmap: prevent pagefault handler from racing with mmu_notifier registration',
  summary: 'mm_take_all_locks() takes the lock of each mapping as well',
  overrides: (older) => ({ mmTakeAllLocks: (k, mm) => takeAllLocks(older, k, mm) }),
};

function* takeAllLocks(older: KernelFunctions, k: Kernel, mm: Mm): Task<HeldForWrite[]> {
  // They are let go of with mmap_lock.
  for (const vma of mm.vmas.slice()) yield* k.fn.vmaStartWrite(k, mm, vma);
  return yield* older.mmTakeAllLocks(k, mm);
}
