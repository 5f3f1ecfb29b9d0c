/**
 * The oracles that watch a world while it runs: mirror coherence (1), frame safety (2), values (3). They read the
 * event log and the kernel's state, and change nothing. A violation becomes an event with both histories.
 *
 * Oracle 4 is in left-behind.ts, 5 in the scheduler's idle state, 6 in contract/.
 */

import type { MirrorEntry } from '../../abi/device-api.ts';
import type { Event, EventSink } from '../../abi/event.ts';
import { holdsPages, migrationsObject } from '../../kernel/hmm/open-migrations.ts';
import { findMm, type Kernel } from '../../kernel/kernel.ts';
import {
  isDevicePfn,
  mapcount,
  pageObject,
  refcount,
  ZERO_PFN,
} from '../../kernel/memory/frames.ts';
import { pgmapOf } from '../../kernel/memory/page-references.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import {
  type Pte,
  pteIsDeviceExclusive,
  pteIsDevicePrivate,
  pteIsMigration,
  pteIsZeroPage,
  pteKind,
  ptePfn,
  ptePresent,
  pteProtNone,
  pteWrite,
} from '../../kernel/memory/pte.ts';
import { touch } from '../../task/context.ts';
import { contains, hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import type { EventLog } from '../event-log.ts';
import { historiesOf } from './history.ts';
import {
  type Mirrors,
  mappedIn,
  mirrorEntry,
  newMirrors,
  seenObject,
  setMirror,
} from './mirrors.ts';
import {
  checkRegister,
  followEvent,
  loosenRegister,
  newRegisters,
  type Registers,
} from './registers.ts';

/** The mm that devices mirror. */
const MIRRORED_MM = 0;
/** Violations that are written out in full; more of them only repeat the first. */
const VIOLATIONS_MAX = 1_000;

export interface Oracles {
  readonly k: Kernel;
  readonly log: EventLog;
  readonly emit: EventSink;
  readonly mirrors: Mirrors;
  readonly registers: Registers;
  /** Violations that these oracles have written out. */
  told: number;
  /** Events of kind 'violation', in order: of these and of other oracles. */
  readonly violations: Extract<Event, { kind: 'violation' }>[];
  /** Stale entries that were reported and have not changed since. */
  readonly reported: Set<string>;
}

/** Starts to watch. */
export function watchWorld(k: Kernel, log: EventLog, emit: EventSink): Oracles {
  const oracles: Oracles = {
    k,
    log,
    emit,
    mirrors: newMirrors(),
    registers: newRegisters(k),
    told: 0,
    violations: [],
    reported: new Set(),
  };
  log.listeners.push((event) => observe(oracles, event));
  return oracles;
}

function observe(oracles: Oracles, event: Event): void {
  switch (event.kind) {
    case 'mirror': {
      const page = event.page as PageIndex;
      oracles.reported.delete(`${event.device} ${page}`);
      setMirror(oracles.mirrors, event.device, page, event.to as MirrorEntry);
      touch(oracles.k.context, seenObject(oracles.mirrors, event.device, page), 'write');
      // A frame that is freed looks for whoever maps it.
      if (event.to.state === 'mapped') {
        touch(oracles.k.context, pageObject(event.to.pfn as Pfn), 'read');
      }
      checkMirror(oracles, event.device, page);
      return;
    }
    case 'pte':
      followEvent(oracles.registers, event);
      if (event.mm !== MIRRORED_MM) return;
      for (const device of oracles.mirrors.byDevice.keys()) {
        checkMirror(oracles, device, event.page as PageIndex);
      }
      return;
    case 'invalidate_range_end':
      if (event.mm === MIRRORED_MM) checkRange(oracles, event.first, event.end);
      return;
    case 'call':
      followEvent(oracles.registers, event);
      return;
    case 'return':
      followEvent(oracles.registers, event);
      return;
    case 'migration-end':
      // A migration of the device's own excused it until here.
      checkDevice(oracles, event.device);
      return;
    case 'device-access':
      checkDeviceAccess(oracles, event);
      return;
    case 'cpu-access':
      checkCpuAccess(oracles, event);
      return;
    case 'frame-free':
      checkFreed(oracles, event.pfn as Pfn);
      return;
    case 'violation':
      oracles.violations.push(event);
      return;
    default:
  }
}

function checkRange(oracles: Oracles, first: number, end: number): void {
  const range = { first: first as PageIndex, end: end as PageIndex };
  for (const [device, table] of oracles.mirrors.byDevice) {
    for (const page of mappedIn(table, range)) checkMirror(oracles, device, page);
  }
}

function checkDevice(oracles: Oracles, device: string): void {
  const table = oracles.mirrors.byDevice.get(device);
  for (const page of table?.keys() ?? []) checkMirror(oracles, device, page);
}

/** Oracle 1: outside an open bracket a device's entry agrees with the CPU's. */
function checkMirror(oracles: Oracles, device: string, page: PageIndex): void {
  const entry = seenEntry(oracles, device, page);
  if (entry.state === 'none') return;
  const { k } = oracles;
  const pte = cpuEntry(k, page);
  // Most entries agree: then what would excuse them is not looked at, and need not be explored.
  if (agrees(k, device, entry.pfn, entry.access, pte)) return;
  if (beingInvalidated(k, MIRRORED_MM, page) || migrating(oracles, device, page)) return;
  const key = `${device} ${page}`;
  if (oracles.reported.has(key)) return;
  oracles.reported.add(key);
  const text =
    `${device} maps ${hexAddress(page)} to frame ${frameName(entry.pfn)} (${entry.access}), ` +
    `but the CPU entry is ${describe(pte)}, and no invalidation is under way`;
  report(oracles, 'mirror coherence', 'OR1', text, device, page);
}

function seenEntry(oracles: Oracles, device: string, page: PageIndex): MirrorEntry {
  touch(oracles.k.context, seenObject(oracles.mirrors, device, page), 'read');
  return mirrorEntry(oracles.mirrors, device, page);
}

/** The CPU's entry of the mirrored mm. */
function cpuEntry(k: Kernel, page: PageIndex): Pte {
  const mm = findMm(k, MIRRORED_MM);
  return mm === undefined ? (0 as Pte) : readPte(mm.table, page);
}

function agrees(
  k: Kernel,
  device: string,
  pfn: Pfn,
  access: 'read' | 'write' | 'exclusive',
  pte: Pte,
): boolean {
  if (ptePresent(pte)) {
    if (pteProtNone(pte) || access === 'exclusive') return false;
    const frame = pteIsZeroPage(pte) ? ZERO_PFN : ptePfn(pte);
    return frame === pfn && (access === 'read' || pteWrite(pte));
  }
  if (pteIsDevicePrivate(pte)) {
    const mine = ptePfn(pte) === pfn && pgmapOf(k, pfn).owner === device;
    return mine && (access === 'read' || pteWrite(pte));
  }
  return pteIsDeviceExclusive(pte) && ptePfn(pte) === pfn && access === 'exclusive';
}

function beingInvalidated(k: Kernel, id: number, page: PageIndex): boolean {
  const mm = findMm(k, id);
  if (mm !== undefined) touch(k.context, mm.subscriptions.object, 'read');
  for (const open of k.invalidations.values()) {
    if (open.mm.id === id && contains(open.range, page)) return true;
  }
  return false;
}

/** A driver may ignore its own migration's invalidations; it must have its table right when it finalizes. */
function migrating(oracles: Oracles, device: string, page: PageIndex): boolean {
  touch(oracles.k.context, migrationsObject(device), 'read');
  for (const open of oracles.k.migrations.values()) {
    if (open.owner !== device || !holdsPages(open)) continue;
    if (open.vma === 'none' || contains(open.range, page)) return true;
  }
  return false;
}

function anybodyMigrates(oracles: Oracles): boolean {
  for (const device of oracles.mirrors.numbers.keys()) {
    touch(oracles.k.context, migrationsObject(device), 'read');
  }
  for (const open of oracles.k.migrations.values()) if (holdsPages(open)) return true;
  return false;
}

function checkDeviceAccess(
  oracles: Oracles,
  event: Extract<Event, { kind: 'device-access' }>,
): void {
  const { k } = oracles;
  const page = event.page as PageIndex;
  const pfn = event.pfn as Pfn;
  if (event.mode === 'write' && writesWhatMoves(oracles, event.device, page, pfn)) {
    const text =
      `${event.device} wrote ${hexAddress(page)} through frame ${frameName(pfn)} (value ${event.value}) ` +
      'while that page migrates: the copy may have been made';
    report(oracles, 'mirror coherence', 'OR1', text, event.device, page);
  }
  // Copying to or from a page that a migration has taken out of use.
  const copying = !isDevicePfn(pfn) && pfn !== ZERO_PFN && mapcount(k.frames, pfn) === 0;
  if (copying && anybodyMigrates(oracles)) return;
  const entry = seenEntry(oracles, event.device, page);
  const throughEntry = entry.state === 'mapped' && entry.pfn === pfn;
  // Filling a page that its own migration moves is no access to memory, whatever the page table says already.
  if (!throughEntry && migrating(oracles, event.device, page)) return;
  const pte = cpuEntry(k, page);
  const mode = event.mode;
  const exclusive = pteIsDeviceExclusive(pte) && ptePfn(pte) === pfn;
  if (!(exclusive || agrees(k, event.device, pfn, mode, pte))) {
    if (migrating(oracles, event.device, page) || beingInvalidated(k, MIRRORED_MM, page)) {
      loosenRegister(oracles.registers, MIRRORED_MM, page, event);
      return;
    }
    const text =
      `${event.device} ${mode === 'read' ? 'read' : 'wrote'} ${hexAddress(page)} through frame ` +
      `${frameName(pfn)} (value ${event.value}), but the CPU entry is ${describe(pte)}`;
    report(oracles, 'mirror coherence', 'OR1', text, event.device, page);
  }
  checkValue(oracles, event, event.device, MIRRORED_MM);
}

/**
 * A device drops its own entry before its own migration copies the page (rule 22 of the HMM contract). Its copy goes
 * to another frame than the one that the migration entry names.
 */
function writesWhatMoves(oracles: Oracles, device: string, page: PageIndex, pfn: Pfn): boolean {
  const entry = seenEntry(oracles, device, page);
  if (entry.state !== 'mapped' || entry.pfn !== pfn) return false;
  const pte = cpuEntry(oracles.k, page);
  return pteIsMigration(pte) && ptePfn(pte) === pfn;
}

function checkCpuAccess(oracles: Oracles, event: Extract<Event, { kind: 'cpu-access' }>): void {
  const { k } = oracles;
  const page = event.page as PageIndex;
  if (event.pfn !== ZERO_PFN && refcount(k.frames, event.pfn as Pfn) === 0) {
    const text = `${event.actor} reached the freed frame ${frameName(event.pfn as Pfn)}`;
    report(oracles, 'frame safety', 'OR2', `${text} at ${hexAddress(page)}`, '', page);
  }
  checkValue(oracles, event, '', event.mm);
}

/** Oracle 3: a read returns what was last written at that address. */
function checkValue(
  oracles: Oracles,
  event: Extract<Event, { kind: 'device-access' | 'cpu-access' }>,
  device: string,
  mm: number,
): void {
  const page = event.page as PageIndex;
  const { mode, value } = event;
  const by = device === '' ? 'cpu' : 'device';
  const expected = checkRegister(oracles.registers, mm, page, { mode, value, by });
  if (expected === 'as expected') return;
  const reader = device === '' ? event.actor : device;
  const where = hexAddress(page);
  const text = `${reader} read ${event.value} at ${where}, where ${expected} was written last`;
  report(oracles, 'values', 'OR3', text, device, page);
}

/** Oracle 2: nothing maps a frame that is freed. */
function checkFreed(oracles: Oracles, pfn: Pfn): void {
  const { k, mirrors } = oracles;
  for (const [device, pages] of mirrors.namedBy.get(pfn) ?? []) {
    for (const page of pages) {
      if (beingInvalidated(k, MIRRORED_MM, page) || migrating(oracles, device, page)) continue;
      const text = `${device} still maps ${hexAddress(page)} to frame ${frameName(pfn)}, which is freed`;
      report(oracles, 'frame safety', 'OR2', text, device, page);
    }
  }
  for (const mm of k.mms.values()) {
    for (const tlb of mm.tlbs) {
      if (!tlb.frames.has(pfn)) continue;
      for (const [page, entry] of tlb.entries) {
        if (entry.pfn !== pfn) continue;
        const text = `the TLB of ${tlb.cpu} still maps ${hexAddress(page)} to frame ${frameName(pfn)}, which is freed`;
        report(oracles, 'frame safety', 'OR2', text, '', page);
      }
    }
  }
}

function report(
  oracles: Oracles,
  oracle: string,
  rule: string,
  text: string,
  device: string,
  page: PageIndex,
): void {
  if (oracles.told === VIOLATIONS_MAX) return;
  oracles.told += 1;
  const { cpu, device: own } = historiesOf(oracles.log.kept, page, device);
  oracles.emit({
    kind: 'violation',
    oracle,
    rule,
    text,
    device,
    page,
    cpuHistory: cpu,
    deviceHistory: own,
  });
}

function describe(pte: Pte): string {
  const kind = pteKind(pte);
  if (kind === 'none' || kind === 'zero' || kind === 'poison' || kind === 'swap') {
    return kind === 'zero' ? 'the zero page' : kind;
  }
  return `${kind} ${frameName(ptePfn(pte))} (${pteWrite(pte) ? 'write' : 'read'})`;
}

function frameName(pfn: Pfn): string {
  return pfn === ZERO_PFN ? 'zero' : `0x${pfn.toString(16)}`;
}
