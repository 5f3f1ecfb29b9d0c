import { retractWithoutMmapLock } from '../../syscalls/khugepaged.ts';
import type { KernelChange } from '../kernel-change.ts';

export const pageTablesGoWithoutMmapLock: KernelChange = {
  since: '6.5',
  commit: 'mm/khugepaged: retract_page_tables() without mmap or vma lock (1d65b771bc08)',
  summary: 'khugepaged takes page tables of a file away under i_mmap_rwsem and the PTE lock alone',
  overrides: () => ({ retractPageTables: retractWithoutMmapLock, pteTableGone }),
};

/** pte_offset_map_lock() finds nothing: RCU has kept the table so far. The caller passes over it, or begins anew. */
function pteTableGone(): void {
  // What becomes of it is the caller's business.
}
