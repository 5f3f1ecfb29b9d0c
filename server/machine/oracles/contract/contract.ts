/**
 * Oracle 6, the driver contract: what the kernel may expect of a driver and the other way round, after section 3 of
 * the catalogue of races (docs/CONTRACT.md). It stands between each device and the kernel, sees every call and every
 * callback, and changes nothing. The same text watches drivers beside the kernel and drivers in other processes; what
 * only a driver in this world shows (its lock, its comparison of sequences) is checked only there.
 *
 * Every rule that is checked has a file here that says what it takes for a breach.
 */

import type {
  DeviceOwner,
  IntervalSub,
  MigrateRequest,
  MirrorEntry,
  NotifierRange,
} from '../../../abi/device-api.ts';
import type { EventSink } from '../../../abi/event.ts';
import type { HmmPfn } from '../../../abi/hmm-pfn.ts';
import type { MigratePfn } from '../../../abi/migrate-pfn.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { isDevicePfn, ZERO_PFN } from '../../../kernel/memory/frames.ts';
import { type HeldLock, type TouchMode, touch } from '../../../task/context.ts';
import { type ObjectId, objectId } from '../../../task/object-id.ts';
import {
  PAGES_MAX,
  type PageIndex,
  type PageRange,
  type Pfn,
} from '../../../vocabulary/address.ts';
import { CONTRACT_ORACLE, type RuleId } from '../../../vocabulary/rules.ts';
import type { Seq } from '../../../vocabulary/seq.ts';
import type { EventLog } from '../../event-log.ts';
import { historiesOf } from '../history.ts';
import { deviceNumber, type Mirrors } from '../mirrors.ts';

/** Breaches of one rule by one device that are written out; more of them only repeat the first. */
const BREACHES_MAX = 16;
/** The state of a device stands behind its migrations, which stand behind its entries (oracles.ts). */
const DEVICE_STATE = PAGES_MAX + 1;

/** A rule of the contract: `CR14` is rule 14. */
export type ContractRule = Extract<RuleId, `CR${number}`>;

/** 'here': the driver's tasks run in this world. 'far': it answers from another process. */
export type DriverPlace = 'here' | 'far';

export interface Contract {
  readonly k: Kernel;
  readonly log: EventLog;
  readonly emit: EventSink;
  readonly mirrors: Mirrors;
  readonly devices: Map<DeviceOwner, WatchedDevice>;
  /** Brackets that are open, by id. */
  readonly brackets: Map<number, OpenBracket>;
  /** The pages of what was written out, by rule and device. */
  readonly reported: Map<string, Set<PageIndex>>;
}

export interface OpenBracket {
  readonly n: number;
  /** The task that opened it. */
  readonly task: number;
  readonly mm: number;
  readonly range: PageRange;
  readonly event: string;
  /** Devices that have carried it out. */
  readonly done: Set<DeviceOwner>;
}

/** A subscription of a device, while it is registered. */
export interface WatchedSub {
  /** The kernel's. */
  readonly real: IntervalSub;
  /** What the driver has of it: see watched-sub.ts. */
  readonly handed: IntervalSub;
  /** Sequences that mmu_interval_read_begin() returned, oldest first. */
  readonly begun: Seq[];
}

/** An answer of hmm_range_fault(). */
export interface Lookup {
  /** Number of the event of the call. */
  readonly n: number;
  readonly sub: number;
  readonly seq: Seq;
  readonly range: PageRange;
  readonly pfns: readonly HmmPfn[];
}

/** A migration between setup and finalize. */
export interface OwnMigration {
  readonly id: number;
  readonly n: number;
  readonly range: PageRange;
  readonly select: MigrateRequest['select'] | 'by-frame';
  /** The flags of the last answer. */
  src: readonly MigratePfn[];
  dst: readonly MigratePfn[];
  phase: 'collected' | 'moving' | 'moved';
  /** The CPU fault under whose mmap_lock it runs. */
  readonly under: OpenFault | 'own-lock';
  /** 'nothing': setup has collected no page (cpages 0), so that nothing has to be finalized. */
  readonly holds: 'pages' | 'nothing';
}

export interface OwnExclusive {
  readonly range: PageRange;
  readonly frames: readonly (Pfn | 'none')[];
  /** Frames that were unlocked again. */
  readonly put: Set<Pfn>;
}

/** A callback that has not returned. */
export interface OpenCallback {
  readonly n: number;
  readonly sub: WatchedSub;
  readonly range: NotifierRange;
  readonly seq: Seq;
  readonly task: number;
}

/** A CPU fault that the device is asked to serve. */
export interface OpenFault {
  readonly n: number;
  readonly mm: number;
  readonly page: PageIndex;
  readonly pfn: Pfn;
  readonly task: number;
  /** Whether a migration of the page was tried. */
  tried: boolean;
}

export interface WatchedEntry {
  readonly n: number;
  readonly entry: Extract<MirrorEntry, { state: 'mapped' }>;
  /** The subscription whose callback has to drop it. */
  sub: number | 'none';
}

/** Where a task asked whether a sequence has moved: under which hold of which lock. */
export interface Asked {
  readonly lock: HeldLock;
  readonly hold: number;
  readonly subs: Set<number>;
}

/** The last time that anybody asked so under the driver lock: which sequence stood there, behind which event. */
export interface AskedLast {
  readonly seq: Seq;
  readonly n: number;
}

export interface WatchedDevice {
  readonly contract: Contract;
  readonly owner: DeviceOwner;
  readonly place: DriverPlace;
  readonly mm: number;
  readonly subs: Map<number, WatchedSub>;
  /** The last LOOKUPS_MAX. */
  readonly lookups: Lookup[];
  /** Sequences of lookups that were forgotten while they were still good, by subscription. */
  readonly forgotten: Map<number, Seq>;
  readonly migrations: Map<number, OwnMigration>;
  /** Own events that the driver ignored, with their sequence: the last IGNORED_MAX. */
  readonly ignored: { readonly n: number; readonly range: PageRange }[];
  /** Pages that own migrations moved while it ignored their events, with where to and when: the last MOVES_MAX. */
  readonly moves: Map<PageIndex, { readonly n: number; readonly dst: Pfn | 'none' }>;
  readonly exclusives: OwnExclusive[];
  readonly callbacks: Set<OpenCallback>;
  readonly faults: Set<OpenFault>;
  readonly entries: Map<PageIndex, WatchedEntry>;
  /** Frames from alloc_pages or zone_device_page_init that no migration has taken. */
  readonly unplaced: Set<Pfn>;
  /** DMA that is under way, by frame. */
  readonly inFlight: Map<Pfn, number>;
  /** Frames of these that a migration of the device's own copies: it must wait for them (rule 29). */
  readonly copying: Set<Pfn>;
  /** By task. */
  readonly asked: Map<number, Asked>;
  /** By subscription. */
  readonly askedLast: Map<number, AskedLast>;
  /** 'classic': it has registered a classic notifier, whose driver keeps a count and a sequence of its own. */
  notifier: 'interval' | 'classic';
  /** Read locks of mmap_lock that the device holds. */
  mmapLocks: number;
  mirrored: 'alive' | 'released';
}

/** Rules that speak of intervals: of lookups, sequences and what one callback has to have done. */
const OF_INTERVALS: ReadonlySet<ContractRule> = new Set([
  'CR1',
  'CR2',
  'CR6',
  'CR14',
  'CR15',
  'CR18',
  'CR19',
]);

/** A word with the kernel or with a driver that broke `rule`, about `page`. Not a yield point. */
export function breach(
  device: WatchedDevice,
  rule: ContractRule,
  page: PageIndex,
  text: string,
): void {
  // What a device that is cut off held is given back by others, and it reaches nothing.
  if (device.contract.k.cutOff.has(device.owner)) return;
  if (device.notifier === 'classic' && OF_INTERVALS.has(rule)) return;
  report(device.contract, rule, device.owner, page, `${device.owner} ${text}`);
}

/** The same of the kernel's own side: `device` may be ''. */
export function report(
  contract: Contract,
  rule: ContractRule,
  device: string,
  page: PageIndex,
  text: string,
): void {
  const { reported, log, emit } = contract;
  const key = `${rule} ${device}`;
  const pages = reported.get(key) ?? new Set();
  if (pages.size === BREACHES_MAX || pages.has(page)) return;
  reported.set(key, pages.add(page));
  const { cpu, device: own } = historiesOf(log.kept, page, device);
  emit({
    kind: 'violation',
    oracle: CONTRACT_ORACLE,
    rule,
    text,
    device,
    page,
    cpuHistory: cpu,
    deviceHistory: own,
  });
}

/**
 * For an explorer: what the contract knows of a device is read when it maps, and written when it is called back or
 * changes its subscriptions; those do not commute.
 */
export function touchDevice(
  device: WatchedDevice,
  mode: Extract<TouchMode, 'read' | 'write'>,
): void {
  const { k, mirrors } = device.contract;
  touch(k.context, stateObject(deviceNumber(mirrors, device.owner)), mode);
}

function stateObject(number: number): ObjectId {
  return objectId('user', number, DEVICE_STATE);
}

/** The running task's hold of a driver lock, or 'none'. Only a driver in this world has one. */
export function heldDriverLock(device: WatchedDevice): HeldLock | 'none' {
  const { held } = device.contract.k.context.current;
  return held.findLast((lock) => lock.class === 'driver_lock') ?? 'none';
}

/** The running task, or one that it runs under, is the one that `tasks` holds. */
export function runsUnder(device: WatchedDevice, task: number): boolean {
  let { current } = device.contract.k.context;
  for (;;) {
    if (current.id === task) return true;
    if (current.parent === 'none') return false;
    current = current.parent;
  }
}

/** `zero`, or the number. */
export function frameName(pfn: Pfn | 'none'): string {
  if (pfn === 'none') return 'none';
  if (pfn === ZERO_PFN) return 'zero';
  return `0x${pfn.toString(16)}${isDevicePfn(pfn) ? ' (private)' : ''}`;
}
