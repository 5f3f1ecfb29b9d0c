import type { Patch } from './patch.ts';

/** A CPU that may still write to a page does so after its bytes were taken, and what it wrote goes with the page. */
export const reclaimWritesBeforeFlush: Patch = {
  id: 'reclaim-writes-before-flush',
  provenance:
    'no kernel; what d950c9477d51 "mm: defer flush of writable TLB entries" (4.3) would be without ' +
    'try_to_unmap_flush_dirty(): flushes had been put off for pages that are read alone (72b252aed506)',
  summary: 'reclaim writes a page to swap before the flush that it has put off',
  overrides: () => ({
    *tryToUnmapFlushDirty() {
      // They are flushed when all pages of the list have been looked at.
    },
  }),
};
