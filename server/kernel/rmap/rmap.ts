/**
 * Reverse mapping: which mappings hold a page, how often it is mapped, and whether it belongs to one process alone
 * (anon-exclusive). Source: mm/rmap.c, include/linux/rmap.h (6.1).
 */
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { findMm, type Kernel, nextId } from '../kernel.ts';
import { linkVma, newAnonVma, rootOf, touchReverseMap, walkOrder } from '../memory/anon-vma.ts';
import {
  addMapcount,
  clearFlag,
  hasFlag,
  isDevicePfn,
  mapcount,
  mappingOf,
  maybeDmaPinned,
  PAGE_ANON,
  PAGE_ANON_EXCLUSIVE,
  PAGE_LRU,
  PAGE_SWAPBACKED,
  setFlag,
  setMapping,
} from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import type { AnonVma, Vma } from '../memory/mm-types.ts';
import {
  addressInVma,
  cloneChain,
  findVmaPosition,
  linearIndex,
  reusableAnonVma,
  setAnonVma,
  touchMappings,
} from '../memory/vma.ts';

/** anon_vma_prepare(): gives the mapping an anon_vma, a neighbour's where one fits. */
export function anonVmaPrepare(k: Kernel, mm: Mm, vma: Vma): AnonVma {
  if (vma.anonVma !== 'none') return vma.anonVma;
  const at = findVmaPosition(mm.vmas, vma.first);
  const next = mm.vmas[at + 1];
  const previous = mm.vmas[at - 1];
  const fromNext = next === undefined ? 'none' : reusableAnonVma(vma, next, next);
  const fromPrevious = previous === undefined ? 'none' : reusableAnonVma(previous, vma, previous);
  const reused = fromNext !== 'none' ? fromNext : fromPrevious;
  const anonVma = reused !== 'none' ? reused : registerAnonVma(k, 'self');
  vma.chain.push(anonVma);
  linkVma(anonVma, vma);
  setAnonVma(vma, anonVma);
  return anonVma;
}

function registerAnonVma(k: Kernel, parent: AnonVma | 'self'): AnonVma {
  const made = newAnonVma(k.context, nextId(k), parent);
  k.anonVmas.set(made.id, made);
  return made;
}

/** anon_vma_fork(): the child's mapping joins every anon_vma of the parent's and gets one of its own. */
export function anonVmaFork(k: Kernel, child: Vma, parent: Vma): void {
  if (parent.anonVma === 'none') return;
  cloneChain(child, parent);
  const idle = parent.chain.find(
    (anonVma) => anonVma.children < 2 && anonVma.activeVmas === 0 && anonVma !== parent.anonVma,
  );
  if (idle !== undefined) {
    setAnonVma(child, idle);
    return;
  }
  const own = registerAnonVma(k, parent.anonVma);
  child.chain.push(own);
  linkVma(own, child);
  setAnonVma(child, own);
}

export type RmapSharing = 'exclusive' | 'shared';

/** page_add_new_anon_rmap(): the first mapping of a page that nobody else has seen. */
export function pageAddNewAnonRmap(k: Kernel, mm: Mm, vma: Vma, page: PageIndex, pfn: Pfn): void {
  const anonVma = anonVmaPrepare(k, mm, vma);
  setFlag(k.frames, pfn, PAGE_ANON | PAGE_ANON_EXCLUSIVE | PAGE_SWAPBACKED);
  setMapping(k.frames, pfn, anonVma.id, linearIndex(vma, page));
  addMapcount(k.frames, pfn, 1);
  if (!isDevicePfn(pfn)) setFlag(k.frames, pfn, PAGE_LRU);
}

/** page_add_anon_rmap(): one more mapping of a page that may be known already. */
export function pageAddAnonRmap(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
  pfn: Pfn,
  sharing: RmapSharing,
): void {
  if (!hasFlag(k.frames, pfn, PAGE_ANON)) {
    const own = anonVmaPrepare(k, mm, vma);
    const anonVma = sharing === 'exclusive' ? own : rootOf(own);
    setFlag(k.frames, pfn, PAGE_ANON | PAGE_SWAPBACKED);
    setMapping(k.frames, pfn, anonVma.id, linearIndex(vma, page));
  }
  if (sharing === 'exclusive') setFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  addMapcount(k.frames, pfn, 1);
}

export function pageAddFileRmap(k: Kernel, pfn: Pfn): void {
  addMapcount(k.frames, pfn, 1);
}

/** page_remove_rmap(): one mapping less. Not yet freed: the caller still owns that mapping's reference. */
export function pageRemoveRmap(k: Kernel, pfn: Pfn): void {
  addMapcount(k.frames, pfn, -1);
}

/** page_move_anon_rmap(): the page now belongs to this mapping alone. */
export function pageMoveAnonRmap(k: Kernel, vma: Vma, pfn: Pfn): void {
  if (vma.anonVma !== 'none') {
    setMapping(k.frames, pfn, vma.anonVma.id, mappingOf(k.frames, pfn).index);
  }
  setFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
}

/** page_try_share_anon_rmap(): gives up exclusivity before the page is unmapped; refuses pinned pages. */
export function pageTryShareAnonRmap(k: Kernel, pfn: Pfn): 'shared' | 'pinned' {
  if (!isDevicePfn(pfn) && maybeDmaPinned(k.frames, pfn)) return 'pinned';
  clearFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  return 'shared';
}

/** page_try_dup_anon_rmap(): a second process maps the page; refuses pages that fork must copy. */
export function pageTryDupAnonRmap(k: Kernel, parent: Mm, pfn: Pfn): 'duplicated' | 'pinned' {
  if (hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE)) {
    if (!isDevicePfn(pfn) && parent.hasPinned && maybeDmaPinned(k.frames, pfn)) return 'pinned';
    clearFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  }
  addMapcount(k.frames, pfn, 1);
  return 'duplicated';
}

/** One place where a page may be mapped. */
export interface MappedAt {
  readonly mm: Mm;
  readonly vma: Vma;
  readonly page: PageIndex;
}

/**
 * Every mapping that covers the page, in the order of rmap_walk(); whether it maps it must be looked up.
 *
 * In Linux a walk holds the lock of the anon_vma or of i_mmap, which keeps out whoever links a mapping, and mremap()
 * where the walk could miss an entry on its way. Here nobody is kept out; a walk that they disturb is walked again:
 *
 *   walk                                mremap
 *     looks at the new place: empty
 *                                         moves the entry there
 *     looks at the old place: empty       <- missed, but for the second walk
 */
export function* rmapWalk(k: Kernel, pfn: Pfn): Iterable<MappedAt> {
  for (;;) {
    const before = rmapChanges(k, pfn);
    yield* placesOf(k, pfn);
    if (rmapChanges(k, pfn) === before) return;
  }
}

/** Counts links, unlinks and moved entries behind the reverse map of a page. */
function rmapChanges(k: Kernel, pfn: Pfn): number {
  const { id } = mappingOf(k.frames, pfn);
  if (!hasFlag(k.frames, pfn, PAGE_ANON)) {
    const file = k.files.get(id);
    if (file !== undefined) touchMappings(file, 'read');
    return file?.changes ?? 0;
  }
  const anonVma = k.anonVmas.get(id);
  if (anonVma === undefined) return 0;
  touchReverseMap(anonVma, 'read');
  return rootOf(anonVma).changes;
}

/** An entry of `vma` moves: walks that are under way must look again. */
export function noteMovedEntry(vma: Vma): void {
  if (vma.anonVma !== 'none') {
    touchReverseMap(vma.anonVma, 'write');
    rootOf(vma.anonVma).changes += 1;
  }
  if (vma.file !== 'none') {
    touchMappings(vma.file, 'write');
    vma.file.changes += 1;
  }
}

function placesOf(k: Kernel, pfn: Pfn): MappedAt[] {
  const { id, index } = mappingOf(k.frames, pfn);
  const vmas = hasFlag(k.frames, pfn, PAGE_ANON) ? anonVmasVmas(k, id) : fileVmas(k, id);
  const places: MappedAt[] = [];
  for (const vma of vmas) {
    const page = addressInVma(vma, index);
    const mm = findMm(k, vma.mm);
    if (page !== 'none' && mm !== undefined) places.push({ mm, vma, page });
  }
  return places;
}

function fileVmas(k: Kernel, id: number): readonly Vma[] {
  const file = k.files.get(id);
  if (file === undefined) return [];
  touchMappings(file, 'read');
  return file.vmas;
}

function anonVmasVmas(k: Kernel, id: number): Vma[] {
  const anonVma = k.anonVmas.get(id);
  return anonVma === undefined ? [] : walkOrder(anonVma);
}

export function pageMapped(k: Kernel, pfn: Pfn): boolean {
  return mapcount(k.frames, pfn) > 0;
}
