import type { DeviceDriver, DeviceOwner, IntervalSub } from '../../abi/device-api.ts';
import type { TaskIdentity } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { NOTIFIER_PARTS } from '../../task/object-owners.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import { type Seq, seq } from '../../vocabulary/seq.ts';
import { type IntervalTree, newIntervalTree } from './interval-tree.ts';

/** One registered mmu_interval_notifier: the driver's half and whom to call. */
export interface Subscription {
  readonly id: number;
  readonly range: PageRange;
  readonly sub: IntervalSub;
  readonly driver: DeviceDriver;
  readonly device: string;
  /** In whose name the device is asked, and answers, where it has no task of its own. */
  readonly callee: TaskIdentity;
}

/** One registered struct mmu_notifier: an element of the hlist. */
export interface ListedNotifier {
  readonly id: number;
  readonly object: ObjectId;
  readonly driver: DeviceDriver;
  readonly device: DeviceOwner;
  /** Stays as it is when the element is taken out: a walk that stands there goes on from it. */
  next: ListedNotifier | 'none';
  /** 'freed': unregister has returned, and the driver may free what its callbacks work with. */
  state: 'listed' | 'unlisted' | 'freed';
  /** Callbacks under way. */
  calls: number;
}

/**
 * struct mmu_notifier_subscriptions of one mm. All fields are guarded by its spinlock, whose critical sections
 * are single steps on `object` here: nothing in them can wait.
 */
export interface NotifierSubscriptions {
  readonly object: ObjectId;
  /** Odd while a range that some subscription covers is being invalidated (MN2). */
  invalidateSeq: Seq;
  activeInvalidateRanges: number;
  readonly itree: IntervalTree<Subscription>;
  readonly listObject: ObjectId;
  /** The first of the hlist: the one that was registered last. */
  list: ListedNotifier | 'none';
  readonly readersObject: ObjectId;
  /** Walks of the list under way (srcu_read_lock()), by running numbers. */
  readonly readers: Set<number>;
  /** Tasks that have taken elements out, and whose grace period is not over. */
  leaving: number;
  /** Inserts and removes that wait for the running invalidation to end. */
  readonly deferred: {
    readonly action: 'insert' | 'remove';
    readonly subscription: Subscription;
  }[];
}

export function newNotifierSubscriptions(mm: number): NotifierSubscriptions {
  return {
    object: objectId('subscriptions', mm, 0),
    invalidateSeq: seq(2),
    activeInvalidateRanges: 0,
    itree: newIntervalTree(),
    listObject: objectId('notifiers', mm, NOTIFIER_PARTS.list),
    list: 'none',
    readersObject: objectId('notifiers', mm, NOTIFIER_PARTS.readers),
    readers: new Set(),
    leaving: 0,
    deferred: [],
  };
}
