import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, pagesFrom } from '../../vocabulary/address.ts';
import { OK } from '../../vocabulary/errno.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  type KernelWorld,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  run,
  runOnly,
  runUntil,
  store,
} from '../kernel-world.fixture.ts';
import { findPtePage, freesOf, noteFreed } from '../memory/page-table.ts';
import { zapPte } from './zap-page-range.ts';

/** Two blocks of two pages each, all written. */
function twoBlocks(overrides = {}): KernelWorld {
  const world = newKernelWorld({ config: { ptrsPerPte: 2 }, overrides });
  mapped(world, 4);
  for (let page = 0; page < 4; page += 1) store(world, at(page), 7n);
  return world;
}

function unmap(world: KernelWorld, first: number, count: number): void {
  assert.deepEqual(run(world, cpuApi(world).munmap(pagesFrom(at(first), count))), OK);
}

test('munmap frees the tables that reach into no other mapping, and no others', () => {
  const world = twoBlocks();
  const { table } = world.mm;
  unmap(world, 1, 2);
  // Both tables have a page that is mapped still.
  assert.deepEqual([freesOf(table, at(0)), freesOf(table, at(2))], [0, 0]);
  unmap(world, 0, 1);
  assert.equal(findPtePage(table, BASE), 'none');
  assert.deepEqual([freesOf(table, at(0)), freesOf(table, at(2))], [1, 0]);
  assert.equal(load(world, at(3)), 7n);
  unmap(world, 3, 1);
  assert.equal(freesOf(table, at(2)), 1);
  assert.equal(table.pmdTables.size, 0);
  assertAtRest(world);
});

test('a table that several mappings share goes with the last of them, in one munmap as well', () => {
  const world = twoBlocks();
  run(world, cpuApi(world).mprotect(pageAt(1), 'r'));
  unmap(world, 0, 4);
  const { table } = world.mm;
  assert.deepEqual([freesOf(table, at(0)), freesOf(table, at(2))], [1, 1]);
  assertAtRest(world);
});

test('a level above the tables stays as long as a mapping reaches into its region', () => {
  const world = twoBlocks();
  unmap(world, 0, 3);
  const { table } = world.mm;
  assert.deepEqual([freesOf(table, at(0)), freesOf(table, at(2))], [1, 0]);
  assert.equal(table.pmdTables.size, 1);
});

test('while munmap empties its mappings, others fault elsewhere, and get a signal there', () => {
  const world = twoBlocks();
  const munmap = world.scheduler.spawn('cpu1', 'munmap', cpuApi(world, 'cpu1').munmap(pageAt(0)));
  runUntil(world, munmap, 'zap_pte_range.clear');
  assert.deepEqual(world.mm.detached.length, 1);
  assert.equal(load(world, at(2)), 7n);
  const gone = world.scheduler.spawn(
    'cpu2',
    'load',
    cpuApi(world, 'cpu2').store(addressOf(at(0)), 8n),
  );
  runOnly(world, gone);
  assert.deepEqual(gone.result, { kind: 'signal', signal: 'SIGSEGV' });
  runOnly(world, munmap);
  assert.equal(world.mm.detached.length, 0);
  assertAtRest(world);
});

test('munmap beside faults and pins of the same pages leaves nothing behind, in every order', () => {
  everySchedule(
    () => {
      const world = twoBlocks();
      const { scheduler } = world;
      scheduler.spawn('cpu0', 'munmap', cpuApi(world).munmap(pagesFrom(BASE, 2)));
      scheduler.spawn('cpu1', 'store', cpuApi(world, 'cpu1').store(addressOf(BASE), 9n));
      scheduler.spawn('cpu2', 'pin', cpuApi(world, 'cpu2').pin(1, pageAt(1), 'fast'));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(stuck, []);
          run(world, cpuApi(world, 'cpu2').unpin(1));
          assert.equal(freesOf(world.mm.table, BASE), 1);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 1 },
  );
});

test('[PT3] a table that munmap frees while a pin without a lock is in it is found', () => {
  const world = twoBlocks({
    *tlbRemoveTableFree(_k: unknown, mm: KernelWorld['mm']) {
      noteFreed(mm.table, BASE);
    },
  });
  const pin = world.scheduler.spawn('cpu0', 'pin', cpuApi(world).pin(1, pageAt(0), 'fast'));
  runUntil(world, pin, 'gup_pte_range.again');
  const unmapping = cpuApi(world, 'cpu1').munmap(pagesFrom(BASE, 2));
  runOnly(world, world.scheduler.spawn('cpu1', 'munmap', unmapping));
  assert.throws(() => world.scheduler.step(pin), { rule: 'PT3' });
});

test('[PT4] a table in which an entry was left is not taken away', () => {
  const overrides: Partial<KernelWorld['kernel']['fn']> = {
    *zapPte(k, place, batch) {
      if (place.page !== at(1)) yield* zapPte(k, place, batch);
    },
  };
  const world = twoBlocks(overrides);
  assert.throws(() => unmap(world, 0, 2), { rule: 'PT4' });
});
