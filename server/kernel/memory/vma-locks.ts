import { type ObjectId, objectId } from '../../task/object-id.ts';
import { VMA_PARTS } from '../../task/object-owners.ts';
import type { Vma } from './mm-types.ts';

/** The locks of the mappings of one mm: see vma-lock.ts. */
export interface VmaLocks {
  /** What it is called which of them are locked for writing (mm_lock_seq, vm_lock_seq). */
  readonly object: ObjectId;
  readonly readersObject: ObjectId;
  readonly walkersObject: ObjectId;
  /** A mapping stands here once for each of its readers. */
  readonly readers: Vma[];
  /** Those that the holder of mmap_lock has locked for writing, until he lets go of mmap_lock. */
  readonly written: Set<Vma>;
  /** Tasks between finding a mapping and locking it (rcu_read_lock): only patches have such a step. */
  walkers: number;
}

export function newVmaLocks(mm: number): VmaLocks {
  return {
    object: objectId('vma', mm, VMA_PARTS.locks),
    readersObject: objectId('vma', mm, VMA_PARTS.lockReaders),
    walkersObject: objectId('vma', mm, VMA_PARTS.walkers),
    readers: [],
    written: new Set(),
    walkers: 0,
  };
}
