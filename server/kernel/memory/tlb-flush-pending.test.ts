/** When taking entries away flushes: only if some CPU may remember one, or somebody else has a flush pending. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BASE,
  cpuApi,
  type KernelWorld,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  run,
  runUntil,
  store,
} from '../kernel-world.fixture.ts';

function flushes(world: KernelWorld): number {
  return world.events.filter(({ kind }) => kind === 'tlb-flush').length;
}

function dontNeed(world: KernelWorld, cpu: string) {
  return cpuApi(world, cpu).madvise(pageAt(0), 'DONTNEED');
}

test('an entry that was present is flushed, the zero page as well, and one that was not is not', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  run(world, dontNeed(world, 'cpu0'));
  assert.equal(flushes(world), 0);
  load(world, BASE);
  run(world, dontNeed(world, 'cpu0'));
  assert.equal(flushes(world), 1);
  store(world, BASE, 1n);
  run(world, dontNeed(world, 'cpu0'));
  assert.equal(flushes(world), 2);
});

test('a task that finds an entry gone flushes too while another has it to flush', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 1n);
  const { scheduler } = world;
  const first = scheduler.spawn('cpu1', 'madvise', dontNeed(world, 'cpu1'));
  runUntil(world, first, 'flush_tlb_range.cpu');
  const second = scheduler.spawn('cpu2', 'madvise', dontNeed(world, 'cpu2'));
  runUntil(world, second, 'flush_tlb_range.cpu');
  scheduler.runFirstCome(1_000);
  assert.deepEqual([first.state, second.state, flushes(world)], ['done', 'done', 2]);
  assert.equal(load(world, BASE), 0n);
});
