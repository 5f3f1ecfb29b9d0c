import type { MirrorEntry } from '../../abi/device-api.ts';
import { MIRROR_NONE } from '../../abi/device-api.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';

/** What the devices' own page tables say, as the devices report it. */
export interface Mirrors {
  /** Devices in the order in which they joined the world. */
  readonly numbers: Map<string, number>;
  nextNumber: number;
  readonly byDevice: Map<string, Map<PageIndex, MirrorEntry>>;
  /** Of all devices. */
  entries: number;
  /** Which pages of which device name a frame; without any it is absent, device or frame. */
  readonly namedBy: Map<Pfn, Map<string, Set<PageIndex>>>;
}

export function newMirrors(): Mirrors {
  return { numbers: new Map(), nextNumber: 0, byDevice: new Map(), entries: 0, namedBy: new Map() };
}

/** A device joins: its page table is empty. */
export function addMirror(mirrors: Mirrors, device: string): void {
  if (mirrors.numbers.has(device)) return;
  mirrors.numbers.set(device, mirrors.nextNumber);
  mirrors.nextNumber += 1;
  mirrors.byDevice.set(device, new Map());
}

/** It has left, and maps nothing. */
export function removeMirror(mirrors: Mirrors, device: string): void {
  mirrors.numbers.delete(device);
  mirrors.byDevice.delete(device);
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
  if (before?.state === 'mapped') unname(mirrors, before.pfn, device, page);
  if (entry.state === 'none') table.delete(page);
  else {
    table.set(page, entry);
    name(mirrors, entry.pfn, device, page);
  }
}

function name(mirrors: Mirrors, pfn: Pfn, device: string, page: PageIndex): void {
  const { namedBy } = mirrors;
  let devices = namedBy.get(pfn);
  if (devices === undefined) {
    devices = new Map();
    namedBy.set(pfn, devices);
  }
  const pages = devices.get(device);
  if (pages === undefined) devices.set(device, new Set([page]));
  else pages.add(page);
  mirrors.entries += 1;
}

function unname(mirrors: Mirrors, pfn: Pfn, device: string, page: PageIndex): void {
  const { namedBy } = mirrors;
  mirrors.entries -= 1;
  const devices = namedBy.get(pfn);
  const pages = devices?.get(device);
  pages?.delete(page);
  if (pages?.size === 0) devices?.delete(device);
  if (devices?.size === 0) namedBy.delete(pfn);
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
