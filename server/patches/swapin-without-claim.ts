import type { Patch } from './patch.ts';

/**
 * Two faults read one slot. The page of the faster one is written to and swapped out again, into the same slot: the
 * slower one finds the entry as it was, and enters what the slot held before.
 */
export const swapinWithoutClaim: Patch = {
  id: 'swapin-without-claim',
  provenance:
    'Linux 4.15 to 6.7; fixed by 13ddaf26be32 "mm/swap: fix race when skipping swapcache" (2024)',
  summary: 'do_swap_page() reads a slot past the swap cache without swapcache_prepare()',
  overrides: () => ({
    *swapcachePrepare() {
      return 'claimed';
    },
  }),
};
