import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesFrom } from '../../vocabulary/address.ts';
import { fail, ok } from '../../vocabulary/errno.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  cpuThread,
  inUse,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  pteAt,
  run,
  store,
} from '../kernel-world.fixture.ts';
import { maybeDmaPinned, PIN_BIAS, refcount, ZERO_PFN } from '../memory/frames.ts';
import { ptePfn } from '../memory/pte.ts';
import { moveToDevice, plainDevice } from '../plain-device.fixture.ts';

test('a longterm pin faults for writing and counts GUP_PIN_COUNTING_BIAS; unpinning takes it back', () => {
  const world = newKernelWorld();
  const range = mapped(world, 2);
  load(world, BASE);
  const cpu = cpuApi(world);
  assert.deepEqual(run(world, cpu.pin(1, range, 'longterm')), ok(2));
  const { frames } = world.kernel;
  for (const page of [BASE, at(1)]) {
    const pfn = ptePfn(pteAt(world, page));
    assert.deepEqual([refcount(frames, pfn), maybeDmaPinned(frames, pfn)], [1 + PIN_BIAS, true]);
  }
  assert.ok(run(world, cpu.unpin(1)).ok);
  assert.deepEqual([inUse(world), refcount(frames, ptePfn(pteAt(world, BASE)))], [2, 1]);
  assert.deepEqual(run(world, cpu.unpin(1)), fail('EINVAL'));
});

test('a get for reading is content with the zero page, which is not counted', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  const cpu = cpuApi(world);
  assert.deepEqual(run(world, cpu.pin(1, pageAt(0), 'get')), ok(1));
  assert.deepEqual(cpuThread(world, 'cpu0').pins.get(1)?.frames, [ZERO_PFN]);
  assert.ok(run(world, cpu.unpin(1)).ok);
  assertAtRest(world);
});

test('a get takes what it gets; a longterm pin takes all or nothing', () => {
  const world = newKernelWorld();
  mapped(world, 2);
  const cpu = cpuApi(world);
  const range = pagesFrom(BASE, 3);
  assert.deepEqual(run(world, cpu.pin(1, range, 'get')), ok(2));
  assert.deepEqual(run(world, cpu.pin(1, range, 'get')), fail('EINVAL'));
  assert.deepEqual(run(world, cpu.pin(2, range, 'longterm')), fail('EFAULT'));
  assert.deepEqual(run(world, cpu.pin(2, pageAt(9), 'get')), fail('EFAULT'));
  store(world, BASE, 1n);
  assert.ok(!maybeDmaPinned(world.kernel.frames, ptePfn(pteAt(world, BASE))));
});

test('a page on a device is brought home before it is pinned', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  run(world, moveToDevice(device, pageAt(0)), 'gpu0');
  assert.deepEqual(run(world, cpuApi(world).pin(1, pageAt(0), 'longterm')), ok(1));
  assert.deepEqual(
    [kindAt(world, BASE), load(world, BASE), device.free.length],
    ['present', 7n, 8],
  );
});

test('fork copies a pinned page for the child at once, so that the pin and the parent agree', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 7n);
  const pinned = ptePfn(pteAt(world, BASE));
  assert.ok(run(world, cpuApi(world).pin(1, pageAt(0), 'longterm')).ok);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  const child = cpuThread(world, 'child').mm;
  assert.notEqual(ptePfn(pteAt(world, BASE, child)), pinned);
  store(world, BASE, 8n);
  assert.equal(ptePfn(pteAt(world, BASE)), pinned, 'the parent writes where the pin looks');
  assert.equal(load(world, BASE, 'child'), 7n);
});
