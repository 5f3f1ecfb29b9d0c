/** The OOM reaper: what it takes, what it leaves, and what a device that refuses sees afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuApi } from '../../abi/cpu-api.ts';
import { pagesFrom } from '../../vocabulary/address.ts';
import { fail, OK } from '../../vocabulary/errno.ts';
import {
  assertAtRest,
  at,
  BASE,
  deviceApi,
  inUse,
  type KernelWorld,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  run,
  store,
} from '../kernel-world.fixture.ts';

function reap(world: KernelWorld): ReturnType<CpuApi['exit']> {
  return world.kernel.fn.oomReapTaskMm(world.kernel, world.mm);
}

test('private memory goes, shared memory stays, and what is gone reads as SIGBUS and not as zeros', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  mapped(world, 1, { first: at(1), kind: 'anon-shared' });
  store(world, BASE, 7n);
  store(world, at(1), 8n);
  assert.deepEqual(run(world, reap(world)), OK);
  assert.deepEqual([kindAt(world, BASE), inUse(world)], ['none', 1]);
  assert.deepEqual([load(world, BASE), load(world, at(1))], ['SIGBUS', 8n]);
  assert.equal(store(world, BASE, 9n), 'SIGBUS');
  assertAtRest(world);
});

test('a device that refuses keeps its mapping, and the bracket is closed again', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 7n);
  const asked: string[] = [];
  const device = deviceApi(world, 'dev0', {
    *invalidate(_sub, range) {
      asked.push(`${range.event} ${range.blocking}`);
      return 'again';
    },
  });
  run(world, device.mmuIntervalNotifierInsert(pagesFrom(BASE, 1)), 'dev0');
  assert.deepEqual(run(world, reap(world)), fail('EAGAIN'));
  assert.deepEqual(asked, ['unmap non-blockable']);
  assert.deepEqual([kindAt(world, BASE), load(world, BASE)], ['present', 7n]);
  assertAtRest(world);
});

test('a page that is still mapped can be read after the reaper was refused; nothing new is filled in', () => {
  const world = newKernelWorld();
  mapped(world, 2);
  store(world, BASE, 7n);
  const device = deviceApi(world, 'dev0', {
    *invalidate() {
      return 'again';
    },
  });
  run(world, device.mmuIntervalNotifierInsert(pagesFrom(BASE, 2)), 'dev0');
  run(world, reap(world));
  assert.deepEqual([load(world, BASE), load(world, at(1))], [7n, 'SIGBUS']);
});
