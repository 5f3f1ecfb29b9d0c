/**
 * struct page, one row a frame, in typed columns that grow: a million frames fit in a few dozen bytes each.
 * System memory is numbered from 1; frame 0 is the shared zero page; device-private memory starts at
 * DEVICE_PFN_BASE.
 *
 * A huge page is 512 frames in a row (a machine may have fewer), each with counts of its own; what Linux keeps in the
 * head is the same for all.
 *
 * Leaves out: zones, per-CPU lists. A freed frame is the next to be handed out, as with the
 * per-CPU lists of Linux: that is what makes a stale mapping dangerous.
 */
import { type TaskContext, type TouchMode, touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { ALLOCATORS, PAGE_OWNERS } from '../../task/object-owners.ts';
import type { Pfn } from '../../vocabulary/address.ts';
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
/** Part of a huge page that has not been split. The head is the frame whose number is a multiple of its size. */
export const PAGE_COMPOUND = 512;

/** Flags that change while other tasks may look at them. The others are set before a page is published. */
const CHANGING_FLAGS =
  PAGE_LRU | PAGE_ANON_EXCLUSIVE | PAGE_DIRTY | PAGE_SWAPBACKED | PAGE_SWAPCACHE | PAGE_COMPOUND;

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
  /** What taking frames and giving them back is called when tasks conflict on it. */
  readonly allocator: ObjectId;
  /** Rows handed out so far. */
  used: number;
  readonly free: Pfn[];
  columns: Columns;
}

export interface Frames {
  readonly system: Zone;
  readonly device: Zone;
  /** Memory of devices that are gone, in ascending order, none next to another. */
  readonly deviceHoles: { readonly first: number; readonly count: number }[];
  /** Bytes of frames that were written; absent means zeros. */
  readonly contents: Map<Pfn, PageContents>;
  /** Every access to a row is noted here for an explorer. */
  readonly context: TaskContext;
  /** The swap slot of pages in the swap cache (page_private). */
  readonly swapSlots: Map<Pfn, number>;
}

const ROWS_AT_FIRST = 8;

/** `systemPages` and `devicePages` bound what can be allocated. */
export function newFrames(systemPages: number, devicePages: number, context: TaskContext): Frames {
  return {
    context,
    system: newZone(1, systemPages, objectId('allocator', 0, ALLOCATORS.systemFrames)),
    device: newZone(
      DEVICE_PFN_BASE,
      devicePages,
      objectId('allocator', 0, ALLOCATORS.deviceFrames),
    ),
    deviceHoles: [],
    contents: new Map(),
    swapSlots: new Map(),
  };
}

function newZone(base: number, limit: number, allocator: ObjectId): Zone {
  return { base, limit, allocator, used: 0, free: [], columns: newColumns(ROWS_AT_FIRST) };
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

/** What the references of one frame are called when tasks conflict on them. */
export function pageObject(pfn: Pfn): ObjectId {
  return objectId('page', PAGE_OWNERS.references, pfn);
}

/** The same for how often it is mapped. */
export function mapcountObject(pfn: Pfn): ObjectId {
  return objectId('page', PAGE_OWNERS.mapcount, pfn);
}

/** The same for page->mapping and page->index. */
export function mappingObject(pfn: Pfn): ObjectId {
  return objectId('page', PAGE_OWNERS.mapping, pfn);
}

/** The same for one of CHANGING_FLAGS. */
export function flagObject(pfn: Pfn, flag: number): ObjectId {
  return objectId('page', PAGE_OWNERS.firstFlag + Math.log2(flag), pfn);
}

/** What the bytes of one frame are called when tasks conflict on them. */
export function contentsObject(pfn: Pfn): ObjectId {
  return objectId('contents', 0, pfn);
}

function touchFlags(frames: Frames, pfn: Pfn, flags: number, mode: TouchMode): void {
  if (frames.context.footprint === 'off') return;
  for (let flag = PAGE_LRU; flag <= PAGE_COMPOUND; flag *= 2) {
    if ((flags & CHANGING_FLAGS & flag) !== 0) touch(frames.context, flagObject(pfn, flag), mode);
  }
}

/** Frames are as good as each other, so taking one commutes with taking another, unless they run out. */
function touchAllocator(frames: Frames, zone: Zone): void {
  const left = zone.free.length + zone.limit - zone.used;
  touch(frames.context, zone.allocator, left > 1 ? 'lower' : 'write');
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
  touchAllocator(frames, zone);
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

/** `count` frames in a row, from a multiple of `count`, each with one reference; 'none' if memory has no such row. */
export function allocHugeFrames(frames: Frames, count: number): Pfn | 'none' {
  const zone = frames.system;
  touch(frames.context, zone.allocator, 'write');
  const next = zone.base + zone.used;
  const first = Math.ceil(next / count) * count;
  const used = first + count - zone.base;
  if (used > zone.limit) return 'none';
  if (used > zone.columns.refcount.length) grow(zone, used);
  zone.used = used;
  for (let skipped = next; skipped < first; skipped += 1) zone.free.unshift(skipped as Pfn);
  for (let at = 0; at < count; at += 1) {
    takeIntoUse(frames, (first + at) as Pfn);
    setFlag(frames, (first + at) as Pfn, PAGE_COMPOUND);
  }
  return first as Pfn;
}

/** `count` device frames, none of them in use yet; 'none' beyond the machine's limit. */
export function addDeviceFrames(frames: Frames, count: number): Pfn | 'none' {
  const zone = frames.device;
  // Numbers differ with the order, and nothing else, unless the limit comes near.
  const roomy = zone.used + 2 * count <= zone.limit && frames.deviceHoles.length === 0;
  touch(frames.context, zone.allocator, roomy ? 'lower' : 'write');
  const reused = takeHole(frames, count);
  if (reused !== 'none') return reused;
  if (zone.used + count > zone.limit) return 'none';
  const first = (zone.base + zone.used) as Pfn;
  if (zone.used + count > zone.columns.refcount.length) grow(zone, zone.used + count);
  zone.used += count;
  return first;
}

/** The first hole that is large enough gives what is asked for. */
function takeHole({ deviceHoles }: Frames, wanted: number): Pfn | 'none' {
  const at = deviceHoles.findIndex(({ count }) => count >= wanted);
  const hole = deviceHoles[at];
  if (hole === undefined) return 'none';
  const { first, count } = hole;
  const rest = count > wanted ? [{ first: first + wanted, count: count - wanted }] : [];
  deviceHoles.splice(at, 1, ...rest);
  return first as Pfn;
}

/** Device frames of which none is in use may be handed out again, to any device. */
export function removeDeviceFrames(frames: Frames, first: Pfn, count: number): void {
  const { device, deviceHoles } = frames;
  touch(frames.context, device.allocator, 'write');
  const found = deviceHoles.findIndex((hole) => hole.first > first);
  const at = found < 0 ? deviceHoles.length : found;
  const [before, after] = [deviceHoles[at - 1], deviceHoles[at]];
  let made = { first: first as number, count };
  let [from, replaced] = [at, 0];
  if (before !== undefined && before.first + before.count === first) {
    made = { first: before.first, count: before.count + made.count };
    from -= 1;
    replaced += 1;
  }
  if (after !== undefined && made.first + made.count === after.first) {
    made.count += after.count;
    replaced += 1;
  }
  deviceHoles.splice(from, replaced, made);
  // What lies at the end was never handed out.
  if (made.first + made.count !== device.base + device.used) return;
  device.used -= made.count;
  deviceHoles.pop();
}

export function takeIntoUse(frames: Frames, pfn: Pfn): void {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  touch(frames.context, pageObject(pfn), 'write');
  touch(frames.context, mappingObject(pfn), 'write');
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
  touchFlags(frames, pfn, zone.columns.flags[pfn - zone.base] ?? 0, 'lower');
  touch(frames.context, mappingObject(pfn), 'write');
  zone.columns.flags[pfn - zone.base] = 0;
  setContents(frames, pfn, ZERO_CONTENTS);
  if (zone !== frames.system) return;
  touch(frames.context, zone.allocator, 'raise');
  zone.free.push(pfn);
}

export function refcount(frames: Frames, pfn: Pfn): number {
  touch(frames.context, pageObject(pfn), 'read');
  const zone = zoneOf(frames, pfn);
  return zone.columns.refcount[pfn - zone.base] ?? 0;
}

export function mapcount(frames: Frames, pfn: Pfn): number {
  touch(frames.context, mapcountObject(pfn), 'read');
  const zone = zoneOf(frames, pfn);
  return zone.columns.mapcount[pfn - zone.base] ?? 0;
}

/** get_page(): `count` more references on a frame that has one (FR3). */
export function getPage(frames: Frames, pfn: Pfn, count: number): void {
  if (pfn === ZERO_PFN) return;
  touch(frames.context, pageObject(pfn), 'add');
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  invariant((zone.columns.refcount[row] ?? 0) > 0, 'FR3', { pfn });
  zone.columns.refcount[row] = (zone.columns.refcount[row] ?? 0) + count;
}

/** Drops `count` references and says how many are left. The caller frees at zero. */
export function dropReferences(frames: Frames, pfn: Pfn, count: number): number {
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  const left = (zone.columns.refcount[row] ?? 0) - count;
  // Who drops the last one frees the page. So the last two do not commute, and where others come first, any two.
  touch(frames.context, pageObject(pfn), left > 1 ? 'add' : 'write');
  invariant(left >= 0, 'FR3', { pfn, left });
  zone.columns.refcount[row] = left;
  return left;
}

/** page_maybe_dma_pinned(). */
export function maybeDmaPinned(frames: Frames, pfn: Pfn): boolean {
  return refcount(frames, pfn) >= PIN_BIAS;
}

export function addMapcount(frames: Frames, pfn: Pfn, change: 1 | -1): void {
  touch(frames.context, mapcountObject(pfn), 'add');
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  const count = (zone.columns.mapcount[row] ?? 0) + change;
  invariant(count >= 0, 'FR4', { pfn, count });
  zone.columns.mapcount[row] = count;
}

export function hasFlag(frames: Frames, pfn: Pfn, flag: number): boolean {
  touchFlags(frames, pfn, flag, 'read');
  const zone = zoneOf(frames, pfn);
  return ((zone.columns.flags[pfn - zone.base] ?? 0) & flag) !== 0;
}

/** All flags of one frame, as PAGE_* bits: for an observer. */
export function frameFlags(frames: Frames, pfn: Pfn): number {
  const zone = zoneOf(frames, pfn);
  return zone.columns.flags[pfn - zone.base] ?? 0;
}

/** Several flags at once, as in clearFlag(). */
export function setFlag(frames: Frames, pfn: Pfn, flag: number): void {
  touchFlags(frames, pfn, flag, 'raise');
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.flags[row] = (zone.columns.flags[row] ?? 0) | flag;
}

export function clearFlag(frames: Frames, pfn: Pfn, flag: number): void {
  touchFlags(frames, pfn, flag, 'lower');
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.flags[row] = (zone.columns.flags[row] ?? 0) & ~flag;
}

/** page->mapping and page->index. */
export function mappingOf(
  frames: Frames,
  pfn: Pfn,
): { readonly id: number; readonly index: number } {
  touch(frames.context, mappingObject(pfn), 'read');
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  return { id: zone.columns.mapping[row] ?? 0, index: zone.columns.index[row] ?? 0 };
}

export function setMapping(frames: Frames, pfn: Pfn, id: number, index: number): void {
  touch(frames.context, mappingObject(pfn), 'write');
  const zone = zoneOf(frames, pfn);
  const row = pfn - zone.base;
  zone.columns.mapping[row] = id;
  zone.columns.index[row] = index;
}

export function contentsOf(frames: Frames, pfn: Pfn): PageContents {
  touch(frames.context, contentsObject(pfn), 'read');
  return frames.contents.get(pfn) ?? ZERO_CONTENTS;
}

/** A page of zeros is not stored. */
export function setContents(frames: Frames, pfn: Pfn, contents: PageContents): void {
  touch(frames.context, contentsObject(pfn), 'write');
  if (contents.length === 0) frames.contents.delete(pfn);
  else frames.contents.set(pfn, contents);
}

/** The swap slot of a page in the swap cache, or 'none'. Goes with PAGE_SWAPCACHE. */
export function swapSlotOf(frames: Frames, pfn: Pfn): number | 'none' {
  touchFlags(frames, pfn, PAGE_SWAPCACHE, 'read');
  return frames.swapSlots.get(pfn) ?? 'none';
}

export function enterSwapCache(frames: Frames, pfn: Pfn, slot: number): void {
  frames.swapSlots.set(pfn, slot);
  setFlag(frames, pfn, PAGE_SWAPCACHE);
}

export function leaveSwapCache(frames: Frames, pfn: Pfn): void {
  frames.swapSlots.delete(pfn);
  clearFlag(frames, pfn, PAGE_SWAPCACHE);
}

/** Every frame in use, system memory first, in ascending order. */
export function framesInUse(frames: Frames): Pfn[] {
  const found: Pfn[] = [];
  for (const { base, used, columns } of [frames.system, frames.device]) {
    const { flags } = columns;
    for (let row = 0; row < used; row += 1) {
      if (((flags[row] ?? 0) & PAGE_IN_USE) !== 0) found.push((base + row) as Pfn);
    }
  }
  return found;
}
