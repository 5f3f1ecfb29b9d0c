import { objectId } from '../../task/object-id.ts';
import { newRwSem, type RwSem } from '../../task/rwsem.ts';
import { type NotifierSubscriptions, newNotifierSubscriptions } from '../notifier/subscriptions.ts';
import { newPageTable, type PageTable } from './page-table.ts';
import type { Tlb } from './tlb.ts';
import type { VmaList } from './vma.ts';

/** struct mm_struct: one address space. */
export interface Mm {
  readonly id: number;
  readonly mmapLock: RwSem;
  /** Guarded by mmapLock. */
  readonly vmas: VmaList;
  readonly table: PageTable;
  readonly subscriptions: NotifierSubscriptions;
  /** One for each CPU thread that runs in this address space. */
  readonly tlbs: Tlb[];
  /** MMF_HAS_PINNED: some page was pinned with FOLL_PIN, so fork must look. */
  hasPinned: boolean;
  /** MMF_UNSTABLE: the OOM reaper was here; nothing may be filled in any more. */
  unstable: boolean;
  /** Brackets of tlb_gather_mmu() .. tlb_finish_mmu(): some CPU may still use what is gone from the table. */
  tlbFlushPending: number;
  /** mm_users: falls to zero at exit. */
  alive: boolean;
}

export function newMm(id: number): Mm {
  return {
    id,
    mmapLock: newRwSem('mmap_lock', objectId('mmap_lock', id, 0)),
    vmas: [],
    table: newPageTable(id),
    subscriptions: newNotifierSubscriptions(id),
    tlbs: [],
    hasPinned: false,
    unstable: false,
    tlbFlushPending: 0,
    alive: true,
  };
}
