import { hasFlag, PAGE_SWAPCACHE } from '../kernel/memory/frames.ts';
import {
  doublePtLock,
  doublePtUnlock,
  moveSwapLocked,
  stable,
} from '../kernel/memory/userfault-move.ts';
import { fail } from '../vocabulary/errno.ts';
import type { Patch } from './patch.ts';

/** The entry is the same and the cache is not: a fault brought the page in, and reclaim put it out to the same slot. */
export const moveLooksAtCacheOnce: Patch = {
  id: 'move-looks-at-cache-once',
  provenance:
    'Linux 6.14 and 6.15, with c50f8e6053b0; fixed by 0ea148a79964 "mm: userfaultfd: fix race of userfaultfd_move ' +
    'and swap cache" (2025-06)',
  summary:
    'UFFDIO_MOVE looks at the swap cache before it has the locks of the entries, and not again',
  overrides: () => ({
    *moveSwapPte(k, move, seen, cached) {
      const both = yield* doublePtLock(k, move);
      const known =
        cached !== 'none' && hasFlag(k.frames, cached, PAGE_SWAPCACHE) ? cached : 'none';
      const same = stable(move, seen);
      const moved = same ? yield* moveSwapLocked(k, move, both, known) : fail('EAGAIN');
      doublePtUnlock(k, both);
      return moved;
    },
  }),
};
