/** Oracle 1: outside an open bracket a device's entry agrees with the CPU's, and a device reaches what the CPU maps. */
import type { Event } from '../../abi/event.ts';
import { isDevicePfn, mapcount, ZERO_PFN } from '../../kernel/memory/frames.ts';
import { pteIsDeviceExclusive, pteIsMigration, ptePfn } from '../../kernel/memory/pte.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import {
  agrees,
  beingInvalidated,
  copies,
  cpuEntry,
  describePte,
  frameName,
  MIRRORED_MM,
  migratesItself,
  migrating,
  owesAnswer,
  seenEntry,
} from './excuses.ts';
import { mappedIn } from './mirrors.ts';
import type { Oracle, Watched } from './oracle.ts';

type DeviceAccess = Extract<Event, { kind: 'device-access' }>;

export const mirrorCoherence: Oracle = {
  id: 'OR1',
  name: 'mirror coherence',
  asked: 'always',
  watch(watched) {
    /** Stale entries that were reported and have not changed since. */
    const reported = new Set<string>();
    const check = (device: string, page: PageIndex): void =>
      checkMirror(watched, reported, device, page);
    const { byDevice } = watched.mirrors;
    return {
      keeps: { reported },
      see(event) {
        switch (event.kind) {
          case 'mirror':
            reported.delete(`${event.device} ${event.page}`);
            check(event.device, event.page as PageIndex);
            return;
          case 'pte':
            if (event.mm !== MIRRORED_MM) return;
            for (const device of byDevice.keys()) check(device, event.page as PageIndex);
            return;
          case 'invalidate_range_end': {
            if (event.mm !== MIRRORED_MM) return;
            const range = { first: event.first as PageIndex, end: event.end as PageIndex };
            for (const [device, table] of byDevice) {
              for (const page of mappedIn(table, range)) check(device, page);
            }
            return;
          }
          case 'migration-end':
            // A migration of the device's own excused it until here.
            for (const page of byDevice.get(event.device)?.keys() ?? []) check(event.device, page);
            return;
          case 'device-access':
            checkAccess(watched, event);
            return;
          default:
        }
      },
    };
  },
};

function checkMirror(
  watched: Watched,
  reported: Set<string>,
  device: string,
  page: PageIndex,
): void {
  const entry = seenEntry(watched, device, page);
  if (entry.state === 'none') return;
  const { k } = watched;
  const pte = cpuEntry(k, page);
  // Most entries agree: then what would excuse them is not looked at, and need not be explored.
  if (agrees(k, device, entry.pfn, entry.access, pte)) return;
  if (beingInvalidated(k, MIRRORED_MM, page)) return;
  if (migratesItself(k, device, page, entry.pfn)) return;
  const key = `${device} ${page}`;
  if (reported.has(key)) return;
  reported.add(key);
  const text =
    `${device} maps ${hexAddress(page)} to frame ${frameName(entry.pfn)} (${entry.access}), ` +
    `but the CPU entry is ${describePte(pte)}, and no invalidation is under way`;
  watched.report({ text, device, page });
}

function checkAccess(watched: Watched, event: DeviceAccess): void {
  const { k } = watched;
  const { device, mode, value } = event;
  const page = event.page as PageIndex;
  const pfn = event.pfn as Pfn;
  const where = `${hexAddress(page)} through frame ${frameName(pfn)} (value ${value})`;
  if (mode === 'write' && writesWhatMoves(watched, event)) {
    const text = `${device} wrote ${where} while that page migrates: the copy may have been made`;
    watched.report({ text, device, page });
  }
  if (accessStanding(watched, event) !== 'outside') return;
  const did = mode === 'read' ? 'read' : 'wrote';
  const text = `${device} ${did} ${where}, but the CPU entry is ${describePte(cpuEntry(k, page))}`;
  watched.report({ text, device, page });
}

/**
 * How an access of a device stands to the memory of the process. 'copying': of a page that a migration moves, which is
 * no access to memory. 'in motion': what is there is about to change. 'outside': nothing allows it.
 */
export function accessStanding(
  watched: Watched,
  { device, mode, page: number, pfn: frame }: DeviceAccess,
): 'copying' | 'agrees' | 'in motion' | 'outside' {
  const { k } = watched;
  const page = number as PageIndex;
  const pfn = frame as Pfn;
  // One that walks the page table itself may use what it remembers until it is flushed, as a CPU may.
  if (k.mms.get(MIRRORED_MM)?.deviceTlbs.some(({ cpu }) => cpu === device)) return 'agrees';
  const copying = copies(k, device, pfn) && !mapsFrame(watched, device, page, pfn);
  const unmapped = !isDevicePfn(pfn) && pfn !== ZERO_PFN && mapcount(k.frames, pfn) === 0;
  // Filling a page that its own migration moves is no access to memory, whatever the page table says already.
  if (copying && (unmapped || migrating(k, device, page))) return 'copying';
  const pte = cpuEntry(k, page);
  const exclusive = pteIsDeviceExclusive(pte) && ptePfn(pte) === pfn;
  if (exclusive || agrees(k, device, pfn, mode, pte)) return 'agrees';
  // A child's page moves at the same address: to a frame that the mirrored mm does not map.
  if (copying) return 'copying';
  const moving = migratesItself(k, device, page, pfn);
  return moving || owesAnswer(k, device, page) ? 'in motion' : 'outside';
}

function mapsFrame(watched: Watched, device: string, page: PageIndex, pfn: Pfn): boolean {
  const entry = seenEntry(watched, device, page);
  return entry.state === 'mapped' && entry.pfn === pfn;
}

/**
 * A device drops its own entry before its own migration copies the page (rule 22 of the HMM contract). Its copy goes
 * to another frame than the one that the migration entry names.
 */
function writesWhatMoves(watched: Watched, { device, page, pfn }: DeviceAccess): boolean {
  if (!mapsFrame(watched, device, page as PageIndex, pfn as Pfn)) return false;
  const pte = cpuEntry(watched.k, page as PageIndex);
  return pteIsMigration(pte) && ptePfn(pte) === pfn;
}
