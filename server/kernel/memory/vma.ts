/**
 * The mapping list of an mm, and what may be known of a mapping by looking at it. Source: mm/mmap.c (6.1).
 *
 * Leaves out: executable mappings, stacks, hugetlb, mempolicies, userfaultfd contexts.
 */
import type { PageIndex, PageRange } from '../../vocabulary/address.ts';
import type { AnonVma, Vma } from './mm-types.ts';

export type VmaShape = Pick<Vma, 'prot' | 'kind' | 'file' | 'accounted'>;

/** One that is in no list and no anon_vma yet. */
export function newVma(shape: Omit<Vma, 'chain' | 'life'>): Vma {
  return { ...shape, chain: [], life: 'attached' };
}

/** Sorted by address, without overlaps. Guarded by mmap_lock. */
export type VmaList = Vma[];

export function isAnonymous(vma: Vma): boolean {
  return vma.kind === 'anon-private';
}

/** VM_SHARED. */
export function isShared(vma: Vma): boolean {
  return vma.kind === 'anon-shared' || vma.kind === 'file-shared';
}

/** is_cow_mapping(): private, and may become writable. */
export function isCow(vma: Vma): boolean {
  return !isShared(vma);
}

export function vmaPages(vma: Vma): number {
  return vma.end - vma.first;
}

/** The linear index of `page` in the file or anon_vma of `vma`. */
export function linearIndex(vma: Vma, page: PageIndex): number {
  return page - vma.first + vma.pgoff;
}

/** Where the page with linear index `index` would be mapped, or 'none' if outside. */
export function addressInVma(vma: Vma, index: number): PageIndex | 'none' {
  const page = vma.first + (index - vma.pgoff);
  return page >= vma.first && page < vma.end ? (page as PageIndex) : 'none';
}

/** The position of the first mapping that ends above `page`; the length of the list if there is none. */
export function findVmaPosition(vmas: VmaList, page: PageIndex): number {
  let low = 0;
  let high = vmas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((vmas[middle] as Vma).end > page) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** find_vma(): the first mapping that ends above `page`. */
export function findVma(vmas: VmaList, page: PageIndex): Vma | 'none' {
  return vmas[findVmaPosition(vmas, page)] ?? 'none';
}

/** vma_lookup(): the mapping that covers `page`. */
export function vmaLookup(vmas: VmaList, page: PageIndex): Vma | 'none' {
  const vma = findVma(vmas, page);
  return vma !== 'none' && vma.first <= page ? vma : 'none';
}

/** The mappings that overlap `range`, in order. A copy: the caller may split them. */
export function vmasIn(vmas: VmaList, range: PageRange): Vma[] {
  const found: Vma[] = [];
  for (let at = findVmaPosition(vmas, range.first); at < vmas.length; at += 1) {
    const vma = vmas[at] as Vma;
    if (vma.first >= range.end) break;
    found.push(vma);
  }
  return found;
}

/** Whether anonymous pages of two neighbours may share an anon_vma (anon_vma_compatible, reusable_anon_vma). */
export function reusableAnonVma(lower: Vma, upper: Vma, owner: Vma): AnonVma | undefined {
  const compatible =
    lower.end === upper.first &&
    lower.file === upper.file &&
    lower.kind === upper.kind &&
    lower.accounted === upper.accounted &&
    upper.pgoff === lower.pgoff + vmaPages(lower);
  return compatible && owner.anonVma !== 'none' && owner.chain.length === 1
    ? owner.anonVma
    : undefined;
}
