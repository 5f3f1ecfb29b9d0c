import type { Vma } from '../memory/mm-types.ts';
import { isShared } from '../memory/vma.ts';

/**
 * vm_page_prot: what a fresh entry of the mapping allows. Private mappings start read-only so that a write is
 * seen; shared memory wants no write notification and starts with all rights.
 */
export function vmProt(vma: Vma): { readonly none: boolean; readonly write: boolean } {
  return { none: vma.prot === 'none', write: vma.prot === 'rw' && isShared(vma) };
}

/** VM_WRITE: maybe_mkwrite() makes an entry writable only then. */
export function mayWrite(vma: Vma): boolean {
  return vma.prot === 'rw';
}
