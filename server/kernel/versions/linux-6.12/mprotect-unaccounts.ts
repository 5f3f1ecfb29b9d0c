import { isAnonymous } from '../../memory/vma.ts';
import type { KernelChange } from '../kernel-change.ts';

/**
 * An untouched mapping merges with its neighbours by what it is, no more by what it was. Two halves that are accounted
 * differently get no common anon_vma, so they stay two mappings.
 */
export const mprotectUnaccounts: KernelChange = {
  since: '6.7',
  commit: 'mm/mprotect: allow unfaulted VMAs to be unaccounted on mprotect()',
  summary: 'mprotect() away from rw clears VM_ACCOUNT of an anonymous mapping without an anon_vma',
  overrides: (older) => ({
    mprotectAccounts(vma, prot) {
      const gives = prot !== 'rw' && isAnonymous(vma) && vma.anonVma === 'none';
      return gives ? false : older.mprotectAccounts(vma, prot);
    },
  }),
};
