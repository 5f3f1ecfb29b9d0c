import type { Patch } from './patch.ts';

/** Race 12: a task that finds the entry gone has nothing to flush and goes on, and a CPU still uses the page. */
export const reclaimFlushesInBatch: Patch = {
  id: 'reclaim-flushes-in-batch',
  provenance:
    'Linux 4.3 to 4.12; fixed by 3ea277194daa "mm, mprotect: flush TLB if potentially racing with a parallel reclaim ' +
    'leaving stale TLB entries" (4.13)',
  summary: 'reclaim puts its TLB flush off, and nobody asks whether it owes one',
  overrides: () => ({
    *flushTlbBatchedPending() {
      // An entry that is gone is somebody else's affair.
    },
  }),
};
