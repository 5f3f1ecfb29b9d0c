/** Faults under the lock of their mapping, step by step: who keeps whom out, and who falls back to mmap_lock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import type { KernelFunctions } from '../kernel.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  cpuThread,
  type KernelWorld,
  load,
  mapped,
  newKernelWorld,
  runOnly,
  runUntil,
  store,
} from '../kernel-world.fixture.ts';
import { kernelFunctions } from '../versions/kernels.ts';
import { vmaLookup } from './vma.ts';

const ADDRESS = (Number(BASE) * 4096) as never;
const SECOND = (Number(at(1)) * 4096) as never;

/** Two threads of 6.12, and a mapping of two pages that nobody has touched. */
function fresh(overrides: Partial<KernelFunctions> = {}): KernelWorld {
  const world = newKernelWorld({ overrides: { ...kernelFunctions('6.12'), ...overrides } });
  mapped(world, 2);
  cpuThread(world, 'cpu1');
  return world;
}

function storing(world: KernelWorld): RunningTask {
  return world.scheduler.spawn('cpu0', 'store', cpuApi(world).store(ADDRESS, 9n));
}

function unmapping(world: KernelWorld): RunningTask {
  return world.scheduler.spawn(
    'cpu1',
    'munmap',
    cpuApi(world, 'cpu1').munmap({ first: BASE, end: at(2) }),
  );
}

test('munmap() waits for the fault that works in its mapping, which does not wait for mmap_lock', () => {
  const world = fresh();
  assert.equal(store(world, BASE, 1n), 'done');
  assert.equal(load(world, at(1)), 0n);
  const fault = world.scheduler.spawn('cpu0', 'store', cpuApi(world).store(SECOND, 9n));
  runUntil(world, fault, 'handle_pte_fault.ptl');
  const munmap = unmapping(world);
  runUntil(world, munmap, 'vma_start_write.wait');
  assert.equal(world.scheduler.readyTasks().includes(munmap), false);
  runOnly(world, fault);
  runOnly(world, munmap);
  assertAtRest(world);
});

test('a first write needs mmap_lock, too: where a writer has it, it lets go of the mapping and waits', () => {
  const world = fresh();
  const fault = storing(world);
  runUntil(world, fault, 'vmf_anon_prepare.trylock');
  const munmap = unmapping(world);
  runUntil(world, munmap, 'vma_start_write.wait');
  runUntil(world, fault, 'do_user_addr_fault.mmap_lock');
  assert.equal(world.scheduler.readyTasks().includes(fault), false);
  runOnly(world, munmap);
  runOnly(world, fault);
  assertAtRest(world);
  assert.equal(vmaLookup(world.mm.vmas, BASE), 'none');
});

test('who comes behind a writer that waits is kept out of that mapping', () => {
  const world = fresh();
  const fault = storing(world);
  runUntil(world, fault, 'vmf_anon_prepare.trylock');
  runUntil(world, unmapping(world), 'vma_start_write.wait');
  cpuThread(world, 'cpu2');
  const late = world.scheduler.spawn('cpu2', 'load', cpuApi(world, 'cpu2').load(ADDRESS));
  runUntil(world, late, 'do_user_addr_fault.mmap_lock');
  assert.equal(world.scheduler.readyTasks().includes(late), false);
});

test('[VM2] a mapping that is freed while a fault works in it is found', () => {
  const world = fresh({
    *vmaStartWrite() {
      // Nobody is waited for.
    },
  });
  const fault = world.scheduler.spawn('cpu0', 'load', cpuApi(world).load(ADDRESS));
  runUntil(world, fault, 'do_anonymous_page.ptl');
  const munmap = unmapping(world);
  assert.throws(() => runOnly(world, munmap), { rule: 'VM2' });
});
