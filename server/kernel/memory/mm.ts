import { type TaskContext, touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { FLUSH_PENDING, MM_PARTS, VMA_PARTS } from '../../task/object-owners.ts';
import { newRwSem, type RwSem } from '../../task/rwsem.ts';
import { type NotifierSubscriptions, newNotifierSubscriptions } from '../notifier/subscriptions.ts';
import { newPageTable, type PageTable } from './page-table.ts';
import type { Tlb } from './tlb.ts';
import type { VmaList } from './vma.ts';
import { newVmaLocks, type VmaLocks } from './vma-locks.ts';

/** struct mm_struct: one address space. */
export interface Mm {
  readonly id: number;
  readonly mmapLock: RwSem;
  /** Guarded by mmapLock. An explorer is told of each look. */
  readonly vmas: VmaList;
  /** The same list, for whoever is about to change it. Holds: mmapLock for writing. */
  readonly vmasToChange: VmaList;
  readonly table: PageTable;
  readonly subscriptions: NotifierSubscriptions;
  /** One for each CPU thread that runs in this address space. An explorer is told of each look. */
  readonly tlbs: Tlb[];
  /** The same list, for whoever is about to change it. */
  readonly tlbsToChange: Tlb[];
  /** MMF_HAS_PINNED: some page was pinned with FOLL_PIN, so fork must look. */
  hasPinned: boolean;
  /** MMF_UNSTABLE: the OOM reaper was here; nothing may be filled in any more. */
  unstable: boolean;
  readonly unstableObject: ObjectId;
  readonly vmaLocks: VmaLocks;
  /** Brackets of tlb_gather_mmu() .. tlb_finish_mmu(): some CPU may still use what is gone from the table. */
  tlbFlushPending: number;
  readonly flushPendingObject: ObjectId;
  /** mm_users: falls to zero at exit. */
  alive: boolean;
}

/** What being alive is called when tasks conflict on it: exit() ends it. */
export function mmObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.alive);
}

/** The same for its list of mappings. */
export function vmaListObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.mappings);
}

/** The same for the list of CPUs that run in it. */
export function tlbListObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.cpus);
}

/** An address space of which every look at its lists is noted in `context`. */
export function newMm(id: number, ptrsPerPte: number, context: TaskContext): Mm {
  const vmas: VmaList = [];
  const vmaList = vmaListObject(id);
  const tlbs: Tlb[] = [];
  const tlbList = tlbListObject(id);
  return {
    id,
    mmapLock: newRwSem('mmap_lock', objectId('mmap_lock', id, 0)),
    get vmas() {
      touch(context, vmaList, 'read');
      return vmas;
    },
    get vmasToChange() {
      touch(context, vmaList, 'write');
      return vmas;
    },
    table: newPageTable(id, ptrsPerPte, context),
    subscriptions: newNotifierSubscriptions(id),
    get tlbs() {
      touch(context, tlbList, 'read');
      return tlbs;
    },
    get tlbsToChange() {
      touch(context, tlbList, 'write');
      return tlbs;
    },
    hasPinned: false,
    unstable: false,
    unstableObject: objectId('vma', id, VMA_PARTS.unstable),
    vmaLocks: newVmaLocks(id),
    tlbFlushPending: 0,
    flushPendingObject: objectId('tlb', id, FLUSH_PENDING),
    alive: true,
  };
}
