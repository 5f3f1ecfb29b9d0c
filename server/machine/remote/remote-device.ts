/**
 * A device whose driver runs in a client: what it holds here, so that a disconnect at any moment can give all of
 * it back (remote-detach.ts), and so that a client that lies reaches no invariant of the kernel.
 */

import {
  type DeviceApi,
  type DeviceFault,
  type IntervalSub,
  MIRROR_NONE,
  type MigrateVma,
  type MmuNotifier,
} from '../../abi/device-api.ts';
import { wake } from '../../task/context.ts';
import type { ObjectId } from '../../task/object-id.ts';
import type { Task } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import type { AboutQuestion } from './about-question.ts';
import type { LabUse } from './lab-use.ts';
import {
  abandonQuestions,
  newRemoteActor,
  type RemoteActor,
  type RemoteActorParts,
} from './remote-actor.ts';

/** Who holds the mmap_lock that a request runs under: the device itself, or a CPU fault that it serves. */
export type LockHolder = OwnLock | ServedFault;

/** The device's own mmap_lock, of the mm that it mirrors. */
export interface OwnLock {
  readonly kind: 'own';
  /** Read locks that the device holds: the wire does not say which thread of the client took one. */
  locks: number;
  /** Requests that run under it. */
  users: number;
}

/** A CPU fault that waits for this device, and holds the mmap_lock of its mm for it. */
export interface ServedFault {
  readonly kind: 'fault';
  readonly fault: DeviceFault;
  users: number;
  /** Changes when the last user ends. */
  readonly unused: ObjectId;
}

export interface OpenMigration {
  readonly kind: 'migrate_vma' | 'migrate_device';
  readonly migrate: MigrateVma;
  /** Whose mmap_lock keeps its mapping in place; 'none' for frames by number. */
  readonly under: LockHolder | 'none';
  /** 'collected', then migrate_*_pages runs, then 'moved'. */
  phase: 'collected' | 'moving' | 'moved';
}

/** What the kernel offers beside DeviceApi, for a device that went away. */
export interface DeviceTeardown {
  /**
   * From here on the device's DMA is refused with ENOTCONN and its mirror counts for nothing. A device that is
   * 'fenced' did not answer; one that is 'gone' has left. Not a yield point.
   */
  cutOff(why: 'fenced' | 'gone'): void;
  /** It refused to carry out an invalidation of a subscription that may wait. Not a yield point. */
  refused(sub: number): void;
  /** Takes cutOff() back: the device came again inside its grace period. Not a yield point. */
  reconnect(): void;
  /** Ends a migration so that its sources are mapped again where that is still possible. */
  abandonMigration(migrate: MigrateVma): Task<void>;
  /** The private memory of the device is lost: entries that name it become poison. */
  surrenderMemory(): Task<void>;
}

export interface RemoteDevice extends RemoteActor {
  readonly api: DeviceApi;
  readonly teardown: DeviceTeardown;
  readonly lab: LabUse;
  readonly subs: Map<number, IntervalSub>;
  /** Those of `subs` whose driver has two passes. */
  readonly inTwoPasses: Set<number>;
  /** Which callbacks its classic notifier has, from before it is registered until it is taken back. */
  classic: 'none' | 'start' | 'start-and-end';
  /** It, while it is registered and nobody takes it back. */
  notifier: MmuNotifier | 'none';
  /** Frames that it has references on (get_user_pages), one entry each. */
  readonly got: Pfn[];
  readonly migrations: Map<number, OpenMigration>;
  readonly ownLock: OwnLock;
  /** References on the mirrored address space (mmget_not_zero). */
  mmUsers: number;
  readonly faults: ServedFault[];
  /** Tasks that give back what it held; they end in the order in which they began. */
  leavingsBegun: number;
  leavingsEnded: number;
  /** Private memory: frames [first, first + count). */
  readonly chunks: { readonly first: Pfn; readonly count: number }[];
  /** Private frames between zone_device_page_init and page_free. */
  readonly privateInUse: Set<Pfn>;
  /** Frames from alloc_pages or zone_device_page_init that no migration has taken yet. */
  readonly unplaced: Set<Pfn>;
  /** Frames from make_device_exclusive_range that are still locked. */
  readonly locked: Set<Pfn>;
  /** Pages that its page table maps, as it says. */
  readonly mirrored: Set<PageIndex>;
}

export interface RemoteDeviceParts extends RemoteActorParts {
  readonly api: DeviceApi;
  readonly teardown: DeviceTeardown;
  readonly lab: LabUse;
}

export function newRemoteDevice(parts: RemoteDeviceParts): RemoteDevice {
  return {
    ...newRemoteActor(parts),
    api: parts.api,
    teardown: parts.teardown,
    lab: parts.lab,
    subs: new Map(),
    inTwoPasses: new Set(),
    classic: 'none',
    notifier: 'none',
    got: [],
    migrations: new Map(),
    ownLock: { kind: 'own', locks: 0, users: 0 },
    mmUsers: 0,
    leavingsBegun: 0,
    leavingsEnded: 0,
    faults: [],
    chunks: [],
    privateInUse: new Set(),
    unplaced: new Set(),
    locked: new Set(),
    mirrored: new Set(),
  };
}

/** True if others may have to wait for what the device holds. Derived, never counted. */
export function holdsUpOthers(device: RemoteDevice): boolean {
  return device.ownLock.locks > 0 || device.migrations.size > 0 || device.locked.size > 0;
}

/** Frames [first, first + count) lie in one chunk of the device's memory. */
export function ownsPrivateFrames(device: RemoteDevice, first: Pfn, count: number): boolean {
  const end = first + count;
  return device.chunks.some((chunk) => chunk.first <= first && end <= chunk.first + chunk.count);
}

/**
 * The device is cut off: the tasks that wait for its answers go on, and its page table counts for nothing, because
 * its DMA is refused from now on. Not a yield point. giveBackAll() or detachDevice() must follow.
 */
export function cutOff(device: RemoteDevice, why: 'fenced' | 'gone'): void {
  abandonQuestions(device);
  device.teardown.cutOff(why);
  for (const page of device.mirrored) device.api.mirrorChanged(page, MIRROR_NONE);
  device.mirrored.clear();
}

/** cutOff(), and it is notified. Not a yield point. giveBackAll() must follow. */
export function fenceDevice(device: RemoteDevice, why: string, about: AboutQuestion = {}): void {
  cutOff(device, 'fenced');
  const remedy = 'Drop your page table, connect again and insert your notifiers anew.';
  device.send({
    kind: 'tell',
    actor: device.actor,
    method: 'fenced',
    params: { why, remedy, ...about },
  });
}

/**
 * The device came back inside its grace period: its private memory is its own still, all else is gone. While that
 * is being given back it is 'returning'.
 */
export function reattachDevice(device: RemoteDevice): void {
  if (device.leavingsEnded < device.leavingsBegun) {
    device.state = 'returning';
    return;
  }
  device.state = 'attached';
  device.teardown.reconnect();
  wake(device.context, device.idle);
}
