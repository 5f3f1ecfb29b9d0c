import { type TaskContext, touch, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { ALLOCATORS } from '../../task/object-owners.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { type PageContents, ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';

/**
 * Swap space: slots with a use count, and the swap cache.
 *
 * Leaves out: clusters, readahead, several devices, what changes once half of the swap space is in use
 * (vm_swap_full); writing is synchronous, as on a RAM disk. Source: mm/swapfile.c.
 */
export interface Swap {
  readonly slotsMax: number;
  readonly slots: Map<number, SwapSlot>;
  /** Every access to a slot is noted here for an explorer. */
  readonly context: TaskContext;
  nextSlot: number;
  readonly free: number[];
  /** SWP_WRITEOK: 'off' once swapoff() has begun. */
  state: 'on' | 'off';
}

/** Looked at through slotAt() and lookAtSlot() only, changed by the functions below only. */
export interface SwapSlot {
  readonly number: number;
  /** Page table entries that name this slot. */
  uses: number;
  contents: PageContents;
  /** The page in the swap cache, which holds a reference. SWAP_HAS_CACHE is set while there is one. */
  cached: Pfn | 'none';
  /** SWAP_HAS_CACHE without a page: a fault reads the slot past the swap cache, and no other may. */
  claim: 'free' | 'claimed';
}

/** What taking slots and giving them back is called when tasks conflict on it. */
export const SLOT_ALLOCATOR = objectId('allocator', 0, ALLOCATORS.swapSlots);

export function newSwap(slotsMax: number, context: TaskContext): Swap {
  return { slotsMax, slots: new Map(), context, nextSlot: 0, free: [], state: 'on' };
}

/** What one slot is called when tasks conflict on it. */
export function slotObject(slot: number): ObjectId {
  return objectId('swap_slot', 0, slot);
}

/** A slot without uses, or 'none' when swap is full (or absent). */
export function allocSlot(swap: Swap): SwapSlot | 'none' {
  if (swap.state === 'off') {
    touch(swap.context, SLOT_ALLOCATOR, 'read');
    return 'none';
  }
  const left = swap.free.length + swap.slotsMax - swap.nextSlot;
  touch(swap.context, SLOT_ALLOCATOR, left > 1 ? 'lower' : 'write');
  const reused = swap.free.pop();
  if (reused === undefined && swap.nextSlot === swap.slotsMax) return 'none';
  const number = reused ?? swap.nextSlot++;
  const slot: SwapSlot = {
    number,
    uses: 0,
    contents: ZERO_CONTENTS,
    cached: 'none',
    claim: 'free',
  };
  touch(swap.context, slotObject(number), 'write');
  swap.slots.set(number, slot);
  return slot;
}

/** The slot with this number, or 'none' if it is not in use. */
export function slotAt(swap: Swap, number: number): SwapSlot | 'none' {
  touch(swap.context, slotObject(number), 'read');
  return swap.slots.get(number) ?? 'none';
}

/** A slot that was found before, as it is now. */
export function lookAtSlot(swap: Swap, slot: SwapSlot): SwapSlot {
  touch(swap.context, slotObject(slot.number), 'read');
  return slot;
}

/** What swapoff() tells one moment of a slot from another by. Notes no look: it is asked while a task waits, too. */
export function slotText(swap: Swap, number: number): string {
  const slot = swap.slots.get(number);
  return slot === undefined ? 'free' : `${slot.uses} ${slot.cached} ${slot.claim}`;
}

/** One entry more, or one less, names the slot. Returns: how many do. */
export function changeSlotUses(swap: Swap, slot: SwapSlot, change: 1 | -1): number {
  wake(swap.context, slotObject(slot.number));
  slot.uses += change;
  return slot.uses;
}

export function setSlotCached(swap: Swap, slot: SwapSlot, cached: SwapSlot['cached']): void {
  wake(swap.context, slotObject(slot.number));
  slot.cached = cached;
}

/** swapcache_prepare(): the right to read the slot past the swap cache, for one task at a time. */
export function claimSlot(swap: Swap, slot: SwapSlot): 'claimed' | 'busy' {
  touch(swap.context, slotObject(slot.number), 'write');
  if (slot.claim === 'claimed' || slot.cached !== 'none') return 'busy';
  slot.claim = 'claimed';
  return 'claimed';
}

/** swapcache_clear(): the slot goes now if its last entry went meanwhile. */
export function releaseSlot(swap: Swap, slot: SwapSlot): void {
  slot.claim = 'free';
  wake(swap.context, slotObject(slot.number), 'write');
  freeSlotIfUnused(swap, slot.number);
}

export function writeSlot(swap: Swap, slot: SwapSlot, contents: PageContents): void {
  touch(swap.context, slotObject(slot.number), 'write');
  slot.contents = contents;
}

/** swap_free(): one entry less names the slot, and its page stays in the swap cache. */
export function swapFree(swap: Swap, number: number): void {
  const slot = slotAt(swap, number);
  if (slot === 'none') return;
  changeSlotUses(swap, slot, -1);
  freeSlotIfUnused(swap, number);
}

/** Gives a slot back once no entry names it, no cached page belongs to it and no task has claimed it. */
export function freeSlotIfUnused(swap: Swap, number: number): void {
  const found = slotAt(swap, number);
  if (found === 'none' || found.uses > 0) return;
  if (found.cached !== 'none' || found.claim === 'claimed') return;
  wake(swap.context, slotObject(number));
  touch(swap.context, SLOT_ALLOCATOR, 'raise');
  swap.slots.delete(number);
  swap.free.push(number);
}
