/**
 * The page table of one device: what its own MMU would walk. Sparse; a page without an entry
 * faults.
 *
 * Models: the xarray of struct dmirror (lib/test_hmm.c, 6.1): storing and erasing an entry are
 * atomic by themselves.
 * Leaves out: a device TLB in front of it.
 */

import type { DeviceApi, MirrorEntry } from '../../../server/abi/device-api.ts';
import { MIRROR_NONE } from '../../../server/abi/device-api.ts';
import { type TaskContext, touch } from '../../../server/task/context.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import {
  nextPage,
  PAGES_MAX,
  type PageIndex,
  type PageRange,
} from '../../../server/vocabulary/address.ts';

export type MappedEntry = Extract<MirrorEntry, { state: 'mapped' }>;

export interface DevicePageTable {
  readonly deviceNumber: number;
  readonly api: DeviceApi;
  /** Every access is noted here for an explorer. */
  readonly context: TaskContext;
  /** What having an entry or not is called when tasks conflict on it: a look at a range sees what is not there, too. */
  readonly setObject: ObjectId;
  readonly entries: Map<PageIndex, MappedEntry>;
}

export function newDevicePageTable(
  deviceNumber: number,
  api: DeviceApi,
  context: TaskContext,
): DevicePageTable {
  const setObject = objectId('mirror', deviceNumber, PAGES_MAX);
  return { deviceNumber, api, context, setObject, entries: new Map() };
}

/** The object that accesses to the entry of `page` conflict on. */
export function entryObject(table: DevicePageTable, page: PageIndex): ObjectId {
  return objectId('mirror', table.deviceNumber, page);
}

export function entryAt(table: DevicePageTable, page: PageIndex): MirrorEntry {
  touch(table.context, entryObject(table, page), 'read');
  return table.entries.get(page) ?? MIRROR_NONE;
}

/** Announce a write of the entry before. Reports the change. */
export function setEntry(table: DevicePageTable, page: PageIndex, entry: MappedEntry): void {
  touch(table.context, entryObject(table, page), 'write');
  touch(table.context, table.setObject, 'add');
  table.entries.set(page, entry);
  table.api.mirrorChanged(page, entry);
}

/** Announce a write of the entry before. Reports the change, if it is one. */
export function dropEntry(table: DevicePageTable, page: PageIndex): void {
  touch(table.context, entryObject(table, page), 'write');
  touch(table.context, table.setObject, 'add');
  if (table.entries.delete(page)) table.api.mirrorChanged(page, MIRROR_NONE);
}

/** The pages with an entry, in order. */
export function allMapped(table: DevicePageTable): PageIndex[] {
  touch(table.context, table.setObject, 'read');
  return [...table.entries.keys()].sort((a, b) => a - b);
}

/** The pages with an entry from range.first up to and including range.end, in order. */
export function mappedThrough(table: DevicePageTable, range: PageRange): PageIndex[] {
  if (range.end - range.first >= table.entries.size) {
    return allMapped(table).filter((page) => page >= range.first && page <= range.end);
  }
  touch(table.context, table.setObject, 'read');
  const pages: PageIndex[] = [];
  for (let page = range.first; page <= range.end; page = nextPage(page)) {
    if (table.entries.has(page)) pages.push(page);
  }
  return pages;
}

/** The pages of `range` with an entry, in order. */
export function mappedIn(table: DevicePageTable, range: PageRange): PageIndex[] {
  return mappedThrough(table, range).filter((page) => page < range.end);
}
