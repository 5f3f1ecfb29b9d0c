import assert from 'node:assert/strict';
import { test } from 'node:test';
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
