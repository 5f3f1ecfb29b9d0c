import type { Patch } from './patch.ts';

/** The parent's next write goes to a copy, and what a device does to the pinned page is seen by the child alone. */
export const forkSharesPinned: Patch = {
  id: 'fork-shares-pinned',
  provenance:
    'the bug that 70e806e4e645 "mm: Do early cow for pinned pages during fork() for ptes" (5.10) fixed',
  summary: 'fork() does not ask whether a page is pinned, and shares it with the child',
  overrides: (stock) => ({
    pageTryDupAnonRmap(k, parent, pfn) {
      const { hasPinned } = parent;
      parent.hasPinned = false;
      const shared = stock.pageTryDupAnonRmap(k, parent, pfn);
      parent.hasPinned = hasPinned;
      return shared;
    },
  }),
};
