/** Taking and dropping references, down to freeing. Source: mm/swap.c (__page_cache_release), mm/memremap.c. */

import type { DeviceOwner, PgmapOwner } from '../../abi/device-api.ts';
import type { Task } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel, Pgmap } from '../kernel.ts';
import {
  allocFrame,
  dropReferences,
  freeFrame,
  hasFlag,
  isDevicePfn,
  leaveSwapCache,
  PAGE_SWAPCACHE,
  refcount,
  removeDeviceFrames,
  swapSlotOf,
  ZERO_PFN,
} from './frames.ts';
import { freeSlotIfUnused, type SwapSlot, setSlotCached, slotAt } from './swap.ts';

/** References on a page of the swap cache that has no other user. */
const CALLER_AND_CACHE = 2;

/** alloc_page(): one reference, zero contents. 'none' when memory is used up. */
export function allocPage(k: Kernel): Pfn | 'none' {
  const pfn = allocFrame(k.frames);
  if (pfn !== 'none') k.emit({ kind: 'frame-alloc', pfn });
  return pfn;
}

/** put_page(): drops one reference; the last one frees the page, a device's page by calling its driver. */
export function* putPage(k: Kernel, pfn: Pfn): Task<void> {
  yield* putPages(k, pfn, 1);
}

/** Drops `count` references at once (a FOLL_PIN is worth PIN_BIAS). */
export function* putPages(k: Kernel, pfn: Pfn, count: number): Task<void> {
  if (pfn === ZERO_PFN) return;
  if (dropReferences(k.frames, pfn, count) > 0) return;
  if (isDevicePfn(pfn)) {
    const pgmap = pgmapOf(k, pfn);
    freeFrame(k.frames, pfn);
    k.emit({ kind: 'frame-free', pfn });
    yield* pgmap.driver.pageFree(pfn);
    if (pgmap.leftOver !== 'none') dropLeftOver(k, pgmap, pgmap.leftOver - 1);
    return;
  }
  freeFrame(k.frames, pfn);
  k.emit({ kind: 'frame-free', pfn });
}

/** memunmap_pages(): the device is gone, and its memory goes when none of its pages is in use any more. */
export function memunmapPages(k: Kernel, pgmap: Pgmap): void {
  let used = 0;
  for (let at = 0; at < pgmap.count; at += 1) {
    if (refcount(k.frames, (pgmap.first + at) as Pfn) > 0) used += 1;
  }
  dropLeftOver(k, pgmap, used);
}

function dropLeftOver(k: Kernel, pgmap: Pgmap, left: number): void {
  pgmap.leftOver = left;
  if (left > 0) return;
  k.pgmaps.splice(k.pgmaps.indexOf(pgmap), 1);
  removeDeviceFrames(k.frames, pgmap.first, pgmap.count);
}

/** The device memory that `pfn` belongs to. `pfn` must be a device frame. */
export function pgmapOf(k: Kernel, pfn: Pfn): Pgmap {
  const found = findPgmap(k, pfn);
  invariant(found !== 'none', 'DR1', { pfn });
  return found;
}

/** The same for a number that a device claims, which may be in the memory of no device. */
export function findPgmap(k: Kernel, pfn: Pfn): Pgmap | 'none' {
  const within = ({ first, count }: Pgmap) => first <= pfn && pfn < first + count;
  return k.pgmaps.find(within) ?? 'none';
}

/** The pgmap owner of a device's memory: what it passes as pgmap_owner and dev_private_owner. */
export function pgmapOwnerOf(k: Kernel, device: DeviceOwner): PgmapOwner {
  return k.pgmapOwners.get(device) ?? device;
}

/** The slot whose page in the swap cache `pfn` is, or 'none'. */
export function cachedIn(k: Kernel, pfn: Pfn): SwapSlot | 'none' {
  const number = swapSlotOf(k.frames, pfn);
  return number === 'none' ? 'none' : slotAt(k.swap, number);
}

/** delete_from_swap_cache(): the cache's reference goes; the slot goes if no entry names it. */
export function* dropSwapCache(k: Kernel, pfn: Pfn): Task<void> {
  if (!hasFlag(k.frames, pfn, PAGE_SWAPCACHE)) return;
  const slot = cachedIn(k, pfn);
  // Two pages of one slot: who has the first does not see what is written to the second.
  const alone = slot === 'none' || slot.uses === 0 || refcount(k.frames, pfn) <= CALLER_AND_CACHE;
  invariant(alone, 'SW1', { pfn });
  leaveSwapCache(k.frames, pfn);
  if (slot !== 'none') {
    setSlotCached(k.swap, slot, 'none');
    freeSlotIfUnused(k.swap, slot.number);
  }
  yield* putPage(k, pfn);
}
