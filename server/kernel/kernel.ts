/**
 * The simulated kernel: its state, and the table through which its functions reach each other, so that a patch
 * can replace any of them. There is no switch for bugs in here; every bug is a patch.
 */
import type { Accessed, Advice, MmapRequest, PinMode, Prot, Signal } from '../abi/cpu-api.ts';
import type {
  DeviceDriver,
  DeviceOwner,
  HmmRangeRequest,
  IntervalSub,
  MigrateRequest,
  MmuNotifyEvent,
  NotifierRange,
  PgmapOwner,
} from '../abi/device-api.ts';
import type { EventSink } from '../abi/event.ts';
import type { HmmPfn } from '../abi/hmm-pfn.ts';
import type { MigratePfn } from '../abi/migrate-pfn.ts';
import { type TaskContext, type TaskIdentity, touch } from '../task/context.ts';
import type { Held, Lock } from '../task/lock.ts';
import type { HeldForWrite } from '../task/rwsem.ts';
import type { Task } from '../task/task.ts';
import {
  type PageIndex,
  type PageRange,
  type Pfn,
  PTRS_PER_PTE,
  type VirtualAddress,
} from '../vocabulary/address.ts';
import type { Errno, Result } from '../vocabulary/errno.ts';
import type { Seq } from '../vocabulary/seq.ts';
import { type Frames, newFrames } from './memory/frames.ts';
import { type Mm, mmObject, newMm } from './memory/mm.ts';
import type { AnonVma, FilePages, MemoryFile, Vma } from './memory/mm-types.ts';
import type { PtePage } from './memory/page-table.ts';
import type { Pte } from './memory/pte.ts';
import { newSwap, type Swap, type SwapSlot } from './memory/swap.ts';
import type { Tlb } from './memory/tlb.ts';
import type { MergeWish, VmaAdjustment } from './memory/vma-changes.ts';
import type { ListedNotifier, Subscription } from './notifier/subscriptions.ts';

/** A struct dev_pagemap: one device's private frames [first, first + count). */
export interface Pgmap {
  readonly device: DeviceOwner;
  readonly owner: PgmapOwner;
  readonly driver: DeviceDriver;
  readonly first: Pfn;
  readonly count: number;
  /** Of a device that is gone: its pages that are still in use. The memory goes with the last of them. */
  leftOver: number | 'none';
}

/** What an access needs: FAULT_FLAG_WRITE or not. */
export type FaultAccess = 'read' | 'write';

/** What came of copying entries for a child. */
export type Copied = 'copied' | 'no memory';

/**
 * vm_fault_t, as far as anybody looks at it. 'retry': of a fault under the lock of the mapping, which it has let go of:
 * it needs mmap_lock (VM_FAULT_RETRY). 'userfault': to be called again when mmap_lock was let go of and a monitor
 * was waited for (waitForMonitor()).
 */
export type FaultOutcome = 'done' | 'retry' | 'sigbus' | 'sigsegv' | 'oom' | 'userfault';

/** A migration between migrate_vma_setup() and migrate_vma_finalize(). */
export interface Migration {
  readonly id: number;
  readonly mm: Mm;
  /** The device that migrates; its pgmap owner is struct migrate_vma's. */
  readonly owner: DeviceOwner;
  /** Absent for an eviction by frame numbers. */
  readonly vma: Vma | 'none';
  readonly range: PageRange;
  readonly select: MigrateRequest['select'];
  readonly faultPage: Pfn | 'none';
  readonly src: MigratePfn[];
  readonly dst: MigratePfn[];
  /** Pages that setup has collected; with none there is nothing to finalize. */
  cpages: number | 'collecting';
}

/** An open notifier bracket: what mmu_notifier_invalidate_range_end() needs. */
export interface Invalidation {
  readonly id: number;
  /** The task that opened it. */
  readonly by: TaskIdentity;
  readonly mm: Mm;
  readonly range: PageRange;
  /** Ids of the subscriptions that are called back. */
  readonly hit: readonly number[];
  /** For each of `hit`, and of classic notifiers with a start. Absent: no account is kept. */
  readonly answers?: Map<number, DeviceAnswer>;
  /** What classic notifiers hear at its end. Absent: they hear nothing. */
  readonly told?: NotifierRange;
  /** 'refused': by the interval tree, so that no classic notifier has heard of it. */
  answer?: 'agreed' | 'refused';
}

export interface DeviceAnswer {
  readonly device: DeviceOwner;
  /** The device has carried it out. */
  given: boolean;
}

export interface InvalidationRequest {
  readonly event: MmuNotifyEvent;
  readonly range: PageRange;
  readonly owner: PgmapOwner | 'none';
  readonly blocking: 'blockable' | 'non-blockable';
}

/** One CPU fault, or one fault on a device's behalf. */
export interface FaultRequest {
  readonly mm: Mm;
  readonly vma: Vma;
  readonly page: PageIndex;
  readonly access: FaultAccess;
  /** FAULT_FLAG_ALLOW_RETRY: the caller can let go of mmap_lock. Absent: it cannot. */
  readonly retry?: 'allowed';
  /** FAULT_FLAG_VMA_LOCK: the caller has locked the mapping, and not mmap_lock. Absent: it holds mmap_lock. */
  readonly lock?: 'vma';
}

/** One PTE under its lock. */
export interface LockedPte {
  readonly mm: Mm;
  readonly vma: Vma;
  readonly page: PageIndex;
  readonly ptePage: PtePage;
  readonly held: Held<'ptl'>;
}

/** Of copy_page_range(): the two mappings, and the page-table page of each that is copied now. */
export interface PteCopy {
  readonly to: Vma;
  readonly from: Vma;
  readonly child: Mm;
  readonly parent: Mm;
  readonly toPage: PtePage;
  readonly fromPage: PtePage;
}

/** One hmm_range_fault(): struct hmm_vma_walk with its range. */
export interface HmmWalk {
  readonly k: Kernel;
  readonly mm: Mm;
  /** struct hmm_range's dev_private_owner. */
  readonly owner: PgmapOwner;
  readonly request: HmmRangeRequest;
  readonly pfns: HmmPfn[];
}

/** Where a walk goes on: 'again' from a page that a fault may have changed. */
export type HmmWalked =
  | { readonly kind: 'next'; readonly page: PageIndex }
  | { readonly kind: 'again'; readonly page: PageIndex }
  | { readonly kind: 'error'; readonly errno: Errno };

/** Of a page that is mapped once more: whether the mapping may have it alone (RMAP_EXCLUSIVE). */
export type RmapSharing = 'exclusive' | 'shared';

/** What copy_vma() gives mremap(). */
export interface CopiedVma {
  /** The mapping that has the pages still. */
  readonly old: Vma;
  /** The one that covers the new place. */
  readonly made: Vma;
  /** need_rmap_locks: a walk may look at the new place before it looks at the old one. */
  readonly rmapLocks: 'needed' | 'not needed';
}

/** One place where a page may be mapped. */
export interface MappedAt {
  readonly mm: Mm;
  readonly vma: Vma;
  readonly page: PageIndex;
}

/** What a walk of the reverse map does at each place, and when it may end early. */
export interface RmapWalk {
  /** rmap_one: 'stop' ends the walk. */
  readonly visit: (place: MappedAt) => Task<'go-on' | 'stop'>;
  /** Asked after each visit. */
  readonly done: () => boolean;
  /** 'only': an anonymous page that nothing maps is not looked for (folio_lock_anon_vma_read). */
  readonly mapped: 'only' | 'or not';
}

/** A walk through the places of a huge page: whether it takes the lock of a block that is empty (PVMW_SYNC). */
export type EmptyBlocks = 'waited for' | 'passed over';

/** One page of UFFDIO_MOVE. */
export interface PageMove {
  readonly mm: Mm;
  readonly src: Vma;
  readonly dst: Vma;
  readonly from: PageIndex;
  readonly to: PageIndex;
}

/** What wp_page_copy() has left to do. */
export interface CopyEnd {
  readonly bracket: Invalidation | 'none';
  /** The page whose reference goes: the old one, or the copy that came too late. */
  readonly unused: Pfn | 'zero';
}

/** struct tlbflush_unmap_batch: the flushes that one task owes. */
export interface TlbBatch {
  readonly owed: Set<Mm>;
  /** Some CPU may still write to a page that was unmapped. */
  writable: boolean;
}

/** A page that is locked and mapped nowhere any more, and the locked frame that it goes to. */
export interface Unmapped {
  readonly from: Pfn;
  readonly to: Pfn;
}

/** Pages that lost their last mapping and wait for the TLB flush before they are freed (mmu_gather). */
export interface ZapBatch {
  readonly pages: Pfn[];
  /** Page tables that no upper level names any more, by the pages that they mapped. They wait as well. */
  readonly tables: PageRange[];
  /** 'stale': an entry that was present is gone, or a table, and some CPU may remember it. */
  tlb: 'untouched' | 'stale';
  /** Private copies of pages of a file: a truncation leaves them (even_cows). */
  readonly copies: 'go too' | 'stay';
}

/** Mappings that munmap() has taken out of the list, lowest first. */
export interface UnmappedRegion {
  readonly vmas: readonly Vma[];
  readonly range: PageRange;
  /** Where the mapping below ends, and the one above begins: a table that reaches there is in use still. */
  readonly floor: PageIndex;
  readonly ceiling: PageIndex;
}

/**
 * Every kernel function that a patch may override. Names are the kernel's, in camelCase; what the kernel has inline is
 * named by what it does. Those that are no Task run to their end as part of one step.
 */
export interface KernelFunctions {
  mmuNotifierInvalidateRangeStart(
    k: Kernel,
    mm: Mm,
    request: InvalidationRequest,
  ): Task<Result<Invalidation>>;
  mnItreeInvalidate(
    k: Kernel,
    range: NotifierRange,
    hit: readonly Subscription[],
    current: Seq,
  ): Task<'done' | 'again'>;
  mmuNotifierInvalidateRangeEnd(k: Kernel, invalidation: Invalidation): Task<void>;
  mnItreeInvEnd(k: Kernel, mm: Mm): Task<void>;
  mmuIntervalReadBegin(k: Kernel, mm: Mm, sub: IntervalSub): Task<Seq>;
  mmuIntervalNotifierInsert(
    k: Kernel,
    mm: Mm,
    range: PageRange,
    device: { readonly owner: DeviceOwner; readonly driver: DeviceDriver },
  ): Task<Result<IntervalSub>>;
  mmuIntervalNotifierRemove(k: Kernel, mm: Mm, sub: IntervalSub): Task<void>;

  openBracket(
    k: Kernel,
    mm: Mm,
    request: InvalidationRequest,
  ): Task<{
    readonly invalidation: Invalidation;
    readonly answer: 'agreed' | 'refused' | 'refused by a classic notifier';
  }>;
  startCallbacks(
    k: Kernel,
    invalidation: Invalidation,
    range: NotifierRange,
    hit: readonly Subscription[],
    current: Seq,
  ): Task<'agreed' | 'refused' | 'refused by a classic notifier'>;
  mnHlistInvalidateRangeStart(
    k: Kernel,
    invalidation: Invalidation,
    range: NotifierRange,
  ): Task<'done' | 'again'>;
  mnHlistInvalidateEnd(k: Kernel, invalidation: Invalidation): Task<void>;
  mmuNotifierInvalidateRange(k: Kernel, mm: Mm, range: PageRange): Task<void>;
  invalidateRangeAtEnd(k: Kernel, mm: Mm, range: PageRange): Task<void>;
  flushTlbNotify(k: Kernel, mm: Mm, range: PageRange): Task<void>;
  mnHlistRelease(k: Kernel, mm: Mm): Task<void>;
  mmuNotifierRegister(
    k: Kernel,
    mm: Mm,
    device: { readonly owner: DeviceOwner; readonly driver: DeviceDriver },
  ): Task<Result<ListedNotifier>>;
  mmuNotifierUnregister(k: Kernel, mm: Mm, notifier: ListedNotifier): Task<void>;
  synchronizeSrcu(k: Kernel, mm: Mm): Task<void>;
  mmTakeAllLocks(k: Kernel, mm: Mm): Task<HeldForWrite[]>;

  lockVmaUnderRcu(k: Kernel, mm: Mm, page: PageIndex): Task<Vma | 'none'>;
  doUserAddrFault(k: Kernel, cpu: Cpu, page: PageIndex, access: FaultAccess): Task<Signal | 'none'>;
  handleMmFault(k: Kernel, request: FaultRequest): Task<FaultOutcome>;
  doAnonymousPage(k: Kernel, request: FaultRequest): Task<FaultOutcome>;
  doHugePmdAnonymousPage(k: Kernel, request: FaultRequest): Task<FaultOutcome | 'fallback'>;
  doHugePmd(k: Kernel, request: FaultRequest): Task<FaultOutcome>;
  splitHugePmd(k: Kernel, mm: Mm, page: PageIndex): Task<void>;
  splitPte(huge: Pte, at: number): Pte;
  splitHugePage(k: Kernel, pfn: Pfn): Task<'split' | 'busy'>;
  doFault(k: Kernel, request: FaultRequest): Task<FaultOutcome>;
  finishFault(k: Kernel, request: FaultRequest, cached: Pfn): Task<FaultOutcome | 'lost'>;
  doCowFault(k: Kernel, request: FaultRequest): Task<FaultOutcome>;
  doWpPage(k: Kernel, request: FaultRequest, at: LockedPte): Task<FaultOutcome>;
  mayReuse(k: Kernel, request: FaultRequest, seen: Pte): Task<boolean>;
  wpPageReuse(k: Kernel, at: LockedPte): Task<void>;
  wpPageCopy(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome>;
  wpPageCopyEnd(k: Kernel, at: LockedPte, end: CopyEnd): Task<void>;
  doSwapPage(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome>;
  swapIn(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome>;
  swapcachePrepare(k: Kernel, slot: SwapSlot): Task<'claimed' | 'busy'>;
  swappedInExclusive(request: FaultRequest, base: Pte): Pte;
  shouldTryToFreeSwap(k: Kernel, pfn: Pfn, access: FaultAccess): boolean;
  folioFreeSwap(k: Kernel, pfn: Pfn): Task<'freed' | 'kept'>;
  freeSwapAndCache(k: Kernel, pte: Pte): Task<void>;
  freeSwapCache(k: Kernel, pfn: Pfn): Task<void>;
  migrateToRam(k: Kernel, mm: Mm, page: PageIndex, pfn: Pfn): Task<Result<void>>;
  removeDeviceExclusiveEntry(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome>;
  restoreExclusivePte(k: Kernel, at: LockedPte): void;
  migrationEntryWait(k: Kernel, mm: Mm, page: PageIndex): Task<void>;

  hmmRangeFault(
    k: Kernel,
    mm: Mm,
    owner: PgmapOwner,
    request: HmmRangeRequest,
  ): Task<Result<HmmPfn[]>>;
  hmmVmaHandlePte(walk: HmmWalk, vma: Vma, rest: PageRange, seen: Pte): Task<'stored' | HmmWalked>;
  migrateVmaSetup(
    k: Kernel,
    mm: Mm,
    owner: DeviceOwner,
    request: MigrateRequest,
  ): Task<Result<Migration>>;
  migrateVmaCollect(k: Kernel, migration: Migration): Task<void>;
  migrateVmaCollectPmd(k: Kernel, migration: Migration, block: PageRange): Task<void>;
  migrateVmaCollectPte(k: Kernel, migration: Migration, at: LockedPte): Task<MigratePfn>;
  takePage(k: Kernel, migration: Migration, at: LockedPte, pfn: Pfn): Task<'taken' | 'busy'>;
  migrateVmaUnmap(k: Kernel, migration: Migration): Task<void>;
  unmapPage(k: Kernel, migration: Migration, pfn: Pfn): Task<boolean>;
  migrateVmaCheckPage(k: Kernel, migration: Migration, pfn: Pfn): boolean;
  migrateVmaPages(k: Kernel, migration: Migration): Task<void>;
  mayMigrateToDevice(k: Kernel, from: Pfn): Task<boolean>;
  folioMigrateMapping(k: Kernel, from: Pfn, to: Pfn): void;
  migrateVmaInsertPage(k: Kernel, migration: Migration, index: number): Task<void>;
  migrateVmaFinalize(k: Kernel, migration: Migration): Task<void>;
  rmapWalk(k: Kernel, pfn: Pfn, walk: RmapWalk): Task<void>;
  tryToMigrate(k: Kernel, pfn: Pfn, batch?: TlbBatch): Task<void>;
  tryToMigrateOne(k: Kernel, pfn: Pfn, place: MappedAt, batch?: TlbBatch): Task<'go-on' | 'stop'>;
  tryToUnmap(k: Kernel, pfn: Pfn, batch?: TlbBatch): Task<void>;
  tryToUnmapOne(k: Kernel, pfn: Pfn, place: MappedAt, batch?: TlbBatch): Task<'go-on' | 'stop'>;
  tryToMigrateLarge(
    k: Kernel,
    head: Pfn,
    place: MappedAt,
    batch?: TlbBatch,
  ): Task<'go-on' | 'stop'>;
  pmdpInvalidate(k: Kernel, at: LockedPte): Task<Pte>;
  setPmdMigrationEntry(k: Kernel, at: LockedPte, head: Pfn): Task<'go-on' | 'stop'>;
  removeMigrationPtes(k: Kernel, from: Pfn, to: Pfn): Task<void>;
  removeMigrationPte(k: Kernel, place: MappedAt, from: Pfn, to: Pfn): Task<void>;
  removeMigrationLarge(
    k: Kernel,
    place: MappedAt,
    from: Pfn,
    to: Pfn,
    empty?: EmptyBlocks,
  ): Task<void>;
  removeMigrationPmd(k: Kernel, at: LockedPte, from: Pfn, to: Pfn): Task<void>;
  restoredPte(k: Kernel, at: LockedPte, entry: Pte, from: Pfn, to: Pfn): Pte;
  ptepClearFlush(k: Kernel, at: LockedPte, pfn: Pfn): Task<Pte>;
  pageAddNewAnonRmap(k: Kernel, mm: Mm, vma: Vma, page: PageIndex, pfn: Pfn): void;
  pageAddAnonRmap(
    k: Kernel,
    mm: Mm,
    vma: Vma,
    page: PageIndex,
    pfn: Pfn,
    sharing: RmapSharing,
  ): void;
  pageAddFileRmap(k: Kernel, pfn: Pfn): void;
  pageRemoveRmap(k: Kernel, pfn: Pfn): void;
  pageMoveAnonRmap(k: Kernel, vma: Vma, pfn: Pfn): void;
  pageTryShareAnonRmap(k: Kernel, pfn: Pfn): 'shared' | 'pinned';
  pageTryDupAnonRmap(k: Kernel, parent: Mm, pfn: Pfn): 'duplicated' | 'pinned';
  vmfAnonPrepare(k: Kernel, request: FaultRequest): Task<'prepared' | 'retry'>;
  anonVmaPrepare(k: Kernel, mm: Mm, vma: Vma): Task<void>;
  anonVmaClone(k: Kernel, to: Vma, from: Vma): Task<void>;
  anonVmaFork(k: Kernel, child: Vma, parent: Vma): Task<void>;
  unlinkAnonVmas(k: Kernel, vma: Vma): Task<void>;
  makeDeviceExclusiveRange(
    k: Kernel,
    mm: Mm,
    owner: DeviceOwner,
    range: PageRange,
  ): Task<Result<(Pfn | 'none')[]>>;
  mayMakeExclusive(k: Kernel, pfn: Pfn): boolean;
  pageMakeDeviceExclusiveOne(k: Kernel, at: LockedPte, pfn: Pfn): Task<void>;
  getUserPages(
    k: Kernel,
    mm: Mm,
    range: PageRange,
    access: FaultAccess,
    how: 'get' | 'pin',
  ): Task<Result<Pfn[]>>;
  locklessPagesFromMm(k: Kernel, mm: Mm, range: PageRange): Task<Pfn[]>;
  gupPteRange(k: Kernel, mm: Mm, page: PageIndex): Task<Pfn | 'none'>;
  ioMayPinVmas(mm: Mm, range: PageRange): boolean;

  vmaStartWrite(k: Kernel, mm: Mm, vma: Vma): Task<void>;
  vmAreaFree(k: Kernel, mm: Mm, vma: Vma): Task<void>;
  mmapExpand(k: Kernel, mm: Mm, wish: MergeWish): Task<'expanded' | 'alone'>;
  vmaMerge(k: Kernel, mm: Mm, wish: MergeWish): Task<Vma | 'none'>;
  vmaAdjust(k: Kernel, mm: Mm, adjustment: VmaAdjustment): Task<void>;
  splitVma(k: Kernel, mm: Mm, vma: Vma, page: PageIndex, made: 'below' | 'above'): Task<Vma>;
  mmapRegion(k: Kernel, mm: Mm, request: MmapRequest): Task<Result<void>>;
  zapPageRange(k: Kernel, mm: Mm, range: PageRange, event: MmuNotifyEvent): Task<void>;
  unmapPageRange(k: Kernel, mm: Mm, vma: Vma, range: PageRange, batch: ZapBatch): Task<void>;
  zapPte(k: Kernel, at: LockedPte, batch: ZapBatch): Task<void>;
  finishBatch(k: Kernel, mm: Mm, range: PageRange, batch: ZapBatch): Task<void>;
  munmap(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>>;
  detachVmas(k: Kernel, mm: Mm, range: PageRange): Task<readonly Vma[]>;
  unmapRegion(k: Kernel, mm: Mm, region: UnmappedRegion): Task<void>;
  unmapVmas(k: Kernel, mm: Mm, region: UnmappedRegion, batch: ZapBatch): Task<void>;
  freePgtables(k: Kernel, mm: Mm, region: UnmappedRegion, batch: ZapBatch): Task<void>;
  freePgdRange(k: Kernel, mm: Mm, range: PageRange, limits: PageRange, batch: ZapBatch): Task<void>;
  tlbRemoveTableFree(k: Kernel, mm: Mm, tables: readonly PageRange[]): Task<void>;
  mmap(k: Kernel, mm: Mm, request: MmapRequest): Task<Result<void>>;
  mprotect(k: Kernel, mm: Mm, range: PageRange, prot: Prot): Task<Result<void>>;
  mprotectFixup(k: Kernel, mm: Mm, vma: Vma, part: PageRange, prot: Prot): Task<void>;
  mprotectAccounts(vma: Vma, prot: Prot): boolean;
  changeProtection(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void>;
  changeProtectionStart(mm: Mm, range: PageRange): PageIndex | 'none';
  changedPte(k: Kernel, vma: Vma, pte: Pte): Pte;
  canChangePteWritable(k: Kernel, vma: Vma, pte: Pte): boolean;
  mremap(k: Kernel, mm: Mm, range: PageRange, to: PageIndex): Task<Result<void>>;
  copyVma(k: Kernel, mm: Mm, vma: Vma, range: PageRange, target: PageRange): Task<CopiedVma>;
  movePageTables(k: Kernel, mm: Mm, range: PageRange, to: PageIndex, copied: CopiedVma): Task<void>;
  takeRmapLocks(k: Kernel, vma: Vma): Task<HeldForWrite[]>;
  movePtes(k: Kernel, mm: Mm, range: PageRange, to: PageIndex, copied: CopiedVma): Task<void>;
  madvise(k: Kernel, mm: Mm, range: PageRange, advice: Advice): Task<Result<void>>;
  madviseRemove(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>>;
  shmemPunchHole(k: Kernel, file: MemoryFile, pages: FilePages): Task<void>;
  unmapMappingPages(k: Kernel, file: MemoryFile, pages: FilePages): Task<void>;
  truncateInodeFolio(k: Kernel, file: MemoryFile, offset: number): Task<void>;
  madviseCollapse(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>>;
  collapsePteMappedThp(
    k: Kernel,
    mm: Mm,
    vma: Vma,
    first: PageIndex,
  ): Task<'collapsed' | 'refused'>;
  collapseAndFreePmd(k: Kernel, mm: Mm, block: PageRange): Task<void>;
  pmdpCollapseFlush(k: Kernel, mm: Mm, block: PageRange): Task<void>;
  khugepagedScan(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>>;
  collapseFile(k: Kernel, file: MemoryFile, pages: FilePages): Task<'collapsed' | 'refused'>;
  retractPageTables(k: Kernel, file: MemoryFile, pages: FilePages): Task<void>;
  pteTableGone(page: PageIndex): void;
  freePageTable(k: Kernel, mm: Mm, block: PageRange): Task<void>;
  tlbRemoveTableSyncOne(k: Kernel, mm: Mm): Task<void>;
  madviseFree(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void>;
  madviseFreeHugePmd(k: Kernel, mm: Mm, page: PageIndex): Task<'handled' | 'small'>;
  madviseFreePte(k: Kernel, at: LockedPte): Task<void>;
  madvisePageout(k: Kernel, mm: Mm, vma: Vma, range: PageRange): Task<void>;
  shrinkInactiveList(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>>;
  isolateLruPages(k: Kernel, mm: Mm, range: PageRange): Task<Pfn[]>;
  shrinkFolioList(k: Kernel, isolated: readonly Pfn[]): Task<void>;
  reclaimPage(k: Kernel, pfn: Pfn, batch: TlbBatch): Task<'free' | 'kept'>;
  addToSwap(k: Kernel, pfn: Pfn): Task<'possible' | 'impossible'>;
  removeMapping(k: Kernel, pfn: Pfn, batch?: TlbBatch): Task<void>;
  compactPages(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>>;
  isolateLargeFolios(k: Kernel, mm: Mm, range: PageRange): Task<Pfn[]>;
  migratePages(k: Kernel, isolated: readonly Pfn[]): Task<void>;
  migrateFolioUnmap(k: Kernel, from: Pfn, batch?: TlbBatch): Task<Unmapped | 'stays'>;
  migrateFolioMove(k: Kernel, unmapped: Unmapped): Task<void>;
  fork(k: Kernel, parent: Mm): Task<Result<Mm>>;
  copyPageRange(
    k: Kernel,
    to: Vma,
    from: Vma,
    mms: { readonly to: Mm; readonly from: Mm },
  ): Task<Copied>;
  writeProtectSeqCount(k: Kernel, parent: Mm): void;
  copyPresentPte(k: Kernel, copy: PteCopy, source: LockedPte, pte: Pte): Task<Pte>;
  copyPresentPage(k: Kernel, to: Vma, child: Mm, page: PageIndex, pfn: Pfn): Task<Pte>;
  copyNonpresentPte(k: Kernel, copy: PteCopy, source: LockedPte, pte: Pte): Pte;
  exitMmap(k: Kernel, mm: Mm): Task<void>;
  mmgetNotZero(k: Kernel, mm: Mm): 'taken' | 'gone';
  mmput(k: Kernel, mm: Mm): Task<void>;
  mmputAsync(k: Kernel, mm: Mm): Task<void>;
  oomReapTaskMm(k: Kernel, mm: Mm): Task<Result<void>>;
  swapoff(k: Kernel): Task<Result<void>>;
  tryToUnuse(k: Kernel): Task<Result<void>>;
  unusePte(k: Kernel, at: LockedPte, seen: Pte, pfn: Pfn): Task<void>;
  userfaultfdMove(k: Kernel, mm: Mm, range: PageRange, to: PageIndex): Task<Result<void>>;
  movePagesPte(k: Kernel, move: PageMove): Task<Result<void>>;
  movePresentPte(k: Kernel, move: PageMove, seen: Pte): Task<Result<void>>;
  moveSwapPte(k: Kernel, move: PageMove, seen: Pte, cached: Pfn | 'none'): Task<Result<void>>;
  flushTlbRange(k: Kernel, mm: Mm, range: PageRange): Task<void>;
  shouldDeferFlush(k: Kernel, mm: Mm): boolean;
  setTlbUbcFlushPending(k: Kernel, mm: Mm, batch: TlbBatch, entry: 'dirty' | 'clean'): void;
  flushTlbBatchedPending(k: Kernel, mm: Mm): Task<void>;
  tryToUnmapFlush(k: Kernel, batch: TlbBatch): Task<void>;
  tryToUnmapFlushDirty(k: Kernel, batch: TlbBatch): Task<void>;

  exitToUserMode(k: Kernel, cpu: Cpu): Task<void>;
  load(k: Kernel, cpu: Cpu, address: VirtualAddress): Task<Accessed<bigint>>;
  store(k: Kernel, cpu: Cpu, address: VirtualAddress, value: bigint): Task<Accessed<void>>;
}

/** What a CPU has pinned. */
export interface Pin {
  readonly range: PageRange;
  readonly frames: readonly Pfn[];
  readonly mode: PinMode;
}

/** A CPU thread: where it runs and what it remembers. */
export interface Cpu {
  readonly name: string;
  readonly mm: Mm;
  readonly tlb: Tlb;
  /** Pins taken by this thread, by the caller's id. */
  readonly pins: Map<number, Pin>;
}

export interface Kernel {
  readonly fn: KernelFunctions;
  readonly context: TaskContext;
  readonly emit: EventSink;
  readonly frames: Frames;
  readonly thp: 'always' | 'never';
  /** Entries of one page-table page; also the pages of one huge page. */
  readonly ptrsPerPte: number;
  readonly swap: Swap;
  /** By mm id. */
  readonly mms: Map<number, Mm>;
  readonly files: Map<number, MemoryFile>;
  readonly anonVmas: Map<number, AnonVma>;
  readonly pgmaps: Pgmap[];
  /** Of devices whose memory has another owner than their own name; before they have any there is no entry. */
  readonly pgmapOwners: Map<DeviceOwner, PgmapOwner>;
  /** Locks of pages that are locked now. */
  readonly pageLocks: Map<Pfn, Lock<'page_lock'>>;
  readonly migrations: Map<number, Migration>;
  /** Brackets between start and end. */
  readonly invalidations: Map<number, Invalidation>;
  /** Frames isolated from the LRU. */
  readonly isolated: Set<Pfn>;
  /** Devices whose DMA is refused: fenced, or gone. */
  readonly cutOff: Set<DeviceOwner>;
  nextId: number;
  nextMmId: number;
}

/** What a machine has. All counts are pages. */
export interface KernelConfig {
  readonly systemPages: number;
  readonly devicePages: number;
  readonly swapSlots: number;
  /** Transparent huge pages (/sys/kernel/mm/transparent_hugepage/enabled). */
  readonly thp: 'always' | 'never';
  /** Entries of one page-table page; also the pages of one huge page. A power of two, 2 to 512. */
  readonly ptrsPerPte: number;
}

export const DEFAULT_CONFIG: KernelConfig = {
  systemPages: 2 ** 20,
  devicePages: 2 ** 18,
  swapSlots: 0,
  thp: 'never',
  ptrsPerPte: PTRS_PER_PTE,
};

/** Below this a scenario may number its own files. */
const FIRST_ID = 1_000;

/** A kernel without processes. `emit` receives the event log. */
export function newKernel(
  fn: KernelFunctions,
  context: TaskContext,
  emit: EventSink,
  config: KernelConfig,
): Kernel {
  return {
    fn,
    context,
    emit,
    frames: newFrames(config.systemPages, config.devicePages, context),
    thp: config.thp,
    ptrsPerPte: config.ptrsPerPte,
    swap: newSwap(config.swapSlots, context),
    mms: new Map(),
    files: new Map(),
    anonVmas: new Map(),
    pgmaps: [],
    pgmapOwners: new Map(),
    pageLocks: new Map(),
    migrations: new Map(),
    invalidations: new Map(),
    isolated: new Set(),
    cutOff: new Set(),
    nextId: FIRST_ID,
    nextMmId: 0,
  };
}

/** A process with an empty address space; the first one is mm 0. */
export function newProcess(k: Kernel): Mm {
  const mm = newMm(k.nextMmId, k.ptrsPerPte, k.context);
  k.nextMmId += 1;
  touch(k.context, mmObject(mm.id), 'write');
  k.mms.set(mm.id, mm);
  return mm;
}

/** The address space with this id; undefined once it has exited. */
export function findMm(k: Kernel, id: number): Mm | undefined {
  touch(k.context, mmObject(id), 'read');
  return k.mms.get(id);
}

/** Its process has not begun to exit. */
export function isAlive(k: Kernel, mm: Mm): boolean {
  touch(k.context, mmObject(mm.id), 'read');
  return mm.alive;
}

/** The process is gone, and its reference with it. Yields: as mmput(). */
export function* endProcess(k: Kernel, mm: Mm): Task<void> {
  touch(k.context, mmObject(mm.id), 'write');
  mm.alive = false;
  yield* k.fn.mmput(k, mm);
}

/** A number for something new: a migration, a subscription, an anon_vma, a file. */
export function nextId(k: Kernel): number {
  const id = k.nextId;
  k.nextId = id + 1;
  return id;
}
