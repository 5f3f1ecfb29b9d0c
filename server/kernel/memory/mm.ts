import { type TaskContext, touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { FLUSH_BATCHED, FLUSH_PENDING, MM_PARTS, VMA_PARTS } from '../../task/object-owners.ts';
import { newRwSem, type RwSem } from '../../task/rwsem.ts';
import { type NotifierSubscriptions, newNotifierSubscriptions } from '../notifier/subscriptions.ts';
import type { Vma } from './mm-types.ts';
import { newPageTable, type PageTable } from './page-table.ts';
import type { Tlb } from './tlb.ts';
import { newUserfaults, type Userfaults } from './userfaults.ts';
import type { VmaList } from './vma.ts';
import { newVmaLocks, type VmaLocks } from './vma-locks.ts';

/** struct mm_struct: one address space. */
export interface Mm {
  readonly id: number;
  readonly mmapLock: RwSem;
  /** Guarded by mmapLock. An explorer sees each look. */
  readonly vmas: VmaList;
  /** The same list, for a task that is about to change it. Holds: mmapLock for writing. */
  readonly vmasToChange: VmaList;
  /** Mappings out of the list whose entries are on their way (mt_detach), in order. Nobody but munmap() looks here. */
  readonly detached: Vma[];
  readonly table: PageTable;
  readonly subscriptions: NotifierSubscriptions;
  /** One for each CPU thread that runs in this address space. An explorer sees each look. */
  readonly tlbs: Tlb[];
  /** The same list, for a task that is about to change it. */
  readonly tlbsToChange: Tlb[];
  /** What devices remember that share the page table. No shootdown reaches them. */
  deviceTlbs: readonly Tlb[];
  /** What is registered with userfaultfd, and who waits there. */
  readonly userfaults: Userfaults;
  /** MMF_HAS_PINNED: some page was pinned with FOLL_PIN, so fork must look. */
  hasPinned: boolean;
  /** write_protect_seq: odd while fork() takes rights to write away. Changes under mmap_lock for writing. */
  writeProtectSeq: number;
  /** MMF_UNSTABLE: the OOM reaper was here; nothing may be filled in any more. */
  unstable: boolean;
  readonly unstableObject: ObjectId;
  readonly vmaLocks: VmaLocks;
  /** Brackets of tlb_gather_mmu() .. tlb_finish_mmu(): some CPU may still use what is gone from the table. */
  tlbFlushPending: number;
  readonly flushPendingObject: ObjectId;
  /** tlb_flush_batched: flushes that were put off by others (tlb-batch.ts), and up to which of them all were made. */
  tlbFlushBatched: number;
  tlbFlushedBatch: number;
  /** Batches that owe this address space a flush still. Linux does not count them: its counts above do not go back. */
  tlbBatches: number;
  readonly flushBatchedObject: ObjectId;
  /** The process runs: false from its exit on, whoever else still uses the address space. */
  alive: boolean;
  /** Walks of the page table by CPUs whose interrupts are off meanwhile, in no lock (GUP-fast). */
  fastWalks: number;
  /** mm_users: the process, and each device that has taken a reference. With the last one goes all that is mapped. */
  users: number;
  /** The last of them is gone: everything goes, or has gone. */
  takenDown: boolean;
}

/** What MMF_HAS_PINNED and write_protect_seq are called when tasks conflict on them. */
export function pinnedObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.pinned);
}

/** What walks without a lock are called when tasks conflict on them. */
export function fastWalksObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.fastWalks);
}

/** What mm_users is called when tasks conflict on it. */
export function mmUsersObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.users);
}

/** What being alive is called when tasks conflict on it: exit() ends it. */
export function mmObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.alive);
}

/** The same for its list of mappings. */
export function vmaListObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.mappings);
}

/** The same for the mappings that have left it. */
export function detachedObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.detached);
}

/** The same for the list of CPUs that run in it. */
export function tlbListObject(id: number): ObjectId {
  return objectId('mm', id, MM_PARTS.cpus);
}

/** An address space of which every look at its lists is noted in `context`. */
export function newMm(id: number, ptrsPerPte: number, context: TaskContext): Mm {
  return new AddressSpace(id, ptrsPerPte, context);
}

/**
 * A class, for its accessors: those of an object literal get a hidden class for each object, which lives until the next
 * full collection and keeps the whole world alive with it. The explorer builds a world for each execution.
 */
export class AddressSpace implements Mm {
  readonly id: number;
  readonly mmapLock: RwSem;
  readonly detached: Vma[] = [];
  readonly table: PageTable;
  readonly subscriptions: NotifierSubscriptions;
  hasPinned = false;
  writeProtectSeq = 0;
  unstable = false;
  readonly unstableObject: ObjectId;
  readonly vmaLocks: VmaLocks;
  tlbFlushPending = 0;
  deviceTlbs: readonly Tlb[] = [];
  readonly userfaults = newUserfaults();
  readonly flushPendingObject: ObjectId;
  tlbFlushBatched = 0;
  tlbFlushedBatch = 0;
  tlbBatches = 0;
  readonly flushBatchedObject: ObjectId;
  alive = true;
  fastWalks = 0;
  users = 1;
  takenDown = false;
  readonly #context: TaskContext;
  readonly #vmaList: ObjectId;
  readonly #tlbList: ObjectId;
  // Not #: a checkpoint goes by the fields that an address space shows.
  private readonly allVmas: VmaList = [];
  private readonly allTlbs: Tlb[] = [];

  constructor(id: number, ptrsPerPte: number, context: TaskContext) {
    this.id = id;
    this.mmapLock = newRwSem('mmap_lock', objectId('mmap_lock', id, 0));
    this.table = newPageTable(id, ptrsPerPte, context);
    this.subscriptions = newNotifierSubscriptions(id);
    this.unstableObject = objectId('vma', id, VMA_PARTS.unstable);
    this.vmaLocks = newVmaLocks(id);
    this.flushPendingObject = objectId('tlb', id, FLUSH_PENDING);
    this.flushBatchedObject = objectId('tlb', id, FLUSH_BATCHED);
    this.#context = context;
    this.#vmaList = vmaListObject(id);
    this.#tlbList = tlbListObject(id);
  }

  get vmas(): VmaList {
    touch(this.#context, this.#vmaList, 'read');
    return this.allVmas;
  }

  get vmasToChange(): VmaList {
    touch(this.#context, this.#vmaList, 'write');
    return this.allVmas;
  }

  get tlbs(): Tlb[] {
    touch(this.#context, this.#tlbList, 'read');
    return this.allTlbs;
  }

  get tlbsToChange(): Tlb[] {
    touch(this.#context, this.#tlbList, 'write');
    return this.allTlbs;
  }
}
