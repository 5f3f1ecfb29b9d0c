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
import { STOCK } from '../stock.ts';
import { pageTablesGoWithoutMmapLock } from '../versions/linux-6.12/page-tables-go-without-mmap-lock.ts';
import { retractWithoutMmapLock } from './khugepaged.ts';

const SINCE_6_5 = pageTablesGoWithoutMmapLock.overrides(STOCK);

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
  for (const overrides of [{}, SINCE_6_5]) {
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
      const world = oneBlock(SINCE_6_5);
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

test('[PT5] with what 6.1 has else, a table that goes under i_mmap_rwsem alone goes under a walk', () => {
  const world = oneBlock({ retractPageTables: retractWithoutMmapLock });
  const dontneed = cpuApi(world).madvise(pageAt(0), 'DONTNEED');
  const walk = world.scheduler.spawn('cpu0', 'madvise', dontneed);
  runUntil(world, walk, 'zap_pte_range.ptl');
  const khugepaged = world.scheduler.spawn(
    'khugepaged',
    'khugepaged',
    retractWithoutMmapLock(world.kernel, fileOf(world), { first: 0, end: 2 }),
  );
  runOnly(world, khugepaged);
  assert.throws(() => world.scheduler.step(walk), { rule: 'PT5' });
});

function fileOf({ mm }: KernelWorld) {
  const file = mm.vmas[0]?.file;
  assert.ok(file !== undefined && file !== 'none');
  return file;
}
