/**
 * struct page, one row a frame, in typed columns that grow: a million frames fit in a few dozen bytes each.
 * System memory is numbered from 1; frame 0 is the shared zero page; device-private memory starts at
 * DEVICE_PFN_BASE.
 *
 * A huge page is 512 frames in a row, each with counts of its own; what Linux keeps in the head is the same for all.
 *
 * Leaves out: zones, per-CPU lists. A freed frame is the next to be handed out, as with the
 * per-CPU lists of Linux: that is what makes a stale mapping dangerous.
 */
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Pfn, PTRS_PER_PTE } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { type PageContents, ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';

/** The shared zero page. Not counted, never freed. */
export const ZERO_PFN = 0 as Pfn;
/** Where device-private frames begin. */
export const DEVICE_PFN_BASE = 2 ** 23;
/** What one FOLL_PIN adds to the reference count (GUP_PIN_COUNTING_BIAS). */
export const PIN_BIAS = 1024;

export const PAGE_IN_USE = 1;
export const PAGE_LOCKED = 2;
export const PAGE_LRU = 4;
export const PAGE_ANON = 8;
export const PAGE_ANON_EXCLUSIVE = 16;
export const PAGE_DIRTY = 32;
export const PAGE_SWAPBACKED = 64;
export const PAGE_SWAPCACHE = 128;
export const PAGE_FILE = 256;
/** Part of a huge page that has not been split. The head is the frame whose number is a multiple of 512. */
export const PAGE_COMPOUND = 512;

interface Columns {
  refcount: Int32Array;
  mapcount: Int32Array;
  flags: Uint16Array;
  /** The id of the anon_vma or the file. */
  mapping: Uint32Array;
  /** The linear page index within the mapping, or the swap slot of a page that is only in the swap cache. */
  index: Float64Array;
}

interface Zone {
  readonly base: number;
  readonly limit: number;
  /** Rows handed out so far. */
  used: number;
  readonly free: Pfn[];
  columns: Columns;
}

export interface Frames {
  readonly system: Zone;
  readonly device: Zone;
  /** Bytes of frames that were written; absent means zeros. */
  readonly contents: Map<Pfn, PageContents>;
  /** Told of each change of a reference or map count, before it happens. */
  readonly onCount: (pfn: Pfn) => void;
  /** The swap slot of pages in the swap cache (page_private). */
  readonly swapSlots: Map<Pfn, number>;
}

const ROWS_AT_FIRST = 8;

/** `systemPages` and `devicePages` bound what can be allocated. */
export function newFrames(
  systemPages: number,
  devicePages: number,
  onCount: (pfn: Pfn) => void,
): Frames {
  return {
    onCount,
    system: newZone(1, systemPages),
    device: newZone(DEVICE_PFN_BASE, devicePages),
    contents: new Map(),
    swapSlots: new Map(),
  };
}

function newZone(base: number, limit: number): Zone {
  return { base, limit, used: 0, free: [], columns: newColumns(ROWS_AT_FIRST) };
}

function newColumns(rows: number): Columns {
  return {
    refcount: new Int32Array(rows),
    mapcount: new Int32Array(rows),
    flags: new Uint16Array(rows),
    mapping: new Uint32Array(rows),
    index: new Float64Array(rows),
  };
}

function grow(zone: Zone, rows: number): void {
  const old = zone.columns;
  const columns = newColumns(Math.max(rows, old.refcount.length * 2));
  columns.refcount.set(old.refcount);
  columns.mapcount.set(old.mapcount);
  columns.flags.set(old.flags);
  columns.mapping.set(old.mapping);
  columns.index.set(old.index);
  zone.columns = columns;
}

function zoneOf(frames: Frames, pfn: Pfn): Zone {
  return pfn >= DEVICE_PFN_BASE ? frames.device : frames.system;
}

/** What the counts of one frame are called when tasks conflict on them. */
export function pageObject(pfn: Pfn): ObjectId {
  return objectId('page', 0, pfn);
}

export function isDevicePfn(pfn: Pfn): boolean {
  return pfn >= DEVICE_PFN_BASE;
}

/** True for frames that exist: handed out once, in use or free. */
export function frameExists(frames: Frames, pfn: Pfn): boolean {
  const zone = zoneOf(frames, pfn);
  return pfn === ZERO_PFN || (pfn >= zone.base && pfn < zone.base + zone.used);
}

/** A frame of system memory with one reference and no contents, or 'none' when memory is used up. */
export function allocFrame(frames: Frames): Pfn | 'none' {
  const zone = frames.system;
  const reused = zone.free.pop();
  if (reused !== undefined) {
    takeIntoUse(frames, reused);
    return reused;
  }
  if (zone.used === zone.limit) return 'none';
  const pfn = (zone.base + zone.used) as Pfn;
  if (zone.used === zone.columns.refcount.length) grow(zone, zone.used + 1);
  zone.used += 1;
  takeIntoUse(frames, pfn);
  return pfn;
}

/** 512 frames in a row, from a multiple of 512, each with one reference; 'none' if memory has no such row. */
export function allocHugeFrames(frames: Frames): Pfn | 'none' {
  const zone = frames.system;
  const next = zone.base + zone.used;
  const first = Math.ceil(next / PTRS_PER_PTE) * PTRS_PER_PTE;
  const used = first + PTRS_PER_PTE - zone.base;
  if (used > zone.limit) return 'none';
  if (used > zone.columns.refcount.length) grow(zone, used);
  zone.used = used;
  for (let skipped = next; skipped < first; skipped += 1) zone.free.unshift(skipped as Pfn);
  for (let at = 0; at < PTRS_PER_PTE; at += 1) {
    takeIntoUse(frames, (first + at) as Pfn);
    setFlag(frames, (first + at) as Pfn, PAGE_COMPOUND);
  }
  return first as Pfn;
}

/** `count` device frames, none of them in use yet; 'none' beyond the machine's limit. */
export function addDeviceFrames(frames: Frames, count: number): Pfn | 'none' {
  const zone = frames.device;
  if (zone.used + count > zone.limit) return 'none';
  const first = (zone.base + zone.used) as Pfn;
  if (zone.used + count > zone.columns.refcount.length) grow(zone, zone.used + count);
  zone.used += count;
  return first;
}

export function takeIntoUse(frames: Frames, pfn: Pfn): void {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.refcount[row] = 1;
  zone.columns.mapcount[row] = 0;
  zone.columns.flags[row] = PAGE_IN_USE;
  zone.columns.mapping[row] = 0;
  zone.columns.index[row] = 0;
}

/** Gives a frame back. Its last reference must be gone and nothing may map it (FR1, FR2). */
export function freeFrame(frames: Frames, pfn: Pfn): void {
  invariant(hasFlag(frames, pfn, PAGE_IN_USE), 'FR1', { pfn });
  invariant(mapcount(frames, pfn) === 0, 'FR2', { pfn, mapcount: mapcount(frames, pfn) });
  const zone = zoneOf(frames, pfn);
  zone.columns.flags[pfn - zone.base] = 0;
  frames.contents.delete(pfn);
  if (zone === frames.system) zone.free.push(pfn);
}

export function refcount(frames: Frames, pfn: Pfn): number {
  const zone = zoneOf(frames, pfn);
  return zone.columns.refcount[pfn - zone.base] ?? 0;
}

export function mapcount(frames: Frames, pfn: Pfn): number {
  const zone = zoneOf(frames, pfn);
  return zone.columns.mapcount[pfn - zone.base] ?? 0;
}

/** get_page(): `count` more references on a frame that has one (FR3). */
export function getPage(frames: Frames, pfn: Pfn, count: number): void {
  if (pfn === ZERO_PFN) return;
  frames.onCount(pfn);
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  invariant((zone.columns.refcount[row] ?? 0) > 0, 'FR3', { pfn });
  zone.columns.refcount[row] = (zone.columns.refcount[row] ?? 0) + count;
}

/** Drops `count` references and says how many are left. The caller frees at zero. */
export function dropReferences(frames: Frames, pfn: Pfn, count: number): number {
  frames.onCount(pfn);
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  const left = (zone.columns.refcount[row] ?? 0) - count;
  invariant(left >= 0, 'FR3', { pfn, left });
  zone.columns.refcount[row] = left;
  return left;
}

/** page_maybe_dma_pinned(). */
export function maybeDmaPinned(frames: Frames, pfn: Pfn): boolean {
  return refcount(frames, pfn) >= PIN_BIAS;
}

export function addMapcount(frames: Frames, pfn: Pfn, change: 1 | -1): void {
  frames.onCount(pfn);
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  const count = (zone.columns.mapcount[row] ?? 0) + change;
  invariant(count >= 0, 'FR4', { pfn, count });
  zone.columns.mapcount[row] = count;
}

export function hasFlag(frames: Frames, pfn: Pfn, flag: number): boolean {
  const zone = zoneOf(frames, pfn);
  return ((zone.columns.flags[pfn - zone.base] ?? 0) & flag) !== 0;
}

export function setFlag(frames: Frames, pfn: Pfn, flag: number): void {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.flags[row] = (zone.columns.flags[row] ?? 0) | flag;
}

export function clearFlag(frames: Frames, pfn: Pfn, flag: number): void {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.flags[row] = (zone.columns.flags[row] ?? 0) & ~flag;
}

/** page->mapping and page->index. */
export function mappingOf(
  frames: Frames,
  pfn: Pfn,
): { readonly id: number; readonly index: number } {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  return { id: zone.columns.mapping[row] ?? 0, index: zone.columns.index[row] ?? 0 };
}

export function setMapping(frames: Frames, pfn: Pfn, id: number, index: number): void {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.mapping[row] = id;
  zone.columns.index[row] = index;
}

export function contentsOf(frames: Frames, pfn: Pfn): PageContents {
  return frames.contents.get(pfn) ?? ZERO_CONTENTS;
}

/** A page of zeros is not stored. */
export function setContents(frames: Frames, pfn: Pfn, contents: PageContents): void {
  if (contents.length === 0) frames.contents.delete(pfn);
  else frames.contents.set(pfn, contents);
}

/** Every frame in use, system memory first, in ascending order. */
export function* framesInUse(frames: Frames): Iterable<Pfn> {
  for (const zone of [frames.system, frames.device]) {
    for (let row = 0; row < zone.used; row += 1) {
      if (((zone.columns.flags[row] ?? 0) & PAGE_IN_USE) !== 0) yield (zone.base + row) as Pfn;
    }
  }
}
