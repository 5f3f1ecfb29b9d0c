/**
 * A driver that can be chosen by name, or loaded from a user's file: what a scenario needs of it, and what it gets.
 * Own drivers export one of these (docs/SCENARIOS.md).
 */
import type { DeviceApi, DeviceDriver, PgmapOwner } from '../../../server/abi/device-api.ts';
import type { DmaPins } from '../../../server/abi/dma-pins.ts';
import type { Iommu } from '../../../server/abi/iommu.ts';
import type { TaskContext } from '../../../server/task/context.ts';
import type { ObjectId } from '../../../server/task/object-id.ts';
import type { Task } from '../../../server/task/task.ts';
import type { Pfn } from '../../../server/vocabulary/address.ts';
import type { Result } from '../../../server/vocabulary/errno.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';

export interface DriverOptions {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  /** Below 1,024; unlike that of every other device. Names the driver's lock and page table for the explorer. */
  readonly deviceNumber: number;
  /** Private frames of a chunk. */
  readonly memoryPages: number;
  /** Whose the private memory is, where several devices share an owner. Absent: this device's. */
  readonly pgmapOwner?: PgmapOwner | undefined;
  /** Collisions in a row after which a verb gives up with EBUSY. */
  readonly retriesMax: number;
  /** set_page_dirty_lock(): waits for the page lock. Only beside the kernel; the wire has no such call. */
  readonly setPageDirtyLock: (pfn: Pfn) => Task<void>;
  /** Binds the device to the page table of the process. Only beside the kernel: elsewhere it is absent. */
  readonly bindIommu?: () => Iommu;
  /** Pins of a thread of the process that sets the device up. Only beside the kernel. */
  readonly dmaPins?: () => DmaPins;
}

/** One device with its driver. */
export interface LabDevice {
  /** What the kernel calls. */
  readonly callbacks: DeviceDriver;
  /** Runs before anything else that the device does. */
  open(): Task<Result<void>>;
  /** Does one verb. What the driver does not know is EINVAL. */
  perform(verb: DmirrorVerb): Task<DmirrorResult>;
  /**
   * For the explorer's cache of states: what stands at an object of the driver's own; of its lock, all that the lock
   * guards. 'unknown', or no such function: the explorer goes by who wrote there. What it returns must hold
   * everything that the driver can learn there.
   */
  contentOf?(object: ObjectId): number | string | 'unknown';
  /**
   * The same of a sequence that is held to be compared (holdToCompare()) and shown nobody: its value now. 'unknown' of
   * everything else, or no such function.
   */
  sequenceAt?(object: ObjectId): number | 'unknown';
  /** Invalidations that a driver with a classic notifier takes to be in progress: none, once nothing goes on. */
  invalidating?(): number;
  /**
   * Private frames that were in use once and may be handed out again, for the oracle of private frames. 'unknown', or
   * no such function: it goes by page_free() alone.
   */
  freeFrames?(): readonly Pfn[] | 'unknown';
}

export interface DriverVariant {
  readonly id: string;
  /** Where the driver, or its fault, comes from. */
  readonly provenance: string;
  /** What it does otherwise than dmirror, in one sentence. */
  readonly summary: string;
  /** The user's file that it comes from. Absent: it ships. */
  readonly file?: string;
  /** Where its tasks run: 'here', beside the kernel, unless it says otherwise. */
  readonly runs?: 'here' | 'far';
  /**
   * Says that it calls mmuNotifierRegister(), at whatever time. Such devices are called in an order, so no two of them
   * can change places.
   */
  readonly notifiers?: 'classic';
  readonly newDevice: (options: DriverOptions) => LabDevice;
}

/** What a user's file exports as `driver`. */
export type OwnDriver = Omit<DriverVariant, 'provenance' | 'file'> &
  Partial<Pick<DriverVariant, 'provenance'>>;
