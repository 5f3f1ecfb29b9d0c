import {
  doublePtLock,
  doublePtUnlock,
  moveSwapLocked,
  stable,
} from '../kernel/memory/userfault-move.ts';
import { fail } from '../vocabulary/errno.ts';
import type { Patch } from './patch.ts';

/** The page in the swap cache goes on believing that it is at its old place; the fault that finds it there crashes. */
export const moveIgnoresSwapCache: Patch = {
  id: 'move-ignores-swap-cache',
  provenance:
    'Linux 6.8 to 6.13; fixed by c50f8e6053b0 "mm: fix kernel BUG when userfaultfd_move encounters swapcache" ' +
    '(2025-02), and for the page that comes in between by 0ea148a79964 "mm: userfaultfd: fix race of ' +
    'userfaultfd_move and swap cache" (2025-06)',
  summary: 'UFFDIO_MOVE moves a swap entry without a look at the swap cache',
  overrides: () => ({
    *moveSwapPte(k, move, seen) {
      const both = yield* doublePtLock(k, move);
      const same = stable(move, seen);
      const moved = same ? yield* moveSwapLocked(k, move, both, 'none') : fail('EAGAIN');
      doublePtUnlock(k, both);
      return moved;
    },
  }),
};
