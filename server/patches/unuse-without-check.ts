import { unlockPte } from '../kernel/memory/pte-lock.ts';
import { mapUnused } from '../kernel/syscalls/swapoff.ts';
import type { Patch } from './patch.ts';

/** Between the look at an entry and its lock the page came back by a fault, or was given away. */
export const unuseWithoutCheck: Patch = {
  id: 'unuse-without-check',
  provenance:
    'constructed: unuse_pte() of mm/swapfile.c compares the entry under its lock, since a fault and madvise() need ' +
    'mmap_lock for reading only',
  summary: 'swapoff() maps a page without a look at whether its entry still names the slot',
  overrides: () => ({
    *unusePte(k, at, seen, pfn) {
      yield* mapUnused(k, at, seen, pfn);
      unlockPte(k, at);
    },
  }),
};
