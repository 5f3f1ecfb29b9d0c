import { mayWrite } from '../../fault/vm-page-prot.ts';
import type { Kernel } from '../../kernel.ts';
import type { Vma } from '../../memory/mm-types.ts';
import { type Pte, pteDirty, pteProtNone, pteWrite } from '../../memory/pte.ts';
import { isShared } from '../../memory/vma.ts';
import { isAnonExclusive } from '../../syscalls/mprotect.ts';
import type { KernelChange } from '../kernel-change.ts';

export const cleanPagesBecomeWritable: KernelChange = {
  since: '6.2',
  commit: 'mm/mprotect: allow clean exclusive anon pages to be writable',
  summary:
    'mprotect() to rw makes an anonymous page of this process alone writable, clean or dirty',
  overrides: () => ({ canChangePteWritable }),
};

/** Private mappings: the page is this process's alone. Shared ones: as before, only if the entry is dirty. */
function canChangePteWritable(k: Kernel, vma: Vma, pte: Pte): boolean {
  if (!mayWrite(vma) || pteWrite(pte) || pteProtNone(pte)) return false;
  return isShared(vma) ? pteDirty(pte) : isAnonExclusive(k, pte);
}
