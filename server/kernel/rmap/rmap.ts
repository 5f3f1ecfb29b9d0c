/**
 * Reverse mapping: which mappings hold a page, how often it is mapped, and whether it belongs to one process alone
 * (anon-exclusive). Source: mm/rmap.c, include/linux/rmap.h (6.1).
 */
import { touch } from '../../task/context.ts';
import {
  type HeldForWrite,
  type RwSem,
  readLock,
  readUnlock,
  writeLock,
} from '../../task/rwsem.ts';
import type { Task, YieldPoint } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { findMm, type Kernel, type MappedAt, type RmapSharing, type RmapWalk } from '../kernel.ts';
import { rootOf, touchReverseMap } from '../memory/anon-vma.ts';
import { folioFrames } from '../memory/compound-page.ts';
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
import { touchMappings } from '../memory/memory-file.ts';
import { type Mm, pinnedObject } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { addressInVma, linearIndex } from '../memory/vma.ts';

/** page_add_new_anon_rmap(): the first mapping of a page that nothing else has seen. anonVmaPrepare() came before. */
export function pageAddNewAnonRmap(k: Kernel, mm: Mm, vma: Vma, page: PageIndex, pfn: Pfn): void {
  const { anonVma } = vma;
  invariant(anonVma !== 'none', 'RM1', { mm: mm.id, page, pfn });
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
    invariant(vma.anonVma !== 'none', 'RM1', { mm: mm.id, page, pfn });
    const anonVma = sharing === 'exclusive' ? vma.anonVma : rootOf(vma.anonVma);
    setFlag(k.frames, pfn, PAGE_ANON | PAGE_SWAPBACKED);
    setMapping(k.frames, pfn, anonVma.id, linearIndex(vma, page));
  }
  const { index } = mappingOf(k.frames, pfn);
  invariant(index === linearIndex(vma, page), 'RM2', { mm: mm.id, page, pfn });
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
  invariant(vma.anonVma !== 'none', 'RM1', { pfn });
  setMapping(k.frames, pfn, vma.anonVma.id, mappingOf(k.frames, pfn).index);
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
    touch(k.context, pinnedObject(parent.id), 'read');
    if (!isDevicePfn(pfn) && parent.hasPinned && maybeDmaPinned(k.frames, pfn)) return 'pinned';
    clearFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
  }
  addMapcount(k.frames, pfn, 1);
  return 'duplicated';
}

/**
 * rmap_walk(): every mapping that covers the page, whether it maps it or not; that must be looked up. The lock of the
 * anon_vma or of the file keeps mappings as they are meanwhile, and mremap() from carrying an entry past the walk:
 *
 *   walk                                mremap
 *     looks at the new place: empty
 *                                         moves the entry there     <- must wait, else the page is missed
 *     looks at the old place: empty
 *
 * Holds: the page lock, so that the page stays where it belongs. Takes: the anon_vma lock or i_mmap_rwsem for read.
 */
export function* rmapWalk(k: Kernel, pfn: Pfn, walk: RmapWalk): Task<void> {
  const anon = hasFlag(k.frames, pfn, PAGE_ANON);
  const unmapped = () => anon && walk.mapped === 'only' && !pageMapped(k, pfn);
  if (unmapped()) return;
  const sem = rmapSem(k, pfn);
  if (sem === undefined) return;
  const at = anon ? 'rmap_walk_anon.anon_vma_lock' : 'rmap_walk_file.i_mmap_lock';
  const held = yield* readLock(k.context, at, sem);
  // It may have lost its last mapping while the walk waited.
  if (!unmapped()) yield* visitPlaces(k, pfn, walk);
  readUnlock(k.context, held);
}

function rmapSem(k: Kernel, pfn: Pfn): RwSem | undefined {
  const { id } = mappingOf(k.frames, pfn);
  if (!hasFlag(k.frames, pfn, PAGE_ANON)) return k.files.get(id)?.iMmapRwsem;
  const anonVma = k.anonVmas.get(id);
  return anonVma === undefined ? undefined : rootOf(anonVma).rwsem;
}

/** anon_vma_lock_write() or i_mmap_lock_write() of whatever the page belongs to; 'none' if to nothing. */
export function* rmapLockWrite(k: Kernel, at: YieldPoint, pfn: Pfn): Task<HeldForWrite | 'none'> {
  const sem = rmapSem(k, pfn);
  return sem === undefined ? 'none' : yield* writeLock(k.context, at, sem);
}

/** The walk itself. Holds: the lock of the reverse map that the page is in. */
export function* visitPlaces(k: Kernel, pfn: Pfn, walk: RmapWalk): Task<void> {
  for (const place of folioPlacesOf(k, pfn)) {
    if ((yield* walk.visit(place)) === 'stop' || walk.done()) return;
  }
}

/** In the order of the interval tree. Holds: the lock of the reverse map that the page is in. */
export function placesOf(k: Kernel, pfn: Pfn): MappedAt[] {
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

/** Of a huge page one place in each mapping that covers a part of it: the first. */
function folioPlacesOf(k: Kernel, pfn: Pfn): MappedAt[] {
  const frames = folioFrames(k, pfn);
  if (frames.length === 1) return placesOf(k, pfn);
  const firsts = new Map<Vma, MappedAt>();
  for (const part of frames) {
    for (const place of placesOf(k, part)) {
      if (!firsts.has(place.vma)) firsts.set(place.vma, place);
    }
  }
  return [...firsts.values()];
}

function fileVmas(k: Kernel, id: number): readonly Vma[] {
  const file = k.files.get(id);
  if (file === undefined) return [];
  touchMappings(file, 'read');
  return file.vmas;
}

function anonVmasVmas(k: Kernel, id: number): readonly Vma[] {
  const anonVma = k.anonVmas.get(id);
  if (anonVma === undefined) return [];
  touchReverseMap(anonVma, 'read');
  return anonVma.vmas;
}

/** folio_mapped(): a huge page is mapped as long as any part is. */
export function pageMapped(k: Kernel, pfn: Pfn): boolean {
  return folioFrames(k, pfn).some((part) => mapcount(k.frames, part) > 0);
}

/**
 * anon_vma_prepare() in one step. Patches that were written before the reverse map had locks call it so, in what they
 * copied of the stock kernel. Code of today uses the function of the table, which takes the anon_vma lock.
 */
function prepareAtOnce(k: Kernel, mm: Mm, vma: Vma): void {
  finish(k.fn.anonVmaPrepare(k, mm, vma));
}

function finish(task: Task<void>): void {
  while (task.next().done !== true);
}

export { prepareAtOnce as anonVmaPrepare };
