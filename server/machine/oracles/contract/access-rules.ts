/**
 * What a device may reach: what its own page table maps, and the pages that it is copying.
 *
 * Rules: CR15, CR22.
 */
import type { DmaTarget } from '../../../abi/device-api.ts';
import type { Event } from '../../../abi/event.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../abi/migrate-pfn.ts';
import { touch } from '../../../task/context.ts';
import { contains, hexAddress, type PageIndex, type Pfn } from '../../../vocabulary/address.ts';
import { seenObject } from '../mirrors.ts';
import { breach, frameName, type OwnMigration, type WatchedDevice } from './contract.ts';

/** The device reaches a frame just now: that its entry was there when it asked for DMA is not enough. */
export function checkAccess(
  device: WatchedDevice,
  event: Extract<Event, { kind: 'device-access' }>,
): void {
  const { mode } = event;
  const page = event.page as PageIndex;
  const pfn = event.pfn as Pfn;
  const call = event.memory === 'private' ? 'its own memory' : `dma_${mode}`;
  const { k, mirrors } = device.contract;
  touch(k.context, seenObject(mirrors, device.owner, page), 'read');
  const mapped = device.entries.get(page)?.entry;
  if (mapped?.pfn === pfn && (mode === 'read' || mapped.access !== 'read')) {
    if (mode === 'write') checkMigrating(device, call, page, pfn);
    return;
  }
  if (device.copying.has(pfn) || mayCopy(device, pfn)) return;
  const entry =
    mapped === undefined ? 'nothing' : `frame ${frameName(mapped.pfn)} (${mapped.access})`;
  const text =
    `${mode === 'read' ? 'read' : 'wrote'} ${hexAddress(page)} through frame ${frameName(pfn)} (${call}), and its ` +
    `page table maps ${entry} there`;
  breach(device, 'CR15', page, text);
}

/** The frame is a source or a destination of a migration of the device's own. */
function mayCopy(device: WatchedDevice, pfn: Pfn): boolean {
  if (device.unplaced.has(pfn)) return true;
  for (const { src, dst } of device.migrations.values()) {
    for (const entry of src) {
      if (migratePfnToPfn(entry) === pfn && migratePfnHas(entry, MIGRATE_PFN_MIGRATE)) return true;
    }
    for (const entry of dst) if (migratePfnToPfn(entry) === pfn) return true;
  }
  return false;
}

/** Rule 22: a driver that ignores the events of its migration has dropped each page before it copies it. */
function checkMigrating(device: WatchedDevice, call: string, page: PageIndex, pfn: Pfn): void {
  for (const own of device.migrations.values()) {
    if (sourceAt(own, page) !== pfn) continue;
    const text =
      `wrote ${hexAddress(page)} through frame ${frameName(pfn)} (${call}), which its own migration ` +
      `(event ${own.n}) copies`;
    breach(device, 'CR22', page, text);
  }
}

function sourceAt({ range, select, src }: OwnMigration, page: PageIndex): Pfn | 'none' {
  if (select === 'by-frame' || !contains(range, page)) return 'none';
  const entry = src[page - range.first] ?? MIGRATE_PFN_NONE;
  return migratePfnHas(entry, MIGRATE_PFN_MIGRATE) ? migratePfnToPfn(entry) : 'none';
}

/** DMA begins or ends. */
export function countInFlight(
  device: WatchedDevice,
  targets: readonly DmaTarget[],
  change: 1 | -1,
): void {
  const { inFlight, copying } = device;
  for (const { pfn } of targets) {
    const now = (inFlight.get(pfn) ?? 0) + change;
    if (change === 1 && mayCopy(device, pfn)) copying.add(pfn);
    if (now > 0) inFlight.set(pfn, now);
    else {
      inFlight.delete(pfn);
      copying.delete(pfn);
    }
  }
}
