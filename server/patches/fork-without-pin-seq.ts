import type { Patch } from './patch.ts';

/** Race 49: a page that is pinned without a lock, behind fork()'s look at its pins, is shared all the same. */
export const forkWithoutPinSeq: Patch = {
  id: 'fork-without-pin-seq',
  provenance:
    'the bug that 57efa1fe5957 "mm/gup: prevent gup_fast from racing with COW during fork" (5.11) fixed',
  summary:
    'fork() does not count its copies, so that pinning without a lock does not see one begin',
  overrides: () => ({
    writeProtectSeqCount() {
      // The count is what is missing.
    },
  }),
};
