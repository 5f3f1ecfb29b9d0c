/**
 * What a device may enter into its page table: only what a kernel call has given it, and only as long as that is
 * still true.
 *
 * Rules: CR1, CR2, CR14, CR17, CR18, CR19, CR22, CR24, CR28, CR35, CR38.
 */

import type { MirrorEntry } from '../../../abi/device-api.ts';
import { HMM_PFN_VALID, HMM_PFN_WRITE, hmmPfnHas, hmmPfnToPfn } from '../../../abi/hmm-pfn.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../abi/migrate-pfn.ts';
import { isDevicePfn, ZERO_PFN } from '../../../kernel/memory/frames.ts';
import { findPgmap, pgmapOwnerOf } from '../../../kernel/memory/page-references.ts';
import { pteIsDeviceExclusive, pteKind, ptePfn } from '../../../kernel/memory/pte.ts';
import { touch } from '../../../task/context.ts';
import { contains, hexAddress, type PageIndex, type Pfn } from '../../../vocabulary/address.ts';
import {
  breach,
  type ContractRule,
  frameName,
  type Lookup,
  type OwnExclusive,
  type OwnMigration,
  touchDevice,
  type WatchedDevice,
} from './contract.ts';
import { cpuEntry, migrationStands } from './cpu-entry.ts';
import { hasAsked } from './watched-sub.ts';

type Mapped = Extract<MirrorEntry, { state: 'mapped' }>;

/** What is wrong with an entry. */
interface Fault {
  readonly rule: ContractRule;
  readonly text: string;
}

/** Events after which a page is gone, whatever it was. */
const TAKING_EVENTS: ReadonlySet<string> = new Set(['unmap', 'clear', 'release']);

/** The device has changed an entry of its page table. */
export function entryChanged(device: WatchedDevice, page: PageIndex, entry: MirrorEntry): void {
  if (entry.state === 'none') {
    device.entries.delete(page);
    return;
  }
  const n = device.contract.log.n;
  touchDevice(device, 'read');
  const fault = faultOf(device, page, entry);
  if (fault !== 'none')
    breach(device, fault.rule, page, `mapped ${mappedWords(page, entry)}: ${fault.text}`);
  device.entries.set(page, { n, entry, sub: coveringSub(device, page, entry) });
}

/**
 * The subscription whose callback has to drop the entry: of those that it may have been looked up with, the oldest.
 * Younger ones may be temporary, as a snapshot's.
 */
function coveringSub(device: WatchedDevice, page: PageIndex, entry: Mapped): number | 'none' {
  let oldest: number | 'none' = 'none';
  if (entry.access !== 'exclusive' && device.subs.size > 1) {
    for (const lookup of device.lookups) {
      if (!(device.subs.has(lookup.sub) && gives(lookup, page, entry))) continue;
      if (oldest === 'none' || lookup.sub < oldest) oldest = lookup.sub;
    }
  }
  return oldest === 'none' ? firstCovering(device, page) : oldest;
}

/** The first live subscription of the device that covers `page`. */
export function firstCovering(device: WatchedDevice, page: PageIndex): number | 'none' {
  for (const [id, { real }] of device.subs) if (contains(real.range, page)) return id;
  return 'none';
}

function faultOf(device: WatchedDevice, page: PageIndex, entry: Mapped): Fault | 'none' {
  const { k } = device.contract;
  if (device.mirrored === 'released') {
    return { rule: 'CR38', text: 'the address space was released' };
  }
  if (isDevicePfn(entry.pfn)) {
    const pgmap = findPgmap(k, entry.pfn);
    if (pgmap === 'none') return { rule: 'CR17', text: 'the frame is in the memory of no device' };
    if (pgmap.owner !== pgmapOwnerOf(k, device.owner)) {
      return { rule: 'CR17', text: `the frame is private memory of ${pgmap.device}` };
    }
  }
  if (firstCovering(device, page) === 'none') {
    return { rule: 'CR19', text: 'no live subscription of its covers the page' };
  }
  const migration = migrationOf(device, page, entry);
  if (migration !== 'none') {
    const fault = faultOfMigrated(device, page, entry.pfn, migration);
    // Another thread of the device may have found the page where the migration has put it already.
    const seen = device.lookups.some((lookup) => gives(lookup, page, entry));
    if (fault === 'none' || !seen) return fault;
  }
  if (entry.access === 'exclusive') return faultOfExclusive(device, page, entry.pfn);
  return faultOfLookedUp(device, page, entry);
}

/** The open migration whose destination at `page` is what the device maps. */
function migrationOf(device: WatchedDevice, page: PageIndex, entry: Mapped): OwnMigration | 'none' {
  for (const migration of device.migrations.values()) {
    if (migration.select === 'by-frame' || !contains(migration.range, page)) continue;
    const dst = migration.dst[page - migration.range.first] ?? MIGRATE_PFN_NONE;
    if (migratePfnToPfn(dst) === entry.pfn) return migration;
  }
  return 'none';
}

function faultOfMigrated(
  device: WatchedDevice,
  page: PageIndex,
  pfn: Pfn,
  migration: OwnMigration,
): Fault | 'none' {
  if (migration.phase !== 'moved') {
    return {
      rule: 'CR24',
      text: 'the destination of a migration before migrate_vma_pages() returned',
    };
  }
  const src = migration.src[page - migration.range.first] ?? MIGRATE_PFN_NONE;
  if (!migratePfnHas(src, MIGRATE_PFN_MIGRATE)) {
    return { rule: 'CR28', text: 'migrate_vma_pages() took the MIGRATE flag of that page away' };
  }
  const pte = cpuEntry(device, page);
  if (migrationStands(pte, pfn) && !beingTaken(device, page)) return 'none';
  const text = `it was taken away since migrate_vma_pages() (${pteKind(pte)} now), and its sequence was not asked`;
  return { rule: 'CR1', text };
}

function faultOfExclusive(device: WatchedDevice, page: PageIndex, pfn: Pfn): Fault | 'none' {
  const given = device.exclusives.findLast((each) => frameOf(each, page) === pfn);
  if (given === undefined) {
    return { rule: 'CR14', text: 'make_device_exclusive_range() did not give it this page' };
  }
  if (given.put.has(pfn)) {
    return { rule: 'CR35', text: 'the page was unlocked already: it is exclusive only until then' };
  }
  const pte = cpuEntry(device, page);
  const stands = pteIsDeviceExclusive(pte) && ptePfn(pte) === pfn;
  if (stands && !beingTaken(device, page)) return 'none';
  const text = `it is not exclusive any more (${pteKind(pte)} now), and its sequence was not asked`;
  return { rule: 'CR35', text };
}

function frameOf({ range, frames }: OwnExclusive, page: PageIndex): Pfn | 'none' {
  return contains(range, page) ? (frames[page - range.first] ?? 'none') : 'none';
}

function faultOfLookedUp(device: WatchedDevice, page: PageIndex, entry: Mapped): Fault | 'none' {
  const lookup = bestLookup(device, page, entry);
  if (lookup === 'none') return faultOfUngiven(device, page, entry);
  const sub = device.subs.get(lookup.sub);
  if (sub === undefined) {
    return { rule: 'CR19', text: 'the subscription that it was looked up with was removed' };
  }
  touch(device.contract.k.context, sub.real.object, 'read');
  const asked = device.place === 'far' ? 'asked' : hasAsked(device, lookup);
  if (sub.real.invalidateSeq !== lookup.seq) {
    if (asked === 'asked-before') {
      const text =
        'mmu_interval_read_retry() was not asked since it took its driver lock, and the sequence has moved since ' +
        `it was (to ${sub.real.invalidateSeq})`;
      return { rule: 'CR1', text };
    }
    const text =
      `it was looked up under sequence ${lookup.seq} (event ${lookup.n}), which has moved to ` +
      `${sub.real.invalidateSeq}`;
    return { rule: 'CR2', text };
  }
  if (!grants(lookup, page, entry)) {
    return { rule: 'CR14', text: 'hmm_range_fault() did not say WRITE of it' };
  }
  const move = device.moves.get(page);
  if (move !== undefined && move.n > lookup.n && move.dst !== entry.pfn) {
    const where = move.dst === 'none' ? '' : ` to ${frameName(move.dst)}`;
    const text = `its own migration, whose event it ignored, has moved the page${where} since (event ${move.n})`;
    return { rule: 'CR22', text };
  }
  switch (asked) {
    case 'asked':
    case 'asked-before':
      return 'none';
    case 'no-lock':
      return { rule: 'CR1', text: 'without its driver lock' };
    case 'not-asked':
      return {
        rule: 'CR1',
        text: 'mmu_interval_read_retry() was not asked since it took its driver lock',
      };
  }
}

/**
 * The lookup that allows the entry, one that the running task has asked of if there is one; else the last that names
 * page and frame. Other threads of the device look up as well, with subscriptions of their own.
 */
function bestLookup(device: WatchedDevice, page: PageIndex, entry: Mapped): Lookup | 'none' {
  let best: Lookup | 'none' = 'none';
  let allowing: Lookup | 'none' = 'none';
  let askedBefore: Lookup | 'none' = 'none';
  for (let at = device.lookups.length - 1; at >= 0; at -= 1) {
    const lookup = device.lookups[at] as Lookup;
    if (!gives(lookup, page, entry)) continue;
    const sub = device.subs.get(lookup.sub);
    if (best === 'none') best = lookup;
    if (sub?.real.invalidateSeq !== lookup.seq || !grants(lookup, page, entry)) continue;
    const asked = device.place === 'far' ? 'asked' : hasAsked(device, lookup);
    if (asked === 'asked') return lookup;
    // Another thread may just have looked again, under the same sequence, and not have asked yet.
    if (asked === 'asked-before' && askedBefore === 'none') askedBefore = lookup;
    if (allowing === 'none') allowing = lookup;
  }
  if (askedBefore !== 'none') return askedBefore;
  return allowing === 'none' ? best : allowing;
}

function gives(lookup: Lookup, page: PageIndex, entry: Mapped): boolean {
  if (!contains(lookup.range, page)) return false;
  const pfn = lookup.pfns[page - lookup.range.first];
  return pfn !== undefined && hmmPfnHas(pfn, HMM_PFN_VALID) && hmmPfnToPfn(pfn) === entry.pfn;
}

function grants(lookup: Lookup, page: PageIndex, entry: Mapped): boolean {
  const pfn = lookup.pfns[page - lookup.range.first];
  return entry.access === 'read' || (pfn !== undefined && hmmPfnHas(pfn, HMM_PFN_WRITE));
}

/** No call that is remembered has given the device this frame. */
function faultOfUngiven(device: WatchedDevice, page: PageIndex, entry: Mapped): Fault | 'none' {
  for (const [id, seq] of device.forgotten) {
    if (device.subs.get(id)?.real.invalidateSeq === seq) return 'none';
  }
  if (device.unplaced.has(entry.pfn) && device.migrations.size > 0) {
    const text = 'the destination of a migration before migrate_vma_pages() was called';
    return { rule: 'CR24', text };
  }
  const asked = device.lookups.some((lookup) => contains(lookup.range, page));
  const begun = [...device.subs.values()].some((sub) => sub.begun.length > 0);
  if (!(asked || begun)) {
    return {
      rule: 'CR18',
      text: 'mmu_interval_read_begin() was never called: nothing is granted yet',
    };
  }
  const text =
    entry.pfn === ZERO_PFN
      ? 'no call gave it the zero page there'
      : 'no call gave it this frame there';
  return { rule: 'CR14', text };
}

/** An invalidation is open that will take the page, and the driver has carried it out already. */
function beingTaken({ contract, owner, mm }: WatchedDevice, page: PageIndex): boolean {
  for (const bracket of contract.brackets.values()) {
    const takes = bracket.mm === mm && TAKING_EVENTS.has(bracket.event) && bracket.done.has(owner);
    if (takes && contains(bracket.range, page)) return true;
  }
  return false;
}

function mappedWords(page: PageIndex, { pfn, access }: Mapped): string {
  return `${hexAddress(page)} to frame ${frameName(pfn)} (${access})`;
}
