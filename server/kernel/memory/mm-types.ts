/**
 * The structures that point at each other, together in one file as in include/linux/mm_types.h.
 */

import type { MappingKind, Prot } from '../../abi/cpu-api.ts';
import type { TaskContext } from '../../task/context.ts';
import type { RwSem } from '../../task/rwsem.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';

/** struct vm_area_struct. Guarded by mmap_lock; its bounds by the locks of the reverse maps it is in as well. */
export interface Vma {
  readonly mm: number;
  first: PageIndex;
  end: PageIndex;
  prot: Prot;
  readonly kind: MappingKind;
  readonly file: MemoryFile | 'none';
  /** vm_pgoff: the linear index of `first` within the file, or of the address the anonymous pages were born at. */
  pgoff: number;
  /** VM_ACCOUNT: sticks to a mapping that was ever writable and private, and keeps it from merging. */
  accounted: boolean;
  /** Where new anonymous pages of this mapping belong. */
  anonVma: AnonVma | 'none';
  /** anon_vma_chain: every anon_vma that may hold pages mapped here, own and inherited by fork. */
  readonly chain: AnonVma[];
  /** 'detached': no longer in the list of the mm, so that no look-up finds it. */
  life: 'attached' | 'detached' | 'freed';
}

/**
 * struct anon_vma: from an anonymous page to the mappings that may map it. Pages of a process sit in its own;
 * a forked child's mappings are linked into the parent's too, so that the walk from an inherited page finds both.
 *
 * Source: mm/rmap.c (6.1).
 */
export interface AnonVma {
  readonly id: number;
  /** Every access is noted here for an explorer. */
  readonly context: TaskContext;
  /** The oldest ancestor; itself if it has none. Pages that are not exclusive belong there. */
  readonly root: AnonVma | 'self';
  readonly parent: AnonVma | 'self';
  children: number;
  /** Mappings whose anonVma this is. */
  activeVmas: number;
  /** rb_root: in the order of the interval tree. Guarded by the root's rwsem. */
  readonly vmas: Vma[];
  /** The last mapping has left it. */
  freed: boolean;
  /** Taken of the root, for all anon_vmas below it. */
  readonly rwsem: RwSem;
}

/**
 * A file in memory (tmpfs) with its page cache; also what backs a shared anonymous mapping.
 *
 * Leaves out: writeback, truncation, disk. Source: mm/shmem.c.
 */
export interface MemoryFile {
  readonly id: number;
  /** Every access to the list of mappings is noted here for an explorer. */
  readonly context: TaskContext;
  /** Pages behind this are beyond the end: touching them is SIGBUS. */
  readonly sizePages: number;
  /** The page cache, by page offset. Each entry is a reference. */
  readonly pages: Map<number, Pfn>;
  /** i_mmap: the mappings of this file, in the order of the interval tree. Guarded by iMmapRwsem. */
  readonly vmas: Vma[];
  readonly iMmapRwsem: RwSem;
}

/** Pages of a file, by number: from `first` on, below `end`. */
export interface FilePages {
  readonly first: number;
  readonly end: number;
}
