import { mayWrite } from '../../fault/vm-page-prot.ts';
import type { FaultRequest } from '../../kernel.ts';
import { PTE_DIRTY, PTE_WRITE, type Pte, pteWithFlags } from '../../memory/pte.ts';
import type { KernelChange } from '../kernel-change.ts';

/** A page that stays in the swap cache is not this process's alone: the cache has a reference. */
export const swappedInPagesAreWritable: KernelChange = {
  since: '6.11',
  commit: 'mm: swap: reuse exclusive folio directly instead of wp page faults',
  summary: 'a read that brings an exclusive page back from swap maps it writable',
  overrides: () => ({ swappedInExclusive }),
};

/** The dirty bit still comes with a write. */
function swappedInExclusive({ vma, access }: FaultRequest, base: Pte): Pte {
  if (!mayWrite(vma)) return access === 'write' ? pteWithFlags(base, PTE_DIRTY) : base;
  return pteWithFlags(base, access === 'write' ? PTE_WRITE | PTE_DIRTY : PTE_WRITE);
}
