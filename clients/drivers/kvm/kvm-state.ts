/**
 * One virtual machine, as KVM keeps it: the guest's stage-2 page table, and what tells a fault that its page may have
 * gone meanwhile. Guest addresses are those of the process: each memslot maps its pages onto themselves.
 *
 * Models: struct kvm, as far as MMU notifiers go (include/linux/kvm_host.h, 6.12).
 */
import type { DeviceApi, MmuNotifier } from '../../../server/abi/device-api.ts';
import { type TaskContext, touch, wake } from '../../../server/task/context.ts';
import { type Held, type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import type { Task, YieldPoint } from '../../../server/task/task.ts';
import {
  contains,
  PAGES_MAX,
  type PageIndex,
  type PageRange,
  type Pfn,
} from '../../../server/vocabulary/address.ts';
import type { Result } from '../../../server/vocabulary/errno.ts';
import { type DevicePageTable, newDevicePageTable } from '../hardware/device-page-table.ts';

/** What a fault has found, not yet entered into the guest's table. A reference on the frame is held. */
export interface LookedUp {
  readonly page: PageIndex;
  readonly pfn: Pfn;
  readonly access: 'read' | 'write';
  /** Pages that the entry covers from `page` on. */
  readonly pages: number;
  /** mmu_invalidate_seq, from before the look. */
  readonly begun: number;
}

/** Where such drivers have gone wrong. A variant is `{ ...KVM_FUNCTIONS, isStale: ... }`. */
export interface KvmFunctions {
  /** The way from a guest address to a frame, with the sequence under which that holds. */
  readonly lookUp: (kvm: Kvm, page: PageIndex, access: 'read' | 'write') => Task<Result<LookedUp>>;
  /** mmu_invalidate_retry_gfn(). Holds: mmu_lock. */
  readonly isStale: (kvm: Kvm, page: PageIndex, begun: number) => boolean;
  /** What cacheIsStale() is asked about later. Holds: the lock of the cache. */
  readonly cacheSequence: (kvm: Kvm) => Task<number>;
  /** The same question of a cache of frames, which is asked without mmu_lock. */
  readonly cacheIsStale: (kvm: Kvm, page: PageIndex, begun: number) => boolean;
  /** Waits until memslots may change. */
  readonly untilSlotsMayChange: (kvm: Kvm) => Task<void>;
  /** What invalidate_range_end() does to sequence and count. Takes: mmu_lock. */
  readonly invalidateEnd: (kvm: Kvm) => Task<void>;
}

/** Names of what tasks of one guest share, for an explorer. */
interface KvmObjects {
  readonly seq: ObjectId;
  readonly inProgress: ObjectId;
  readonly active: ObjectId;
  readonly life: ObjectId;
  readonly slots: ObjectId;
  readonly cache: ObjectId;
}

/** A struct gfn_to_pfn_cache: the hypervisor's own way to one page of the guest's. It holds no reference. */
export interface PfnCache {
  /** Guards what follows. */
  readonly lock: Lock<'driver_lock'>;
  state: 'never used' | 'invalid' | 'valid';
  page: PageIndex;
  pfn: Pfn;
}

export interface Kvm {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  readonly fn: KvmFunctions;
  readonly objects: KvmObjects;
  /** Guards the table, the count of invalidations in progress and their range; and who moves the sequence. */
  readonly mmuLock: Lock<'driver_lock'>;
  readonly table: DevicePageTable;
  mmuInvalidateSeq: number;
  mmuInvalidateInProgress: number;
  /** The smallest range that covers all that is in progress; it only grows until none is. */
  mmuInvalidateRange: PageRange;
  /** mn_active_invalidate_count: raised before anything else is done for a bracket. */
  activeInvalidates: number;
  /** Memslots: what of the process the guest has. Changed while no bracket is open; see kvm-memslots.ts. */
  slots: readonly PageRange[];
  /** Of them those that are being taken out (KVM_MEMSLOT_INVALID). */
  invalidSlots: readonly PageRange[];
  readonly cache: PfnCache;
  notifier: MmuNotifier | 'closed';
  /** 'gone': release() has been called, nothing may be mapped any more. */
  life: 'alive' | 'gone';
}

export interface KvmOptions {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  /** Below 1,023; unlike that of every other device of the machine. */
  readonly deviceNumber: number;
}

const NOWHERE: PageRange = { first: PAGES_MAX as PageIndex, end: 0 as PageIndex };

/** Nothing is registered yet. */
export function newKvm({ api, context, deviceNumber }: KvmOptions, fn: KvmFunctions): Kvm {
  const part = (index: number) => objectId('device', deviceNumber, index);
  return {
    api,
    context,
    fn,
    objects: {
      life: part(0),
      seq: part(1),
      inProgress: part(2),
      active: part(3),
      slots: part(4),
      cache: part(5),
    },
    mmuLock: newLock('driver_lock', objectId('driver_lock', deviceNumber, 0)),
    table: newDevicePageTable(deviceNumber, api, context),
    mmuInvalidateSeq: 0,
    mmuInvalidateInProgress: 0,
    mmuInvalidateRange: NOWHERE,
    activeInvalidates: 0,
    slots: [{ first: 0 as PageIndex, end: PAGES_MAX as PageIndex }],
    invalidSlots: [],
    cache: {
      lock: newLock('driver_lock', objectId('driver_lock', deviceNumber, 1)),
      state: 'never used',
      page: 0 as PageIndex,
      pfn: 0 as Pfn,
    },
    notifier: 'closed',
    life: 'alive',
  };
}

/** Runs `body` under mmu_lock. Yields: yes. */
export function* withMmuLock<T>(
  kvm: Kvm,
  at: YieldPoint,
  body: (held: Held<'driver_lock'>) => Task<T>,
): Task<T> {
  const held = yield* lock(kvm.context, at, kvm.mmuLock);
  const result = yield* body(held);
  unlock(kvm.context, held);
  return result;
}

/** kvm_mmu_invalidate_begin() and kvm_mmu_invalidate_range_add(). Announce a write of objects.inProgress before. */
export function mmuInvalidateBegin(kvm: Kvm, { first, end }: PageRange): void {
  touch(kvm.context, kvm.objects.inProgress, 'write');
  kvm.mmuInvalidateInProgress += 1;
  const others = kvm.mmuInvalidateInProgress === 1 ? NOWHERE : kvm.mmuInvalidateRange;
  kvm.mmuInvalidateRange = {
    first: Math.min(others.first, first) as PageIndex,
    end: Math.max(others.end, end) as PageIndex,
  };
}

/** One invalidation less is in progress. Announce a write of objects.inProgress before. */
export function mmuInvalidateDone(kvm: Kvm): void {
  kvm.mmuInvalidateInProgress -= 1;
  wake(kvm.context, kvm.objects.inProgress);
}

/** Some invalidation of `page` is in progress. */
export function isInvalidating(kvm: Kvm, page: PageIndex): boolean {
  touch(kvm.context, kvm.objects.inProgress, 'watch');
  return kvm.mmuInvalidateInProgress > 0 && contains(kvm.mmuInvalidateRange, page);
}
