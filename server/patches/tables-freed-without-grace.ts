import { noteFreed } from '../kernel/memory/page-table.ts';
import type { Patch } from './patch.ts';

/** Where a hypervisor flushes the TLBs of other CPUs, no interrupt waits for those that walk without a lock. */
export const tablesFreedWithoutGrace: Patch = {
  id: 'tables-freed-without-grace',
  provenance:
    'the bug that 9e52fc2b50de "x86/mm: Enable RCU based page table freeing (CONFIG_HAVE_RCU_TABLE_FREE=y)" ' +
    '(2017-09, 4.14) fixed; under Xen for years before',
  summary: 'munmap() frees page tables behind the TLB flush without waiting for who walks them',
  overrides: () => ({
    *tlbRemoveTableFree(_k, mm, tables) {
      for (const { first } of tables) noteFreed(mm.table, first);
    },
  }),
};
