import { visitPlaces } from '../kernel/rmap/rmap.ts';
import type { Patch } from './patch.ts';

/**
 * Nothing keeps mprotect() from merging a mapping away that the walk has in hand: a migration entry that it finds there
 * becomes a page with the rights of a mapping that is no more.
 */
export const rmapWalkWithoutLock: Patch = {
  id: 'rmap-walk-without-lock',
  provenance:
    'ours, after e86f15ee64d8 "mm: vma_merge: fix vm_page_prot SMP race condition against rmap_walk" (2016)',
  summary: 'rmap_walk() takes neither the anon_vma lock nor i_mmap_rwsem',
  overrides: () => ({ rmapWalk: visitPlaces }),
};
