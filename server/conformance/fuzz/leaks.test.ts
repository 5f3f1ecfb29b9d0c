import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterSwapCache, getPage } from '../../kernel/memory/frames.ts';
import { allocPage } from '../../kernel/memory/page-references.ts';
import { allocSlot, changeSlotUses, setSlotCached } from '../../kernel/memory/swap.ts';
import { cpuOf, runTask } from '../../machine/world.ts';
import { addressOf, pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import { faithfulDriver, newDeviceWorld } from './device-world.ts';
import { leaksAfterExit } from './leaks.ts';

test('[OR4] a process that has not exited leaks its frames; one that has leaks nothing', () => {
  const { world } = newDeviceWorld({ newDriver: faithfulDriver, chunkPages: 16 });
  const cpu = cpuOf(world, 'cpu0');
  const page = pageIndex(0x100200);
  const range = pagesFrom(page, 1);
  runTask(world, 'cpu0', 'mmap', cpu.mmap({ range, prot: 'rw', kind: 'anon-private' }));
  runTask(world, 'cpu0', 'store', cpu.store(addressOf(page), 1n));
  assert.deepEqual(
    leaksAfterExit(world.kernel).map((leak) => leak.replace(/0x\w+/, 'N')),
    ['frame N is still in use', 'mm 0 is still there'],
  );
  runTask(world, 'cpu0', 'exit', cpu.exit());
  assert.deepEqual(leaksAfterExit(world.kernel), []);
});

test('[OR4] what only the swap cache has is no leak; one reference more, or a use of its slot, is', () => {
  const newDriver = faithfulDriver;
  const { world } = newDeviceWorld({ newDriver, chunkPages: 16, config: { swapSlots: 4 } });
  const { kernel } = world;
  const [pfn, slot] = [allocPage(kernel), allocSlot(kernel.swap)];
  assert.ok(pfn !== 'none' && slot !== 'none');
  setSlotCached(kernel.swap, slot, pfn);
  enterSwapCache(kernel.frames, pfn, slot.number);
  runTask(world, 'cpu0', 'exit', cpuOf(world, 'cpu0').exit());
  assert.deepEqual(leaksAfterExit(kernel), []);
  changeSlotUses(kernel.swap, slot, 1);
  assert.deepEqual(leaksAfterExit(kernel), ['swap slot 0 is still in use']);
  changeSlotUses(kernel.swap, slot, -1);
  getPage(kernel.frames, pfn, 1);
  assert.equal(leaksAfterExit(kernel).length, 2);
});
