/**
 * The order of a migration, and what a driver may do with its pages.
 *
 * Rules: CR22, CR24, CR26, CR27, CR29, CR30, CR34.
 */

import type { MigrateRequest, MigrateVma } from '../../../abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  type MigratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../abi/migrate-pfn.ts';
import { isDevicePfn, refcount } from '../../../kernel/memory/frames.ts';
import { pageLocked } from '../../../kernel/memory/page-lock.ts';
import { pgmapOf } from '../../../kernel/memory/page-references.ts';
import { contains, hexAddress, type PageIndex } from '../../../vocabulary/address.ts';
import { faultOfCaller } from './callback-rules.ts';
import {
  breach,
  frameName,
  type OwnMigration,
  touchDevice,
  type WatchedDevice,
} from './contract.ts';
import { cpuEntry, migrationStands } from './cpu-entry.ts';

/** Pages that own migrations moved lately. */
const MOVES_MAX = 1_024;
/** Open migrations from which on those without pages are forgotten. */
const EMPTY_MAX = 64;

/** Rule 30: a device that serves a CPU fault says which page it is about. */
export function checkSetup(device: WatchedDevice, { mm, range, faultPage }: MigrateRequest): void {
  const fault = faultOfCaller(device, mm, { range, faultPage });
  if (fault === 'none' || !contains(range, fault.page)) return;
  fault.tried = true;
  if (faultPage === fault.pfn) return;
  const text =
    `called migrate_vma_setup() with fault_page ${frameName(faultPage)} to serve the fault on ` +
    `${hexAddress(fault.page)} (event ${fault.n}), whose page is ${frameName(fault.pfn)}`;
  breach(device, 'CR30', fault.page, text);
}

export function setUp(
  device: WatchedDevice,
  { mm, range, select, faultPage }: MigrateRequest,
  n: number,
  { id, src }: MigrateVma,
): void {
  touchDevice(device, 'write');
  const fault = faultOfCaller(device, mm, { range, faultPage });
  forgetEmpty(device);
  const own: OwnMigration = {
    id,
    n,
    range,
    select,
    src,
    dst: [],
    phase: 'collected',
    under: fault === 'none' ? 'own-lock' : fault,
    holds: src.some((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE)) ? 'pages' : 'nothing',
  };
  device.migrations.set(id, own);
}

/** An eviction by frame numbers: it has no range of addresses. */
export function collected(device: WatchedDevice, n: number, { id, src }: MigrateVma): void {
  touchDevice(device, 'write');
  const range = { first: 0 as PageIndex, end: 1 as PageIndex };
  const phase = 'collected';
  device.migrations.set(id, {
    id,
    n,
    range,
    select: 'by-frame',
    src,
    dst: [],
    phase,
    under: 'own-lock',
    holds: 'pages',
  });
}

/** Migrations without pages are not finalized, most of them. */
function forgetEmpty({ migrations }: WatchedDevice): void {
  if (migrations.size < EMPTY_MAX) return;
  for (const [id, { holds }] of migrations) if (holds === 'nothing') migrations.delete(id);
}

/** Rules 24, 27, 34: before migrate_vma_pages() and its like. */
export function checkPages(
  device: WatchedDevice,
  call: string,
  { id }: MigrateVma,
  dst: readonly MigratePfn[],
): void {
  const own = device.migrations.get(id);
  if (own === undefined || own.phase !== 'collected') {
    const why =
      own === undefined
        ? 'a migration that is not open'
        : 'a migration that it was called for before';
    breach(device, 'CR24', own?.range.first ?? (0 as PageIndex), `called ${call}() for ${why}`);
    return;
  }
  checkLockKept(device, call, own);
  for (const [at, entry] of dst.entries()) checkDestination(device, own, at, entry);
  own.dst = dst;
  own.phase = 'moving';
}

function checkDestination(
  device: WatchedDevice,
  own: OwnMigration,
  at: number,
  entry: MigratePfn,
): void {
  const { k } = device.contract;
  const frame = migratePfnToPfn(entry);
  if (frame === 'none') return;
  const page = pageAt(own, at);
  const where = `${frameName(frame)} as the destination of ${placeOf(own, at)}`;
  const src = own.src[at] ?? MIGRATE_PFN_NONE;
  if (!migratePfnHas(src, MIGRATE_PFN_MIGRATE)) {
    breach(device, 'CR27', page, `gave ${where}, which has no MIGRATE flag`);
    return;
  }
  if (refcount(k.frames, frame) === 0 || !pageLocked(k, frame)) {
    breach(device, 'CR27', page, `gave ${where}, which it does not hold locked and referenced`);
    return;
  }
  const source = migratePfnToPfn(src);
  const own2own =
    source !== 'none' &&
    isDevicePfn(frame) &&
    isDevicePfn(source) &&
    pgmapOf(k, source).device === device.owner;
  if (source !== frame && !own2own) return;
  breach(device, 'CR34', page, `gave ${where}, whose page ${frameName(source)} it owns already`);
}

/** migrate_vma_pages() returned. */
export function pagesMoved(
  device: WatchedDevice,
  { id }: MigrateVma,
  src: readonly MigratePfn[],
): void {
  touchDevice(device, 'write');
  const own = device.migrations.get(id);
  if (own === undefined) return;
  own.src = src;
  own.phase = 'moved';
}

/** Rules 22, 24, 26, 29: before the migration ends. */
export function checkFinalize(device: WatchedDevice, call: string, { id }: MigrateVma): void {
  const own = device.migrations.get(id);
  if (own === undefined) {
    const text = `called ${call}() for a migration that is not open: each is finalized once`;
    breach(device, 'CR26', 0 as PageIndex, text);
    return;
  }
  checkLockKept(device, call, own);
  checkCopied(device, call, own);
  if (own.phase !== 'moved' || own.select === 'by-frame') return;
  for (const [at, entry] of own.src.entries()) {
    if (migratePfnHas(entry, MIGRATE_PFN_MIGRATE)) checkMoved(device, own, at, entry);
  }
}

/** Rule 22: a driver that ignored the events of its own migration has its table right by now. */
function checkMoved(device: WatchedDevice, own: OwnMigration, at: number, entry: MigratePfn): void {
  const page = pageAt(own, at);
  const dst = migratePfnToPfn(own.dst[at] ?? MIGRATE_PFN_NONE);
  if (dst === 'none') return;
  if (device.ignored.some(({ n, range }) => n > own.n && contains(range, page))) {
    noteMove(device, page, dst);
  }
  const mapped = device.entries.get(page)?.entry;
  if (mapped === undefined || mapped.pfn === dst) return;
  if (!migrationStands(cpuEntry(device, page), dst)) return;
  const source = migratePfnToPfn(entry);
  const what = source === 'none' ? 'what was there before' : `its old page ${frameName(source)}`;
  const text =
    `finalizes the migration of ${hexAddress(page)} to ${frameName(dst)} and still maps frame ` +
    `${frameName(mapped.pfn)}, ${what}`;
  breach(device, 'CR22', page, text);
}

function noteMove(
  { moves, contract: { log } }: WatchedDevice,
  page: PageIndex,
  dst: OwnMove,
): void {
  moves.delete(page);
  if (moves.size === MOVES_MAX) moves.delete(moves.keys().next().value as PageIndex);
  moves.set(page, { n: log.n, dst });
}

type OwnMove = Exclude<ReturnType<typeof migratePfnToPfn>, 'none'>;

export function finalized(device: WatchedDevice, { id }: MigrateVma): void {
  touchDevice(device, 'write');
  for (const entry of device.migrations.get(id)?.dst ?? []) {
    const frame = migratePfnToPfn(entry);
    if (frame !== 'none') device.unplaced.delete(frame);
  }
  device.migrations.delete(id);
}

/** Rule 29: no copy is under way when the migration ends. */
function checkCopied(device: WatchedDevice, call: string, own: OwnMigration): void {
  for (const [at, entry] of [...own.src, ...own.dst].entries()) {
    const frame = migratePfnToPfn(entry);
    if (frame === 'none' || !device.inFlight.has(frame)) continue;
    const text = `called ${call}() while its DMA of frame ${frameName(frame)} is under way`;
    breach(device, 'CR29', pageAt(own, at % own.src.length), text);
    return;
  }
}

/** Rule 24: one hold of mmap_lock from setup to finalize. */
function checkLockKept(device: WatchedDevice, call: string, own: OwnMigration): void {
  if (device.place === 'far' || own.select === 'by-frame' || own.under !== 'own-lock') return;
  if (device.mmapLocks > 0) return;
  breach(
    device,
    'CR24',
    own.range.first,
    `called ${call}() without the mmap_lock that it was set up under`,
  );
}

/** Rule 24: mmap_lock is kept while a migration is open. From afar that is refused. */
export function checkUnlocking(device: WatchedDevice): void {
  if (device.place === 'far' || device.mmapLocks !== 1) return;
  for (const own of device.migrations.values()) {
    if (own.select === 'by-frame' || own.under !== 'own-lock') continue;
    if (own.holds === 'nothing') continue;
    const text = `let go of mmap_lock between migrate_vma_setup() (event ${own.n}) and migrate_vma_finalize()`;
    breach(device, 'CR24', own.range.first, text);
  }
}

/** Rule 26, when everything has ended: each setup was finalized. */
export function checkAllFinalized(device: WatchedDevice): void {
  for (const own of device.migrations.values()) {
    if (own.holds === 'nothing') continue;
    const text = `never finalized the migration that it set up at event ${own.n}`;
    breach(device, 'CR26', own.range.first, text);
  }
}

/** Where entry `at` of the migration lies. Evictions by frame number say nothing of that. */
function pageAt({ range, select }: OwnMigration, at: number): PageIndex {
  return select === 'by-frame' ? range.first : ((range.first + at) as PageIndex);
}

function placeOf(own: OwnMigration, at: number): string {
  return own.select === 'by-frame' ? `frame ${at} of its range` : hexAddress(pageAt(own, at));
}
