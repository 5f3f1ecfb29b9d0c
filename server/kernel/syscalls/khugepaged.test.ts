import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail, OK } from '../../vocabulary/errno.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  cpuThread,
  type KernelWorld,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  run,
  runOnly,
  runUntil,
  store,
} from '../kernel-world.fixture.ts';
import { findPtePage, freesOf } from '../memory/page-table.ts';
import { retractWithoutMmapLock } from './khugepaged.ts';

const BLOCK = { first: BASE, end: at(2) };

function oneBlock(overrides = {}): KernelWorld {
  const world = newKernelWorld({ config: { ptrsPerPte: 2 }, overrides });
  mapped(world, 2, { kind: 'anon-shared' });
  store(world, BASE, 7n);
  store(world, at(1), 8n);
  return world;
}

function scan({ kernel, mm }: KernelWorld) {
  return kernel.fn.khugepagedScan(kernel, mm, BLOCK);
}

test('khugepaged takes the tables of a block away in every process, and nobody misses a byte', () => {
  for (const overrides of [{}, { retractPageTables: retractWithoutMmapLock }]) {
    const world = oneBlock(overrides);
    assert.deepEqual(run(world, cpuApi(world).fork('child')), OK);
    const child = cpuThread(world, 'child').mm;
    assert.equal(load(world, BASE, 'child'), 7n);
    assert.deepEqual(run(world, scan(world), 'khugepaged'), OK);
    for (const { table } of [world.mm, child]) {
      assert.equal(findPtePage(table, BASE), 'none');
      assert.equal(freesOf(table, BASE), 1);
    }
    assert.equal(load(world, at(1)), 8n);
    assert.equal(load(world, BASE, 'child'), 7n);
    assertAtRest(world);
  }
});

test('it leaves anonymous memory alone', () => {
  const world = newKernelWorld({ config: { ptrsPerPte: 2 } });
  mapped(world, 2);
  assert.deepEqual(run(world, scan(world), 'khugepaged'), fail('EINVAL'));
});

test('a fault that finds its table gone tries again, in every order', () => {
  const ends = new Set<string>();
  everySchedule(
    () => {
      const world = oneBlock({ retractPageTables: retractWithoutMmapLock });
      run(world, cpuApi(world).mprotect(pageAt(0), 'r'));
      run(world, cpuApi(world).mprotect(pageAt(0), 'rw'));
      world.scheduler.spawn('khugepaged', 'khugepaged', scan(world));
      const address = Number(BASE) * 4096;
      world.scheduler.spawn('cpu0', 'store', cpuApi(world).store(address as never, 9n));
      return {
        scheduler: world.scheduler,
        check: (stuck) => {
          assert.deepEqual(stuck, []);
          assertAtRest(world);
          ends.add(kindAt(world, BASE));
          assert.equal(load(world, BASE), 9n);
          assert.equal(load(world, at(1)), 8n);
        },
      };
    },
    { preemptionsMax: 2 },
  );
  assert.ok(ends.has('present'));
});

test('[PT3] a page table that is freed while a pin without a lock is in it is found', () => {
  const world = oneBlock({
    *tlbRemoveTableSyncOne() {
      // Nobody is asked.
    },
  });
  const pin = world.scheduler.spawn('cpu0', 'pin', cpuApi(world).pin(1, pageAt(0), 'fast'));
  runUntil(world, pin, 'gup_pte_range.again');
  const khugepaged = world.scheduler.spawn('khugepaged', 'khugepaged', scan(world));
  runOnly(world, khugepaged);
  assert.throws(() => world.scheduler.step(pin), { rule: 'PT3' });
});
