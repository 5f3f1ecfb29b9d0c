/** mmap_lock, as far as it is more than a semaphore. Source: include/linux/mmap_lock.h (6.12). */
import type { TaskContext } from '../../task/context.ts';
import {
  downgradeWrite,
  type HeldForRead,
  type HeldForWrite,
  writeUnlock,
} from '../../task/rwsem.ts';
import type { Mm } from './mm.ts';
import { vmaEndWriteAll } from './vma-lock.ts';

/**
 * mmap_write_unlock(): lets go of the mappings that were locked for writing as well. Who has tried to take mmap_lock
 * could not have it until now, so it is noted where he looks. Not a yield point.
 */
export function mmapWriteUnlock(context: TaskContext, mm: Mm, held: HeldForWrite): void {
  vmaEndWriteAll(context, mm);
  writeUnlock(context, held);
}

/** mmap_write_downgrade(): readers come in; the mappings are let go of as well. Not a yield point. */
export function mmapWriteDowngrade(context: TaskContext, mm: Mm, held: HeldForWrite): HeldForRead {
  vmaEndWriteAll(context, mm);
  return downgradeWrite(context, held);
}
