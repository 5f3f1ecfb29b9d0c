/**
 * A page table that was taken away may be freed when no CPU walks it any more. Walks hold its lock, or the locks that
 * whoever takes it away holds; but for those that pin pages without any lock, on CPUs whose interrupts are off:
 *
 *   khugepaged                    GUP-fast
 *                                   interrupts off; reads the entry of the upper level
 *     clears that entry
 *     asks all CPUs (IPI): waits      reads the table; interrupts on
 *     frees the table
 *
 * Source: mm/mmu_gather.c (tlb_remove_table_sync_one), mm/khugepaged.c (6.1). Differs: it waits for walks of the same
 * address space alone. Since 6.5 the table is freed behind a grace period of RCU, which waits for the same CPUs.
 */
import { touch, wake } from '../../task/context.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { fastWalksObject, type Mm } from './mm.ts';
import { noteFreed } from './page-table.ts';

/** local_irq_save(). Pair with endFastWalk(). */
export function beginFastWalk(k: Kernel, mm: Mm): void {
  touch(k.context, fastWalksObject(mm.id), 'add');
  mm.fastWalks += 1;
}

export function endFastWalk(k: Kernel, mm: Mm): void {
  mm.fastWalks -= 1;
  wake(k.context, fastWalksObject(mm.id), 'add');
}

/** tlb_remove_table_sync_one(): on return no walk is under way that began before. */
export function* tlbRemoveTableSyncOne(_k: Kernel, mm: Mm): Task<void> {
  const walks = fastWalksObject(mm.id);
  yield waitUntil('tlb_remove_table_sync_one.wait', walks, () => mm.fastWalks === 0);
}

/** pte_free(), behind what it has to wait for. The block has no table any more. */
export function* freePageTable(k: Kernel, mm: Mm, block: PageRange): Task<void> {
  yield* k.fn.tlbRemoveTableSyncOne(k, mm);
  noteFreed(mm.table, block.first);
}
