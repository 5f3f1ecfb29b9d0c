import type { Patch } from './patch.ts';
import { withoutVmaLock } from './without-vma-lock.ts';

/** A fault that has asked the mapping what is allowed fills in an entry when the mapping allows it no more. */
export const mprotectWithoutVmaLock: Patch = {
  id: 'mprotect-without-vma-lock',
  provenance: '60081bf19b0e "mm: lock vma explicitly before doing vm_flags_reset" (6.6)',
  summary: 'mprotect() changes the rights of a mapping without locking it',
  overrides(stock) {
    const { during, override } = withoutVmaLock(stock);
    return {
      ...override,
      mprotectFixup: (k, mm, vma, part, prot) =>
        during(k, stock.mprotectFixup(k, mm, vma, part, prot)),
    };
  },
};
