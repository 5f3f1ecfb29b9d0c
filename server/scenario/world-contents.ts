/**
 * What the world of a scenario can say of its state, for the explorer's cache of states. What stands at an object is
 * the kernel's own; where that would take long, the explorer goes by which task wrote it.
 */
import type { LabDevice } from '../../clients/drivers/interface/driver-variant.ts';
import type { IntervalSub } from '../abi/device-api.ts';
import type { WorldContents } from '../explorer/explored.ts';
import { cacheName } from '../kernel/fault/do-fault.ts';
import { holdsPages, migrationsObject } from '../kernel/hmm/open-migrations.ts';
import type { Invalidation, Kernel } from '../kernel/kernel.ts';
import { rootOf } from '../kernel/memory/anon-vma.ts';
import {
  contentsOf,
  frameExists,
  frameFlags,
  mapcount,
  mappingOf,
  refcount,
} from '../kernel/memory/frames.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import type { Vma } from '../kernel/memory/mm-types.ts';
import { readPte } from '../kernel/memory/page-table.ts';
import type { Tlb } from '../kernel/memory/tlb.ts';
import { userfaultsText } from '../kernel/memory/userfault.ts';
import { vmaReadersText, vmaWritersText } from '../kernel/memory/vma-lock.ts';
import type { Subscription } from '../kernel/notifier/subscriptions.ts';
import { mirrorEntry } from '../machine/oracles/mirrors.ts';
import { pinsText } from '../machine/oracles/pinned-pages.ts';
import { registerValue } from '../machine/oracles/registers.ts';
import type { World } from '../machine/world.ts';
import { type ObjectId, objectId, objectName } from '../task/object-id.ts';
import {
  ALLOCATORS,
  FLUSH_BATCHED,
  FLUSH_PENDING,
  HOLD_OWNERS,
  MIGRATIONS_OWNER,
  MM_PARTS,
  NOTIFIER_PARTS,
  ORACLE_OWNERS,
  PAGE_OWNERS,
  RMAP_OWNERS,
  VMA_PARTS,
} from '../task/object-owners.ts';
import type { RwSem } from '../task/rwsem.ts';
import { PAGES_MAX, type PageIndex, type Pfn } from '../vocabulary/address.ts';
import { isOdd } from '../vocabulary/seq.ts';
import type { Milestones } from './milestones.ts';

export interface ContentsOptions {
  readonly world: World;
  /** By device number. */
  readonly devices: readonly LabDevice[];
  /** Names of the devices, by number. */
  readonly names: readonly string[];
  readonly registers: ReadonlyMap<string, string>;
  readonly milestones: Milestones;
  /**
   * 'kept': a patch may do anything with them, so states are distinguished by their values. 'unread': nobody looks at
   * them.
   */
  readonly sequences: 'compared' | 'kept' | 'unread';
  /** What else may change the future. */
  readonly more: () => string;
  readonly windowReached: () => string;
}

const NO_SUBS: readonly (readonly [ObjectId, number])[] = [];

export function worldContents(options: ContentsOptions): WorldContents {
  const { kernel } = options.world;
  return {
    contentOf: (object) => contentOf(options, object),
    learnableAt: (object) => learnableAt(kernel, object),
    comparedAt: (object) =>
      options.sequences === 'kept'
        ? 'unknown'
        : (subAt(kernel, object)?.invalidateSeq ?? sequenceOfDevice(options, object)),
    derived: () => (options.sequences === 'unread' ? NO_SUBS : currentSubs(kernel)),
    rest: () => restOf(options),
    windowReached: options.windowReached,
  };
}

function contentOf(options: ContentsOptions, object: ObjectId): number | string | 'unknown' {
  const { world, devices, names, milestones } = options;
  const { kernel } = world;
  const { kind, owner, index } = objectName(object);
  switch (kind) {
    // What they guard are objects of their own.
    case 'ptl':
    case 'page_lock':
      return 0;
    case 'mmap_lock':
      return index === 0 ? 0 : arrivals(kernel.mms.get(owner)?.mmapLock);
    case 'pte': {
      const mm = kernel.mms.get(owner);
      return mm === undefined ? 'unknown' : readPte(mm.table, index as PageIndex);
    }
    case 'pmd':
      return blockText(kernel.mms.get(owner), index);
    case 'page':
      return frameContent(kernel, owner, index as Pfn);
    case 'contents':
      return contentsOf(kernel.frames, index as Pfn).join();
    case 'subscriptions':
      return bracketsText(options, kernel.mms.get(owner));
    case 'interval_sub':
      // Its sequence is compared and never shown: see comparedAt() and derived().
      return sequenceText(options, object);
    case 'tlb':
      return tlbContent(kernel.mms.get(owner), object, index);
    case 'vma':
      return ofMapping(kernel.mms.get(owner), index);
    case 'mm':
      return addressSpaceText(kernel.mms.get(owner), index);
    case 'swap_slot':
      return slotText(kernel, index);
    case 'allocator':
      return nextFree(kernel, index);
    case 'hold':
      // Which threads are left is told by the tasks that there are.
      if (owner === HOLD_OWNERS.threadsLeft) return '';
      return milestones.leftAt(object);
    case 'device':
      if (owner === MIGRATIONS_OWNER) return migrationsText(kernel, object);
      return devices[owner]?.contentOf?.(object) ?? 'unknown';
    case 'driver_lock':
    case 'mirror':
    case 'device_memory':
      return devices[owner]?.contentOf?.(object) ?? 'unknown';
    case 'user':
      return oracleText(world, names, owner, index);
    case 'task':
    case 'answer':
      return 'unknown';
    case 'page_cache':
      return cachedPage(kernel, owner, index);
    case 'rmap':
      return reverseMapText(kernel, owner, index);
    case 'notifiers':
      return notifiersText(kernel.mms.get(owner), object, index);
    case 'rmap_lock':
      return index % 2 === 0 ? 0 : arrivals(rmapLock(kernel, owner, index));
  }
}

/** One that a driver keeps itself. */
function sequenceOfDevice({ devices }: ContentsOptions, object: ObjectId): number | 'unknown' {
  const { kind, owner } = objectName(object);
  return kind === 'device' ? (devices[owner]?.sequenceAt?.(object) ?? 'unknown') : 'unknown';
}

function sequenceText({ world, sequences }: ContentsOptions, object: ObjectId): number | 'unknown' {
  const sub = subAt(world.kernel, object);
  if (sub === undefined) return 'unknown';
  return sequences === 'kept' ? sub.invalidateSeq : 0;
}

/** Opening and closing a bracket teaches nothing; a driver that reads the sequence itself may keep it. */
function learnableAt(kernel: Kernel, object: ObjectId): number | 'the content' | string {
  const { kind, owner } = objectName(object);
  if (kind === 'interval_sub') return subAt(kernel, object)?.invalidateSeq ?? 'the content';
  const mm = kind === 'subscriptions' ? kernel.mms.get(owner) : undefined;
  return mm === undefined ? 'the content' : subscribedText(mm);
}

function subAt({ mms }: Kernel, object: ObjectId): IntervalSub | undefined {
  const { kind, owner, index } = objectName(object);
  const mm = kind === 'interval_sub' ? mms.get(owner) : undefined;
  if (mm === undefined) return undefined;
  for (const { sub } of subscriptionsOf(mm)) if (sub.id === index) return sub;
  return undefined;
}

function* subscriptionsOf({ subscriptions }: Mm): Iterable<Subscription> {
  for (const { buckets } of subscriptions.itree.classes.values()) {
    for (const items of buckets.values()) yield* items.values();
  }
  for (const { subscription } of subscriptions.deferred) yield subscription;
}

/** Whether each subscription is being invalidated just now. */
function* currentSubs({ mms }: Kernel): Iterable<readonly [ObjectId, number]> {
  for (const mm of mms.values()) {
    for (const { sub } of subscriptionsOf(mm)) {
      yield [sub.object, sub.invalidateSeq === mm.subscriptions.invalidateSeq ? 1 : 0];
    }
  }
}

/** The list, who walks it, or one that was registered. */
function notifiersText(mm: Mm | undefined, object: ObjectId, about: number): string | 'unknown' {
  if (mm === undefined) return 'unknown';
  const { subscriptions } = mm;
  const { readers, leaving } = subscriptions;
  // Whom a grace period waits for is known to the task that waits.
  if (about === NOTIFIER_PARTS.readers) return leaving > 0 ? 'unknown' : `${readers.size}`;
  let listed = '';
  for (let one = subscriptions.list; one !== 'none'; one = one.next) {
    if (one.object === object) return `${one.state} ${one.calls}`;
    listed += ` ${one.device}`;
  }
  // Where a walk goes on that stands on one that is taken out is not in the list.
  return about === NOTIFIER_PARTS.list && leaving === 0 ? listed : 'unknown';
}

/** Who waits, in what order: readers are all alike. */
function arrivals(sem: RwSem | undefined): number | string {
  const waiting = sem?.waiting ?? [];
  if (waiting.every(({ mode }) => mode === 'read')) return waiting.length;
  return waiting.map(({ mode, task }) => `${mode} ${task.id}`).join();
}

/** Anon_vmas by their root. */
function rmapLock({ anonVmas, files }: Kernel, owner: number, index: number): RwSem | undefined {
  const id = Math.floor(index / 2);
  return owner === RMAP_OWNERS.anonVmas ? anonVmas.get(id)?.rwsem : files.get(id)?.iMmapRwsem;
}

/** Of the one file that is called so. */
function cachedPage({ files }: Kernel, name: number, offset: number): number | string {
  const called = [...files.values()].filter((file) => cacheName(file) === name);
  if (called.length !== 1) return 'unknown';
  return called[0]?.pages.get(offset) ?? 'none';
}

/** The mappings, in the order in which a walk meets them. */
function reverseMapText({ anonVmas, files }: Kernel, owner: number, id: number): string {
  if (owner === RMAP_OWNERS.files) return mappingsText(files.get(id)?.vmas ?? []);
  let text = '';
  for (const anonVma of anonVmas.values()) {
    if (rootOf(anonVma).id === id) text += `${anonVma.id}:${mappingsText(anonVma.vmas)};`;
  }
  return text;
}

function mappingsText(vmas: readonly Vma[]): string {
  return vmas.map(({ mm, first, end, pgoff }) => `${mm} ${first}-${end} ${pgoff}`).join();
}

/** Whether the OOM reaper was here, the locks of mappings, or which of them share an anon_vma. */
function ofMapping(mm: Mm | undefined, about: number): string | 'unknown' {
  if (mm === undefined) return 'unknown';
  switch (about) {
    case VMA_PARTS.unstable:
      return String(mm.unstable);
    case VMA_PARTS.anonVmas:
      return anonVmasText(mm);
    case VMA_PARTS.lockReaders:
      return vmaReadersText(mm);
    case VMA_PARTS.walkers:
      return String(mm.vmaLocks.walkers);
    default:
      return vmaWritersText(mm);
  }
}

function anonVmasText({ vmas }: Mm): string {
  const own = vmas.map(({ anonVma }) => anonVma);
  return own.map((anonVma) => (anonVma === 'none' ? '' : own.indexOf(anonVma))).join();
}

/** The level of a block, or its huge entry. */
function blockText(mm: Mm | undefined, index: number): string | 'unknown' {
  const block = mm?.table.pages.get(Math.floor(index / 2));
  if (block === undefined) return '';
  const freed = block.frees === 0 ? '' : ` ${block.frees}`;
  if (block.level === 'huge') return `huge ${block.huge}${freed}`;
  return block.level === 'table' ? `table${freed}` : freed;
}

function frameContent({ frames, isolated }: Kernel, about: number, pfn: Pfn): number | string {
  if (!frameExists(frames, pfn)) return 'not there';
  switch (about) {
    case PAGE_OWNERS.references:
      return refcount(frames, pfn);
    case PAGE_OWNERS.mapcount:
      return mapcount(frames, pfn);
    case PAGE_OWNERS.mapping: {
      const { id, index } = mappingOf(frames, pfn);
      return `${id} ${index} ${frames.swapSlots.get(pfn) ?? ''}`;
    }
    default:
      return `${frameFlags(frames, pfn) & (1 << (about - PAGE_OWNERS.firstFlag))} ${isolated.has(pfn)}`;
  }
}

/** Brackets and subscriptions have running numbers, which say nothing; nor does how far the sequence has come. */
function bracketsText(
  { world, sequences }: ContentsOptions,
  mm: Mm | undefined,
): string | 'unknown' {
  if (mm === undefined) return 'unknown';
  const { invalidateSeq, activeInvalidateRanges } = mm.subscriptions;
  const open: string[] = [];
  for (const { mm: of, range, hit, answer } of world.kernel.invalidations.values()) {
    if (of === mm) open.push(`${range.first}-${range.end} ${hit.join(' ')}${refusedText(answer)}`);
  }
  const odd = sequences === 'unread' ? '' : isOdd(invalidateSeq);
  return `${odd} ${activeInvalidateRanges} ${open.sort()} ${subscribedText(mm)}`;
}

/** Most brackets are not refused, and their texts as short as can be. */
function refusedText(answer: Invalidation['answer']): string {
  return answer === 'refused' ? ' refused' : '';
}

function subscribedText({ subscriptions }: Mm): string {
  const { itree, deferred } = subscriptions;
  const waiting = deferred.map(({ action, subscription }) => `${action} ${subscription.id}`);
  return `${itree.size} ${waiting.join()}`;
}

function tlbContent(mm: Mm | undefined, object: ObjectId, index: number): string | number {
  if (mm === undefined) return 'unknown';
  if (index === FLUSH_PENDING) return mm.tlbFlushPending;
  if (index === FLUSH_BATCHED) {
    return `${mm.tlbFlushBatched} ${mm.tlbFlushedBatch} ${mm.tlbBatches}`;
  }
  const isMeant = (tlb: Tlb): boolean => tlb.object === object;
  const found = mm.tlbs.find(isMeant) ?? mm.deviceTlbs.find(isMeant);
  return found === undefined ? 'unknown' : entriesText(found);
}

/** Whether it lives, its mappings, or its CPUs. */
function addressSpaceText(mm: Mm | undefined, about: number): string | number | 'unknown' {
  if (mm === undefined) return 'unknown';
  if (about === MM_PARTS.alive) return String(mm.alive);
  if (about === MM_PARTS.users) return `${mm.users} ${mm.takenDown}`;
  if (about === MM_PARTS.pinned) return `${mm.hasPinned} ${mm.writeProtectSeq}`;
  if (about === MM_PARTS.fastWalks) return mm.fastWalks;
  if (about === MM_PARTS.userfaults) return userfaultsText(mm);
  if (about === MM_PARTS.cpus) return [...mm.tlbs, ...mm.deviceTlbs].map(({ cpu }) => cpu).join();
  if (about === MM_PARTS.pmdTables) return [...mm.table.pmdTables].sort((a, b) => a - b).join();
  if (about === MM_PARTS.detached)
    return mm.detached.map(({ first, end }) => `${first}-${end}`).join();
  let text = '';
  for (const { first, end, prot, kind, pgoff, accounted } of mm.vmas) {
    text += ` ${first}-${end} ${prot} ${kind} ${pgoff} ${accounted}`;
  }
  return text;
}

function slotText({ swap }: Kernel, number: number): string {
  const slot = swap.slots.get(number);
  return slot === undefined
    ? ''
    : `${slot.uses} ${slot.cached} ${slot.claim} ${slot.contents.join()}`;
}

/** Which comes next: what a task that takes one learns. */
function nextFree({ frames, swap }: Kernel, about: number): number | 'unknown' {
  switch (about) {
    case ALLOCATORS.systemFrames:
      return frames.system.free.at(-1) ?? frames.system.used + 1;
    case ALLOCATORS.deviceFrames:
      // Scenarios have no device that leaves for good, hence no holes.
      return frames.device.used;
    case ALLOCATORS.swapSlots:
      return swap.state === 'off' ? -1 : (swap.free.at(-1) ?? swap.nextSlot);
    default:
      return 'unknown';
  }
}

function migrationsText({ migrations }: Kernel, object: ObjectId): string {
  const open: string[] = [];
  for (const migration of migrations.values()) {
    const { owner, range, select, src, dst, cpages } = migration;
    if (holdsPages(migration) && migrationsObject(owner) === object)
      open.push(`${range.first}-${range.end} ${select} ${src} ${dst} ${cpages === 'collecting'}`);
  }
  return open.sort().join();
}

function entriesText({ entries }: Tlb): string {
  let text = '';
  for (const [page, { pfn, access, dirty }] of entries)
    text += `${page} ${pfn} ${access} ${dirty},`;
  return text;
}

function oracleText(
  { oracles, kernel }: World,
  names: readonly string[],
  owner: number,
  index: number,
): string | 'unknown' {
  const page = index as PageIndex;
  if (owner >= ORACLE_OWNERS.firstRegister) {
    return registerValue(oracles.registers, owner - ORACLE_OWNERS.firstRegister, page);
  }
  if (owner === ORACLE_OWNERS.answers) {
    const waiting = [...kernel.invalidations.values()].filter(
      ({ answers }) => answers?.get(index)?.given === false,
    );
    return waiting.map(({ range, mm }) => `${mm.id} ${range.first}-${range.end}`).join();
  }
  if (owner === ORACLE_OWNERS.sharedPages) {
    return `${oracles.registers.shared.get(objectId('user', owner, index))}`;
  }
  const device = names[owner];
  if (device === undefined || index >= PAGES_MAX) return 'unknown';
  const entry = mirrorEntry(oracles.mirrors, device, page);
  return entry.state === 'none' ? 'none' : `${entry.pfn} ${entry.access}`;
}

/** What belongs to no object: which frame comes after the next, and what the programs have put into registers. */
function restOf({ world, registers, more }: ContentsOptions): string {
  const { frames, swap, cutOff, mms } = world.kernel;
  let text = `${frames.system.used} ${frames.system.free.join()} ${more()}`;
  for (const [name, value] of [...registers].sort()) text += ` ${name}=${value}`;
  if (swap.slotsMax > 0) text += ` ${swap.nextSlot} ${swap.free.join()} ${swap.state}`;
  for (const { vmas } of mms.values()) {
    for (const { anonVma, chain } of vmas) {
      text += ` ${anonVma === 'none' ? '' : anonVma.id} ${chain.length}`;
    }
  }
  text += pinsText(world.oracles.registers.pins);
  for (const owner of cutOff) text += ` ${owner}`;
  return text;
}
