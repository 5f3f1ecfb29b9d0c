import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTaskContext } from '../../task/context.ts';
import { pfn } from '../../vocabulary/address.ts';
import {
  allocSlot,
  changeSlotUses,
  freeSlotIfUnused,
  newSwap,
  type Swap,
  setSlotCached,
  slotAt,
} from './swap.ts';

function swapOf(slots: number): Swap {
  return newSwap(slots, newTaskContext());
}

function numberOf(swap: Swap): number | 'none' {
  const slot = allocSlot(swap);
  return slot === 'none' ? slot : slot.number;
}

test('slots are handed out up to the limit, and the last one freed comes first', () => {
  const swap = swapOf(2);
  assert.deepEqual([numberOf(swap), numberOf(swap), numberOf(swap)], [0, 1, 'none']);
  freeSlotIfUnused(swap, 0);
  assert.equal(numberOf(swap), 0);
  assert.equal(numberOf(swapOf(0)), 'none');
});

test('a slot stays while an entry names it or a cached page belongs to it', () => {
  const swap = swapOf(1);
  const slot = allocSlot(swap);
  assert.ok(slot !== 'none');
  changeSlotUses(swap, slot, 1);
  freeSlotIfUnused(swap, 0);
  assert.equal(changeSlotUses(swap, slot, -1), 0);
  setSlotCached(swap, slot, pfn(5));
  freeSlotIfUnused(swap, 0);
  assert.equal(slotAt(swap, 0), slot);
  setSlotCached(swap, slot, 'none');
  freeSlotIfUnused(swap, 0);
  freeSlotIfUnused(swap, 0);
  assert.deepEqual([swap.slots.size, swap.free], [0, [0]]);
});
