import { type ObjectId, objectId } from '../../task/object-id.ts';
import { VMA_PARTS } from '../../task/object-owners.ts';
import type { Vma } from './mm-types.ts';

/** The locks of the mappings of one mm: see vma-lock.ts. */
export interface VmaLocks {
  readonly object: ObjectId;
  /** A mapping stands here once for each of its readers. */
  readonly readers: Vma[];
  /** Which hold of mmap_lock has written to which mappings (vm_lock_seq). */
  readonly written: Map<Vma, number>;
}

export function newVmaLocks(mm: number): VmaLocks {
  return { object: objectId('vma', mm, VMA_PARTS.locks), readers: [], written: new Map() };
}
