/**
 * The mapping list of an mm, with the merging and splitting of mm/mmap.c (6.1).
 *
 * Leaves out: executable mappings, stacks, hugetlb, mempolicies, userfaultfd contexts.
 */
import { type TouchMode, touch } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import type { PageIndex, PageRange } from '../../vocabulary/address.ts';
import { linkVma, unlinkVma } from './anon-vma.ts';
import type { AnonVma, MemoryFile, Vma } from './mm-types.ts';

export type VmaShape = Pick<Vma, 'prot' | 'kind' | 'file' | 'accounted'>;

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

/** The list of mappings of a file is looked at, or changed. */
export function touchMappings(file: MemoryFile, mode: TouchMode): void {
  touch(file.context, objectId('rmap', 1, file.id), mode);
}

export function insertVma(vmas: VmaList, vma: Vma): void {
  vmas.splice(findVmaPosition(vmas, vma.first), 0, vma);
  if (vma.file === 'none') return;
  touchMappings(vma.file, 'write');
  vma.file.vmas.push(vma);
  vma.file.changes += 1;
}

export function removeVma(vmas: VmaList, vma: Vma): void {
  vmas.splice(vmas.indexOf(vma), 1);
  if (vma.file !== 'none') {
    touchMappings(vma.file, 'write');
    vma.file.vmas.splice(vma.file.vmas.indexOf(vma), 1);
    vma.file.changes += 1;
  }
  for (const anonVma of vma.chain) {
    unlinkVma(anonVma, vma);
    if (anonVma.vmas.length === 0 && anonVma.parent !== 'self') anonVma.parent.children -= 1;
  }
  vma.chain.length = 0;
  if (vma.anonVma !== 'none') vma.anonVma.activeVmas -= 1;
  vma.anonVma = 'none';
}

/** anon_vma_clone(): `to` may map whatever `from` may map. */
export function cloneChain(to: Vma, from: Vma): void {
  for (let at = from.chain.length - 1; at >= 0; at -= 1) {
    const anonVma = from.chain[at] as AnonVma;
    to.chain.unshift(anonVma);
    linkVma(anonVma, to);
  }
}

export function setAnonVma(vma: Vma, anonVma: AnonVma): void {
  vma.anonVma = anonVma;
  anonVma.activeVmas += 1;
}

/** The walk order of an anon_vma's interval tree is by pgoff; a mapping whose bounds change goes in anew. */
function relink(vma: Vma): void {
  for (const anonVma of vma.chain) {
    unlinkVma(anonVma, vma);
    linkVma(anonVma, vma);
  }
}

/** Moves the bounds of a mapping; its linear indices stay with its pages. */
export function resizeVma(vma: Vma, first: PageIndex, end: PageIndex): void {
  vma.pgoff += first - vma.first;
  vma.first = first;
  vma.end = end;
  relink(vma);
}

/**
 * split_vma(): makes `page` a boundary; the new mapping is the half that __split_vma() allocates.
 * Returns the upper half.
 */
export function splitVma(vmas: VmaList, vma: Vma, page: PageIndex, made: 'below' | 'above'): Vma {
  const half: Vma = {
    ...vma,
    anonVma: 'none',
    chain: [],
    first: made === 'below' ? vma.first : page,
    end: made === 'below' ? page : vma.end,
    pgoff: made === 'below' ? vma.pgoff : linearIndex(vma, page),
  };
  cloneChain(half, vma);
  if (vma.anonVma !== 'none') setAnonVma(half, vma.anonVma);
  if (made === 'below') resizeVma(vma, page, vma.end);
  else resizeVma(vma, vma.first, page);
  insertVma(vmas, half);
  return made === 'below' ? vma : half;
}

/** is_mergeable_anon_vma(): equal, or one is missing and `vma` was not cloned from a parent. */
function mergeableAnonVma(a: AnonVma | 'none', b: AnonVma | 'none', vma: Vma | 'any'): boolean {
  if ((a === 'none' || b === 'none') && (vma === 'any' || vma.chain.length === 1)) return true;
  return a === b;
}

function sameShape(vma: Vma, shape: VmaShape): boolean {
  return (
    vma.prot === shape.prot &&
    vma.kind === shape.kind &&
    vma.file === shape.file &&
    vma.accounted === shape.accounted
  );
}

interface MergeWish {
  readonly range: PageRange;
  readonly shape: VmaShape;
  readonly pgoff: number;
  readonly anonVma: AnonVma | 'none';
}

function canMergeAfter(vma: Vma, wish: MergeWish): boolean {
  return (
    vma.end === wish.range.first &&
    sameShape(vma, wish.shape) &&
    mergeableAnonVma(wish.anonVma, vma.anonVma, vma) &&
    vma.pgoff + vmaPages(vma) === wish.pgoff
  );
}

function canMergeBefore(vma: Vma, wish: MergeWish): boolean {
  return (
    vma.first === wish.range.end &&
    sameShape(vma, wish.shape) &&
    mergeableAnonVma(wish.anonVma, vma.anonVma, vma) &&
    vma.pgoff === wish.pgoff + (wish.range.end - wish.range.first)
  );
}

/** The mapping after the one at `at`, if that one ends with the range. */
function behind(vmas: VmaList, at: number, range: PageRange): Vma | undefined {
  return vmas[at]?.end === range.end ? vmas[at + 1] : undefined;
}

/** Takes over the chain of a neighbour that is about to be swallowed, if there is none yet. */
function inheritChain(vma: Vma, from: Vma): void {
  if (vma.anonVma !== 'none' || from.anonVma === 'none') return;
  cloneChain(vma, from);
  setAnonVma(vma, from.anonVma);
}

/**
 * vma_merge(): joins `wish` (a new mapping, or one whose shape changes) with its neighbours where the kernel
 * would. Mappings inside the range are swallowed.
 *
 * Holds: mmap_lock for writing. Returns: the mapping that now covers the range, or 'none'.
 */
export function mergeVma(vmas: VmaList, wish: MergeWish): Vma | 'none' {
  const at = findVmaPosition(vmas, wish.range.first);
  const inside = vmas[at];
  const covered = inside !== undefined && inside.first < wish.range.end ? inside : 'none';
  const previous = vmas[at - 1];
  const next = covered === 'none' ? vmas[at] : behind(vmas, at, wish.range);
  // A range that starts inside a mapping has that mapping itself as its predecessor (vma_merge case 4).
  const before = covered !== 'none' && covered.first < wish.range.first ? undefined : previous;
  const joinsBefore = before !== undefined && canMergeAfter(before, wish);
  const joinsNext = next !== undefined && canMergeBefore(next, wish);
  if (joinsBefore && joinsNext && mergeableAnonVma(before.anonVma, next.anonVma, 'any')) {
    inheritChain(before, next);
    if (covered !== 'none') {
      inheritChain(before, covered);
      removeVma(vmas, covered);
    }
    removeVma(vmas, next);
    resizeVma(before, before.first, next.end);
    return before;
  }
  if (joinsBefore) {
    if (covered !== 'none') {
      inheritChain(before, covered);
      if (covered.end === wish.range.end) removeVma(vmas, covered);
      else resizeVma(covered, wish.range.end, covered.end);
    }
    resizeVma(before, before.first, wish.range.end);
    return before;
  }
  if (joinsNext) {
    if (covered !== 'none') {
      inheritChain(next, covered);
      if (covered.first === wish.range.first) removeVma(vmas, covered);
      else resizeVma(covered, covered.first, wish.range.first);
    }
    resizeVma(next, wish.range.first, next.end);
    return next;
  }
  return 'none';
}

/** Whether anonymous pages of two neighbours may share an anon_vma (anon_vma_compatible, reusable_anon_vma). */
export function reusableAnonVma(lower: Vma, upper: Vma, owner: Vma): AnonVma | 'none' {
  const compatible =
    lower.end === upper.first &&
    lower.file === upper.file &&
    lower.kind === upper.kind &&
    lower.accounted === upper.accounted &&
    upper.pgoff === lower.pgoff + vmaPages(lower);
  return compatible && owner.anonVma !== 'none' && owner.chain.length === 1
    ? owner.anonVma
    : 'none';
}
