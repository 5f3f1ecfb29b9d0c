import type { Patch } from './patch.ts';

/**
 * A mapping that grew may stand before the one that its new pages come from. A walk looks there, finds nothing yet, and
 * then looks at the old place, where there is nothing any more.
 */
export const mremapWithoutRmapLocks: Patch = {
  id: 'mremap-without-rmap-locks',
  provenance:
    'ours, after 38a76013ad80 "mm: avoid taking rmap locks in move_ptes()" (2012), which says when they are needed',
  summary: 'mremap() moves entries without the locks of the reverse map',
  overrides: () => ({
    *takeRmapLocks() {
      return [];
    },
  }),
};
