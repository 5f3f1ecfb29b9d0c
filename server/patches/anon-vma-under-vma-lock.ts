import { vmfAnonPrepare } from '../kernel/rmap/anon-vma-chain.ts';
import type { Patch } from './patch.ts';

/** The lock of one mapping does not keep its neighbours, and the anon_vma that is taken may be that of one of them. */
export const anonVmaUnderVmaLock: Patch = {
  id: 'anon-vma-under-vma-lock',
  provenance:
    '657b5146955e "mm: lock_vma_under_rcu() must check vma->anon_vma under vma lock" (6.5)',
  summary: 'a fault prepares the anon_vma of its mapping under the lock of that mapping alone',
  overrides: () => ({ vmfAnonPrepare: (k, request) => vmfAnonPrepare(k, request) }),
};
