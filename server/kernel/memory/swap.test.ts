import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pfn } from '../../vocabulary/address.ts';
import { allocSlot, freeSlotIfUnused, newSwap } from './swap.ts';

test('slots are handed out up to the limit, and the last one freed comes first', () => {
  const swap = newSwap(2);
  assert.deepEqual([allocSlot(swap), allocSlot(swap), allocSlot(swap)], [0, 1, 'none']);
  freeSlotIfUnused(swap, 0);
  assert.equal(allocSlot(swap), 0);
  assert.equal(allocSlot(newSwap(0)), 'none');
});

test('a slot stays while an entry names it or a cached page belongs to it', () => {
  const swap = newSwap(1);
  assert.equal(allocSlot(swap), 0);
  const slot = swap.slots.get(0);
  assert.ok(slot !== undefined);
  slot.uses = 1;
  freeSlotIfUnused(swap, 0);
  slot.uses = 0;
  slot.cached = pfn(5);
  freeSlotIfUnused(swap, 0);
  assert.equal(swap.slots.size, 1);
  slot.cached = 'none';
  freeSlotIfUnused(swap, 0);
  freeSlotIfUnused(swap, 0);
  assert.deepEqual([swap.slots.size, swap.free], [0, [0]]);
});
