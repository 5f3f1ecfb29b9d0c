import type { Pfn } from '../../vocabulary/address.ts';
import type { Vma } from './vma.ts';

/**
 * A file in memory (tmpfs) with its page cache; also what backs a shared anonymous mapping.
 *
 * Leaves out: writeback, truncation, disk. Source: mm/shmem.c.
 */
export interface MemoryFile {
  readonly id: number;
  /** Pages behind this are beyond the end: touching them is SIGBUS. */
  readonly sizePages: number;
  /** The page cache, by page offset. Each entry is a reference. */
  readonly pages: Map<number, Pfn>;
  /** i_mmap: the mappings of this file, in the order in which they were made. */
  readonly vmas: Vma[];
}

export function newMemoryFile(id: number, sizePages: number): MemoryFile {
  return { id, sizePages, pages: new Map(), vmas: [] };
}
