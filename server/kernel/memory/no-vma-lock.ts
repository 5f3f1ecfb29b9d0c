/** Before 6.4 a mapping has no lock of its own: mmap_lock is all there is. Later kernels: vma-lock.ts. */
import type { Task } from '../../task/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';

/** Whoever wants to lock a mapping has to take mmap_lock. */
export function* noVmaLock(): Task<'none'> {
  return 'none';
}

/** mmap_lock, held for writing, keeps everybody out. */
export function* nothingToLock(): Task<void> {
  // No reader has anything else.
}

/** vm_area_free(). */
export function* freeAtOnce(_k: Kernel, _mm: Mm, vma: Vma): Task<void> {
  vma.life = 'freed';
}
