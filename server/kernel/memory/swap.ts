import type { Pfn } from '../../vocabulary/address.ts';
import { type PageContents, ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';

/**
 * Swap space: slots with a use count, and the swap cache.
 *
 * Leaves out: clusters, readahead, several devices; writing is synchronous, as on a RAM disk. Source: mm/swapfile.c.
 */
export interface Swap {
  readonly slotsMax: number;
  readonly slots: Map<number, SwapSlot>;
  nextSlot: number;
  readonly free: number[];
}

export interface SwapSlot {
  /** Page table entries that name this slot. */
  uses: number;
  contents: PageContents;
  /** The page in the swap cache, which holds a reference. */
  cached: Pfn | 'none';
}

export function newSwap(slotsMax: number): Swap {
  return { slotsMax, slots: new Map(), nextSlot: 0, free: [] };
}

/** A slot without uses, or 'none' when swap is full (or absent). */
export function allocSlot(swap: Swap): number | 'none' {
  const reused = swap.free.pop();
  if (reused === undefined && swap.nextSlot === swap.slotsMax) return 'none';
  const slot = reused ?? swap.nextSlot++;
  swap.slots.set(slot, { uses: 0, contents: ZERO_CONTENTS, cached: 'none' });
  return slot;
}

/** Gives a slot back once no entry names it and no cached page belongs to it. */
export function freeSlotIfUnused(swap: Swap, slot: number): void {
  const found = swap.slots.get(slot);
  if (found === undefined || found.uses > 0 || found.cached !== 'none') return;
  swap.slots.delete(slot);
  swap.free.push(slot);
}
