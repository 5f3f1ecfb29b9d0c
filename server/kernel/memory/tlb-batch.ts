/**
 * Flushes of TLBs that reclaim and migration put off: entries of many pages go, and the CPUs are asked once, before
 * a page is written out or freed. Whoever finds an entry gone meanwhile must know that a flush is owed, for it has
 * none of its own to make:
 *
 *   reclaim                                 munmap, madvise, mprotect, mremap
 *     PTE lock: clears the entry, counts
 *                                             PTE lock: finds nothing there
 *                                             counted and not flushed: flushes   <- else the CPU goes on using the page
 *     flushes, frees the page
 *
 * Source: mm/rmap.c (should_defer_flush, set_tlb_ubc_flush_pending, flush_tlb_batched_pending, try_to_unmap_flush),
 * arch/x86/mm/tlb.c (arch_tlbbatch_flush) (6.1). Differs: the counts do not wrap.
 */
import { touch } from '../../task/context.ts';
import type { Task } from '../../task/task.ts';
import { PAGES_MAX, type PageIndex } from '../../vocabulary/address.ts';
import type { Kernel, TlbBatch } from '../kernel.ts';
import type { Mm } from './mm.ts';

const EVERYTHING = { first: 0 as PageIndex, end: PAGES_MAX as PageIndex };

export function newTlbBatch(): TlbBatch {
  return { owed: new Set(), writable: false };
}

/** should_defer_flush(): another CPU would have to be asked. Flushing this one's own TLB costs little. */
export function shouldDeferFlush(k: Kernel, mm: Mm): boolean {
  return mm.tlbs.some(({ cpu }) => cpu !== k.context.current.actor);
}

/** set_tlb_ubc_flush_pending(). Holds: the PTE lock of the entry that goes. */
export function setTlbUbcFlushPending(
  k: Kernel,
  mm: Mm,
  batch: TlbBatch,
  entry: 'dirty' | 'clean',
): void {
  touch(k.context, mm.flushBatchedObject, 'write');
  if (!batch.owed.has(mm)) mm.tlbBatches += 1;
  batch.owed.add(mm);
  if (entry === 'dirty') batch.writable = true;
  mm.tlbFlushBatched += 1;
}

/** A batch is yet to be flushed: what a CPU remembers meanwhile goes with it, at the latest. */
export function inTlbBatch(k: Kernel, mm: Mm): boolean {
  touch(k.context, mm.flushBatchedObject, 'read');
  return mm.tlbBatches > 0;
}

/** Flushes are counted that nobody is known to have made. */
export function flushesOwed(k: Kernel, mm: Mm): boolean {
  touch(k.context, mm.flushBatchedObject, 'read');
  return mm.tlbFlushBatched !== mm.tlbFlushedBatch;
}

/**
 * flush_tlb_batched_pending(): who is about to rely on what the entries say makes the flushes that others owe.
 *
 * Holds: the PTE lock of those entries, so that no more of them go unflushed.
 */
export function* flushTlbBatchedPending(k: Kernel, mm: Mm): Task<void> {
  if (!flushesOwed(k, mm)) return;
  const counted = mm.tlbFlushBatched;
  yield* k.fn.flushTlbRange(k, mm, EVERYTHING);
  touch(k.context, mm.flushBatchedObject, 'write');
  // Entries of another page table may have gone meanwhile.
  if (mm.tlbFlushBatched === counted) mm.tlbFlushedBatch = counted;
}

/** try_to_unmap_flush(): before a page of the batch may be used for something else. */
export function* tryToUnmapFlush(k: Kernel, batch: TlbBatch): Task<void> {
  const owed = [...batch.owed];
  batch.owed.clear();
  batch.writable = false;
  for (const mm of owed) {
    yield* k.fn.flushTlbRange(k, mm, EVERYTHING);
    touch(k.context, mm.flushBatchedObject, 'write');
    mm.tlbBatches -= 1;
  }
}

/** try_to_unmap_flush_dirty(): before the bytes of a page are taken for final. */
export function* tryToUnmapFlushDirty(k: Kernel, batch: TlbBatch): Task<void> {
  if (batch.writable) yield* k.fn.tryToUnmapFlush(k, batch);
}
