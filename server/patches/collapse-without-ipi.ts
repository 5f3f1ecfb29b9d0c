import type { Patch } from './patch.ts';

/** A walk without a lock goes on in a page that was a page table, and may be anything by now. */
export const collapseWithoutIpi: Patch = {
  id: 'collapse-without-ipi',
  provenance:
    'the bug that 2ba99c5e0881 "mm/khugepaged: fix GUP-fast interaction by sending IPI" (2022-11, 6.1) fixed; ' +
    'for files in since 4.8',
  summary: 'a page table that khugepaged takes away is freed without asking who is in it',
  overrides: () => ({
    *tlbRemoveTableSyncOne() {
      // CPUs with their interrupts off are in it, and in no lock.
    },
  }),
};
