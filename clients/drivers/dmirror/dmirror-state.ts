/**
 * One open dmirror device: what struct dmirror and struct dmirror_device hold, and the table of
 * those of its functions that a variant driver may replace.
 */

import type {
  DeviceApi,
  IntervalSub,
  NotifierRange,
  PgmapOwner,
} from '../../../server/abi/device-api.ts';
import type { HmmPfn } from '../../../server/abi/hmm-pfn.ts';
import type { MigratePfn } from '../../../server/abi/migrate-pfn.ts';
import { type TaskContext, touch } from '../../../server/task/context.ts';
import { type Held, type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import type { Task, YieldPoint } from '../../../server/task/task.ts';
import {
  type PageIndex,
  type PageRange,
  pageIndex,
  pageRange,
} from '../../../server/vocabulary/address.ts';
import type { Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { type DeviceMemory, newDeviceMemory } from '../hardware/device-memory.ts';
import { type DevicePageTable, newDevicePageTable } from '../hardware/device-page-table.ts';

/** Pages handled by one kernel call, as the arrays of 64 entries on the original's stack. */
export const DMIRROR_BATCH_PAGES = 64;

/** A private chunk holds this many frames unless the caller says otherwise. */
export const DMIRROR_CHUNK_PAGES = 4096;

/**
 * Collisions in a row after which a verb gives up with EBUSY. The original gives up after a second.
 */
export const DMIRROR_RETRIES_MAX = 1000;

export interface DmirrorOptions {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  /** Below 1,024; unlike that of every other device of the machine. */
  readonly deviceNumber: number;
  readonly memoryPages?: number;
  readonly retriesMax?: number;
  /** See DriverOptions. */
  readonly pgmapOwner?: PgmapOwner | undefined;
}

/** What hmm_range_fault() answered, not yet entered into the device page table. */
export interface FaultedRange {
  readonly range: PageRange;
  /** The sequence from mmuIntervalReadBegin() under which `pfns` were read. */
  readonly begun: Seq;
  readonly pfns: readonly HmmPfn[];
  readonly access: 'read' | 'write';
}

/**
 * A migration after migrate_vma_pages(): `src` says with its MIGRATE flags which pages moved to
 * `dst`.
 */
export interface CommittedMigration {
  readonly range: PageRange;
  readonly src: readonly MigratePfn[];
  readonly dst: readonly MigratePfn[];
}

export type InstallOutcome = Result<'installed' | 'collided'>;

/**
 * Where drivers go wrong. A variant is `{ ...DMIRROR_FUNCTIONS, installFaulted: ... }`.
 *
 * Entries and their absence are noted by the device page table itself, so the explorer also tries both
 * orders for a variant that stores entries without the driver lock.
 */
export interface DmirrorFunctions {
  /** The callback's filter: true if this device has nothing to do for `range`. */
  readonly ignoresInvalidation: (dmirror: Dmirror, range: NotifierRange) => boolean;
  /** Enters what was faulted, unless the range was invalidated since. */
  readonly installFaulted: (dmirror: Dmirror, faulted: FaultedRange) => Task<InstallOutcome>;
  /** Enters the pages that migrated. */
  readonly mapMigrated: (dmirror: Dmirror, migration: CommittedMigration) => Task<void>;
  /** Drops the entry of a private page that is about to be copied back to system memory. */
  readonly eraseEntry: (dmirror: Dmirror, page: PageIndex) => Task<void>;
}

export interface Dmirror {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  readonly fn: DmirrorFunctions;
  readonly memoryPages: number;
  readonly retriesMax: number;
  /** That it shares with other devices. */
  readonly pgmapOwner: PgmapOwner | undefined;
  /** Guards the page table and the invalidateSeq of every subscription. */
  readonly lock: Lock<'driver_lock'>;
  readonly pageTable: DevicePageTable;
  readonly memory: DeviceMemory;
  /** The subscription of the whole address space. */
  sub: IntervalSub | 'closed';
  /** 'gone': mmget_not_zero() would fail. An explorer sees each look. */
  mm: 'alive' | 'gone';
}

/** A device that is not open yet; its callbacks may already be called. */
export function newDmirrorState(options: DmirrorOptions, fn: DmirrorFunctions): Dmirror {
  return new DmirrorState(options, fn);
}

/** A class, for its accessors: see AddressSpace of the kernel. */
class DmirrorState implements Dmirror {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  readonly fn: DmirrorFunctions;
  readonly memoryPages: number;
  readonly retriesMax: number;
  readonly pgmapOwner: PgmapOwner | undefined;
  readonly lock: Lock<'driver_lock'>;
  readonly pageTable: DevicePageTable;
  readonly memory: DeviceMemory;
  sub: IntervalSub | 'closed' = 'closed';
  readonly #mmObject: ObjectId;
  #mm: Dmirror['mm'] = 'alive';

  constructor(options: DmirrorOptions, fn: DmirrorFunctions) {
    const { api, context, deviceNumber } = options;
    this.api = api;
    this.context = context;
    this.fn = fn;
    this.memoryPages = options.memoryPages ?? DMIRROR_CHUNK_PAGES;
    this.retriesMax = options.retriesMax ?? DMIRROR_RETRIES_MAX;
    this.pgmapOwner = options.pgmapOwner;
    this.lock = newLock('driver_lock', objectId('driver_lock', deviceNumber, 0));
    this.pageTable = newDevicePageTable(deviceNumber, api, context);
    this.memory = newDeviceMemory(deviceNumber, context);
    this.#mmObject = objectId('device', deviceNumber, 0);
  }

  get mm(): Dmirror['mm'] {
    touch(this.context, this.#mmObject, 'read');
    return this.#mm;
  }

  set mm(now: Dmirror['mm']) {
    touch(this.context, this.#mmObject, 'write');
    this.#mm = now;
  }
}

/** Runs `body` under the driver lock. Yields: yes. */
export function* withDriverLock<T>(
  dmirror: Dmirror,
  at: YieldPoint,
  body: (held: Held<'driver_lock'>) => Task<T>,
): Task<T> {
  const held = yield* lock(dmirror.context, at, dmirror.lock);
  const result = yield* body(held);
  unlock(dmirror.context, held);
  return result;
}

/** Runs `body` with mmap_lock of the mirrored mm held for read. Yields: yes. */
export function* withMmapReadLock<T>(dmirror: Dmirror, body: () => Task<T>): Task<T> {
  yield* dmirror.api.mmapReadLock();
  const result = yield* body();
  yield* dmirror.api.mmapReadUnlock();
  return result;
}

/** The part of [first, end) that one kernel call handles. */
export function nextBatch(first: PageIndex, end: PageIndex): PageRange {
  return pageRange(first, pageIndex(Math.min(end, first + DMIRROR_BATCH_PAGES)));
}
