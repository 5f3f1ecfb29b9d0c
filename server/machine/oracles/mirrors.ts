import type { MirrorEntry } from '../../abi/device-api.ts';
import { MIRROR_NONE } from '../../abi/device-api.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';

/** What the devices' own page tables say, as the devices report it. */
export interface Mirrors {
  /** Devices in the order in which they joined the world. */
  readonly numbers: Map<string, number>;
  readonly byDevice: Map<string, Map<PageIndex, MirrorEntry>>;
  /** How many entries of all devices name a frame; absent means none. */
  readonly frames: Map<Pfn, number>;
}

export function newMirrors(): Mirrors {
  return { numbers: new Map(), byDevice: new Map(), frames: new Map() };
}

/** A device joins: its page table is empty. */
export function addMirror(mirrors: Mirrors, device: string): void {
  if (mirrors.numbers.has(device)) return;
  mirrors.numbers.set(device, mirrors.numbers.size);
  mirrors.byDevice.set(device, new Map());
}

export function deviceNumber(mirrors: Mirrors, device: string): number {
  return mirrors.numbers.get(device) ?? 0;
}

/**
 * What the oracles know of a device's entry, for an explorer: a step whose event they judge reads more than the step
 * itself, and does not commute with what changes that.
 */
export function seenObject(mirrors: Mirrors, device: string, page: PageIndex): ObjectId {
  return objectId('user', deviceNumber(mirrors, device), page);
}

export function mirrorEntry(mirrors: Mirrors, device: string, page: PageIndex): MirrorEntry {
  return mirrors.byDevice.get(device)?.get(page) ?? MIRROR_NONE;
}

export function setMirror(
  mirrors: Mirrors,
  device: string,
  page: PageIndex,
  entry: MirrorEntry,
): void {
  let table = mirrors.byDevice.get(device);
  if (table === undefined) {
    table = new Map();
    mirrors.byDevice.set(device, table);
  }
  const before = table.get(page);
  if (before?.state === 'mapped') count(mirrors, before.pfn, -1);
  if (entry.state === 'none') table.delete(page);
  else {
    table.set(page, entry);
    count(mirrors, entry.pfn, 1);
  }
}

function count(mirrors: Mirrors, pfn: Pfn, change: 1 | -1): void {
  const now = (mirrors.frames.get(pfn) ?? 0) + change;
  if (now === 0) mirrors.frames.delete(pfn);
  else mirrors.frames.set(pfn, now);
}

/** The mapped pages of one device inside `range`. */
export function mappedIn(
  table: ReadonlyMap<PageIndex, MirrorEntry>,
  range: PageRange,
): PageIndex[] {
  const pages: PageIndex[] = [];
  if (range.end - range.first < table.size) {
    for (let page: number = range.first; page < range.end; page += 1) {
      if (table.has(page as PageIndex)) pages.push(page as PageIndex);
    }
    return pages;
  }
  for (const page of table.keys()) {
    if (range.first <= page && page < range.end) pages.push(page);
  }
  return pages;
}
