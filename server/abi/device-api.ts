/**
 * What a device may ask of the kernel, and what the kernel may ask of a device. In the lab the calls are the
 * kernel's own functions; in a client process each call is a request (clients/sdk). A driver sees no difference.
 *
 * Sources: include/linux/mmu_notifier.h, include/linux/hmm.h, include/linux/migrate.h, lib/test_hmm.c (6.1).
 */

import type { ObjectId } from '../task/object-id.ts';
import type { Task } from '../task/task.ts';
import type { PageIndex, PageRange, Pfn } from '../vocabulary/address.ts';
import type { Result } from '../vocabulary/errno.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';
import type { Seq } from '../vocabulary/seq.ts';
import type { HmmPfn } from './hmm-pfn.ts';
import type { MigratePfn } from './migrate-pfn.ts';

/** Names a device. */
export type DeviceOwner = string;
/**
 * The owner of a struct dev_pagemap, which says who may take its pages as they are: the name of its device, or a word
 * that devices with an interconnect share.
 */
export type PgmapOwner = string;
/** Numbers the address spaces of a machine; 0 is the process that the devices mirror. */
export type MmId = number;

/** A struct mmu_interval_notifier. `invalidateSeq` lives with the driver and is guarded by the driver's lock. */
export interface IntervalSub {
  readonly id: number;
  readonly range: PageRange;
  readonly object: ObjectId;
  invalidateSeq: Seq;
}

/** A registered struct mmu_notifier: of the whole address space, with callbacks at both ends of a bracket. */
export interface MmuNotifier {
  readonly id: number;
}

/** enum mmu_notifier_event. */
export type MmuNotifyEvent =
  | 'unmap'
  | 'clear'
  | 'protection_vma'
  | 'protection_page'
  | 'soft_dirty'
  | 'release'
  | 'migrate'
  | 'exclusive';

/** A struct mmu_notifier_range, as a device sees it. */
export interface NotifierRange {
  readonly mm: MmId;
  readonly range: PageRange;
  readonly event: MmuNotifyEvent;
  /** Of a migration: the pgmap owner that was given to it. Of exclusive access: the device. */
  readonly owner: PgmapOwner | 'none';
  readonly blocking: 'blockable' | 'non-blockable';
}

/** HMM_PFN_REQ_FAULT / HMM_PFN_REQ_WRITE, per call or per page. */
export type HmmRequestFlags = 'snapshot' | 'fault' | 'fault-write';

/** A struct hmm_range. */
export interface HmmRangeRequest {
  readonly sub: IntervalSub;
  readonly notifierSeq: Seq;
  readonly range: PageRange;
  readonly defaultFlags: HmmRequestFlags;
  /** Per-page requests, honoured where pfn_flags_mask would let them through; absent means a mask of 0. */
  readonly pageFlags?: readonly HmmRequestFlags[];
}

export const MIGRATE_SELECTS = ['system', 'device-private', 'system+private'] as const;
export type MigrateSelect = (typeof MIGRATE_SELECTS)[number];

/** The input half of a struct migrate_vma. Private pages are selected only if they have the caller's pgmap owner. */
export interface MigrateRequest {
  readonly mm: MmId;
  readonly range: PageRange;
  readonly select: MigrateSelect;
  /** The page whose CPU fault is being served, from DeviceFault; 'none' outside migrate_to_ram. */
  readonly faultPage: Pfn | 'none';
}

/** The output half of a struct migrate_vma: what was collected, one entry a page. */
export interface MigrateVma {
  readonly id: number;
  readonly src: readonly MigratePfn[];
}

export interface VmaView {
  readonly range: PageRange;
  readonly prot: 'none' | 'r' | 'rw';
}

/** One page of DMA: the frame that the device's own page table names, and the page it believes it to be. */
export interface DmaTarget {
  readonly page: PageIndex;
  readonly pfn: Pfn;
}

/** What a device's own page table says of one page. Reported so that oracles and viewers can see it. */
export type MirrorEntry =
  | { readonly state: 'none' }
  | {
      readonly state: 'mapped';
      readonly pfn: Pfn;
      readonly access: 'read' | 'write' | 'exclusive';
    };

export const MIRROR_NONE: MirrorEntry = { state: 'none' };

export interface DeviceApi {
  readonly owner: DeviceOwner;
  /** The mm that this device mirrors. */
  readonly mm: MmId;

  /** mmap_read_lock() of the mirrored mm. Held by the device until it unlocks, detaches or is fenced. */
  mmapReadLock(): Task<void>;
  mmapReadUnlock(): Task<void>;

  /**
   * mmget_not_zero(): keeps the mirrored address space from being taken down. False if that has begun: then nothing
   * was taken.
   */
  mmgetNotZero(): Task<boolean>;
  /**
   * Gives a reference back. If it was the last, takes the address space down on the spot: never in a callback, nor with
   * a lock that one takes (rule 37). Throws: KernelBug (MM1) without a reference.
   */
  mmput(): Task<void>;
  /** mmput() from where it may not be the last: then a worker takes the address space down. */
  mmputAsync(): Task<void>;

  /** EINVAL for an empty range; ENOMEM is not modelled. */
  mmuIntervalNotifierInsert(range: PageRange): Task<Result<IntervalSub>>;
  /** Waits until no invalidation that has seen the subscription is running. Not from a callback. */
  mmuIntervalNotifierRemove(sub: IntervalSub): Task<void>;
  /** Waits while the subscription's range is being invalidated. Never with the driver lock held (rule 11). */
  mmuIntervalReadBegin(sub: IntervalSub): Task<Seq>;

  /**
   * mmu_notifier_register(): from now on driver.mmuNotifier is called. Takes mmap_lock for writing, and all locks of
   * the mappings: no bracket is under way when it returns. EINVAL once the process has exited, or if the driver has
   * nothing to call.
   */
  mmuNotifierRegister(): Task<Result<MmuNotifier>>;
  /**
   * mmu_notifier_unregister(): calls release(), and waits until no callback is under way. Not from a callback, nor with
   * a lock held that one takes.
   */
  mmuNotifierUnregister(notifier: MmuNotifier): Task<void>;

  /**
   * get_user_pages_unlocked(): faults the pages in and takes a reference on each. Takes mmap_lock itself. Fewer frames
   * than pages if a later one cannot be had; EFAULT if the first cannot. Give them back with putPages().
   */
  getUserPages(range: PageRange, access: 'read' | 'write'): Task<Result<readonly Pfn[]>>;
  /** put_page() of each: references from getUserPages(). */
  putPages(frames: readonly Pfn[]): Task<void>;

  /** find_vma(): the first mapping that ends above `page`. Needs mmap_lock. ENOENT if there is none. */
  findVma(page: PageIndex): Task<Result<VmaView>>;
  /** Needs mmap_lock. EBUSY: collided, begin again. EFAULT, EPERM, EINVAL as mm/hmm.c. */
  hmmRangeFault(request: HmmRangeRequest): Task<Result<readonly HmmPfn[]>>;

  /** Needs mmap_lock. EINVAL as mm/migrate_device.c. Zero collected pages is a success. */
  migrateVmaSetup(request: MigrateRequest): Task<Result<MigrateVma>>;
  /** `dst` holds one entry a page, 0 for none. Returns `src` anew: map only pages that kept MIGRATE. */
  migrateVmaPages(migrate: MigrateVma, dst: readonly MigratePfn[]): Task<readonly MigratePfn[]>;
  /** Ends the migration; each setup that succeeded is finalized exactly once. */
  migrateVmaFinalize(migrate: MigrateVma): Task<void>;

  /** migrate_device_range(): collects own private frames [first, first + count) for eviction, without a VMA. */
  migrateDeviceRange(first: Pfn, count: number): Task<Result<MigrateVma>>;
  /** migrate_device_pages(): as migrateVmaPages, for a migration from migrateDeviceRange. */
  migrateDevicePages(migrate: MigrateVma, dst: readonly MigratePfn[]): Task<readonly MigratePfn[]>;
  migrateDeviceFinalize(migrate: MigrateVma): Task<void>;

  /**
   * make_device_exclusive_range(): needs mmap_lock. One frame a page, 'none' where it was not possible. Frames
   * come locked and referenced; give them back with unlockAndPutPages().
   */
  makeDeviceExclusiveRange(range: PageRange): Task<Result<readonly (Pfn | 'none')[]>>;
  unlockAndPutPages(frames: readonly Pfn[]): Task<void>;

  /**
   * memremap_pages(): `count` frames of device-private memory. `owner` is theirs, and from then on what the device
   * passes as pgmap_owner and dev_private_owner; its own name, unless said. ENOMEM beyond the machine's limit, EINVAL
   * if it has memory of another owner.
   */
  memremapPages(count: number, owner?: PgmapOwner): Task<Result<Pfn>>;
  /** zone_device_page_init(): takes a free private frame into use, referenced and locked. Not a yield point. */
  zoneDevicePageInit(pfn: Pfn): void;
  /** Drops a frame from zoneDevicePageInit() or allocPages() that no migration took: unlock and put. */
  putDevicePage(pfn: Pfn): Task<void>;
  /** alloc_page() and lock_page(), `count` times: system memory to migrate to. ENOMEM when frames run out. */
  allocPages(count: number): Task<Result<readonly Pfn[]>>;

  /**
   * Copies out of frames, by frame number, with no look at any page table: of system memory, and of devices that share
   * the pgmap owner. ENOTCONN once fenced; EFAULT for other frames.
   */
  dmaRead(targets: readonly DmaTarget[]): Task<Result<readonly PageContents[]>>;
  dmaWrite(targets: readonly DmaTarget[], contents: readonly PageContents[]): Task<Result<void>>;

  /** Reports that this device's page table changed. Not a yield point. */
  mirrorChanged(page: PageIndex, entry: MirrorEntry): void;
  /** Reports that the device accessed its own memory at `page`. Not a yield point. */
  privateMemoryAccessed(
    page: PageIndex,
    pfn: Pfn,
    mode: 'read' | 'write',
    contents: PageContents,
  ): void;
}

/** A CPU fault on a device-private page. Runs with mmap_lock held for read and the page referenced and locked. */
export interface DeviceFault {
  readonly mm: MmId;
  readonly page: PageIndex;
  /** To be passed as MigrateRequest.faultPage. */
  readonly pfn: Pfn;
}

/** Where the answers to sendInvalidate() go. `place` is the one that it was given. */
export interface InvalidateAnswers {
  /** What the task that asked waits on. */
  readonly object: ObjectId;
  /** Call it once for each place, between two steps: then and there it becomes an event. */
  answered(place: number, answer: 'done' | 'again'): void;
  /** No task waits for the device any more: 'done', once the task that asked has its turn. */
  abandoned(place: number): void;
}

/** What invalidateStart() leaves for the second pass. */
export type InvalidateFinish = () => Task<void>;

/** struct mmu_notifier_ops, as far as it is modelled; release() is the driver's. */
export interface MmuNotifierOps {
  /** 'again' only where the range is not blockable, and only of a driver that has no invalidateRangeEnd(). */
  readonly invalidateRangeStart?: (range: NotifierRange) => Task<'done' | 'again'>;
  /** May be called without a start, if the notifier was registered in between. */
  readonly invalidateRangeEnd?: (range: NotifierRange) => Task<void>;
  /**
   * Of a device that shares the page table: invalidate_range() until 6.5, arch_invalidate_secondary_tlbs() since.
   * Called with the lock of a page table held; it may not wait for anybody.
   */
  readonly invalidateSecondaryTlbs?: (range: PageRange) => Task<void>;
}

/** What the kernel may ask of a device: struct mmu_interval_notifier_ops and struct dev_pagemap_ops. */
export interface DeviceDriver {
  /** Of a driver that calls mmuNotifierRegister(). */
  readonly mmuNotifier?: MmuNotifierOps | undefined;
  /** 'again' only where the range is not blockable. */
  invalidate(sub: IntervalSub, range: NotifierRange, seq: Seq): Task<'done' | 'again'>;
  /**
   * Where the kernel has two passes: begins what invalidate() does, moves the sequence, and may leave the rest to what
   * it returns, which runs once every device has begun. A kernel of one pass calls invalidate().
   */
  readonly invalidateStart?:
    | ((
        sub: IntervalSub,
        range: NotifierRange,
        seq: Seq,
      ) => Task<'done' | 'again' | InvalidateFinish>)
    | undefined;
  /**
   * Only of a driver in another process: asks it, and returns at once. What invalidate() does, without a task of its
   * own for each device; here every order of the answers comes from outside.
   */
  readonly sendInvalidate?: SendInvalidate | undefined;
  /** Brings the page back to system memory. A failure becomes SIGBUS. */
  migrateToRam(fault: DeviceFault): Task<Result<void>>;
  /** A private frame lost its last reference. */
  pageFree(pfn: Pfn): Task<void>;
  /** The mirrored mm is going away. */
  release(): Task<void>;
  /** What a device with an interconnect does for its peers. Absent: they cannot reach its memory. */
  readonly peerMemory?: PeerMemory | undefined;
}

/** A window into private memory: for other devices of the same pgmap owner. No lock of the driver sees them. */
export interface PeerMemory {
  read(pfn: Pfn): Task<Result<PageContents>>;
  write(pfn: Pfn, contents: PageContents): Task<Result<void>>;
}

/** See DeviceDriver.sendInvalidate. `range` is the same object for all devices of a bracket. */
export type SendInvalidate = (
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
  answers: InvalidateAnswers,
  place: number,
) => void;

/**
 * mmu_interval_set_seq(): in the invalidate callback, under the driver's lock, before the device's entries are
 * dropped (rule 4).
 */
export function mmuIntervalSetSeq(sub: IntervalSub, seq: Seq): void {
  sub.invalidateSeq = seq;
}

/**
 * mmu_interval_read_retry(): under the driver's lock. True means that the range was invalidated since
 * mmuIntervalReadBegin() returned `begun`: what was read then is void (rule 1).
 */
export function mmuIntervalReadRetry(sub: IntervalSub, begun: Seq): boolean {
  return sub.invalidateSeq !== begun;
}
