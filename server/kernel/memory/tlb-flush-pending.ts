/**
 * inc_tlb_flush_pending() and its like: who takes entries away and flushes the TLBs only later says so meanwhile.
 * Source: include/linux/mm_types.h (6.1).
 */
import { touch } from '../../task/context.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';

export function beginTlbFlushPending(k: Kernel, mm: Mm): void {
  touch(k.context, mm.flushPendingObject, 'add');
  mm.tlbFlushPending += 1;
}

export function endTlbFlushPending(k: Kernel, mm: Mm): void {
  touch(k.context, mm.flushPendingObject, 'add');
  mm.tlbFlushPending -= 1;
}

/** mm_tlb_flush_pending(): some CPU may still use an entry that is gone. */
export function tlbFlushPending(k: Kernel, mm: Mm): boolean {
  touch(k.context, mm.flushPendingObject, 'read');
  return mm.tlbFlushPending > 0;
}

/**
 * mm_tlb_flush_nested(): another task has a flush pending, and may have taken an entry away that we found gone. So
 * we flush as well.
 */
export function tlbFlushNested(k: Kernel, mm: Mm): boolean {
  touch(k.context, mm.flushPendingObject, 'read');
  return mm.tlbFlushPending > 1;
}
