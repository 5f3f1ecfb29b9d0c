import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, pagesFrom } from '../../vocabulary/address.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  cpuThread,
  inUse,
  type KernelWorld,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  pteAt,
  run,
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { pteMarkedExclusive, pteWrite } from '../memory/pte.ts';

function swapWorld(swapSlots: number, pages = 1): KernelWorld {
  const world = newKernelWorld({ config: { swapSlots } });
  mapped(world, pages);
  for (let index = 0; index < pages; index += 1) store(world, at(index), BigInt(10 + index));
  return world;
}

function pageout(world: KernelWorld, pages = 1): void {
  assert.ok(run(world, cpuApi(world).madvise(pagesFrom(BASE, pages), 'PAGEOUT')).ok);
}

test('a page goes to swap and comes back with its contents; nothing stays behind', () => {
  const world = swapWorld(4, 2);
  pageout(world, 2);
  assert.deepEqual([kindAt(world, BASE), kindAt(world, at(1))], ['swap', 'swap']);
  assert.deepEqual([inUse(world), world.kernel.swap.slots.size], [0, 2]);
  assert.deepEqual([load(world, BASE), load(world, at(1))], [10n, 11n]);
  assert.deepEqual([inUse(world), world.kernel.swap.slots.size], [2, 0]);
  assertAtRest(world);
});

test('a page that was exclusive is so again: a write after swap-in copies nothing', () => {
  const world = swapWorld(4);
  pageout(world);
  assert.ok(pteMarkedExclusive(pteAt(world, BASE)));
  store(world, BASE, 5n);
  assert.ok(pteWrite(pteAt(world, BASE)));
  assert.deepEqual([load(world, BASE), inUse(world)], [5n, 1]);
});

test('without swap, or with swap full, the page stays where it is', () => {
  const none = swapWorld(0);
  pageout(none);
  assert.deepEqual([kindAt(none, BASE), load(none, BASE)], ['present', 10n]);
  const one = swapWorld(1, 2);
  pageout(one, 2);
  assert.deepEqual([kindAt(one, BASE), kindAt(one, at(1))].sort(), ['present', 'swap']);
  assert.deepEqual([load(one, BASE), load(one, at(1))], [10n, 11n]);
  assertAtRest(one);
});

test('a pinned page and the zero page are not swapped', () => {
  const world = swapWorld(4);
  assert.ok(run(world, cpuApi(world).pin(1, pageAt(0), 'longterm')).ok);
  pageout(world);
  assert.equal(kindAt(world, BASE), 'present');
  run(world, cpuApi(world).unpin(1));
  assertAtRest(world);
  mapped(world, 1, { first: at(9) });
  load(world, at(9));
  run(world, cpuApi(world).madvise(pageAt(9), 'PAGEOUT'));
  assert.equal(kindAt(world, at(9)), 'zero');
});

test('a slot that parent and child name lives until both are done with it', () => {
  const world = swapWorld(4);
  pageout(world);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  const child = cpuThread(world, 'child').mm;
  assert.equal(kindAt(world, BASE, child), 'swap');
  store(world, BASE, 5n);
  assert.equal(world.kernel.swap.slots.size, 1);
  assert.equal(load(world, BASE, 'child'), 10n);
  assert.equal(load(world, BASE), 5n);
  run(world, cpuApi(world, 'child').exit(), 'child');
  run(world, cpuApi(world).exit());
  assert.deepEqual([world.kernel.swap.slots.size, inUse(world)], [0, 0]);
  assertAtRest(world);
});

test('DONTNEED frees the slot', () => {
  const world = swapWorld(1);
  pageout(world);
  run(world, cpuApi(world).madvise(pageAt(0), 'DONTNEED'));
  assert.equal(world.kernel.swap.slots.size, 0);
  assert.equal(load(world, BASE), 0n);
});

test('MADV_FREE lets a clean page go without swap, and keeps one that was written since', () => {
  const world = swapWorld(0, 2);
  run(world, cpuApi(world).madvise(pagesFrom(BASE, 2), 'FREE'));
  store(world, at(1), 6n);
  pageout(world, 2);
  assert.deepEqual([load(world, BASE), load(world, at(1))], [0n, 6n]);
});

test('two threads fault on one swapped page: one page, the slot freed, with up to 2 preemptions', () => {
  const schedules = everySchedule(
    () => {
      const world = swapWorld(2);
      pageout(world);
      const { scheduler } = world;
      scheduler.spawn('cpu0', 'load', cpuApi(world, 'cpu0').load(addressOf(BASE)));
      scheduler.spawn('cpu1', 'store', cpuApi(world, 'cpu1').store(addressOf(BASE), 5n));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.equal(load(world, BASE), 5n);
          assert.deepEqual([inUse(world), world.kernel.swap.slots.size], [1, 0]);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 2 },
  );
  assert.ok(schedules > 50, `${schedules}`);
});

test('a load races with reclaim of its page: it reads what was written, with up to 2 preemptions', () => {
  everySchedule(
    () => {
      const world = swapWorld(2);
      const { scheduler } = world;
      const loading = scheduler.spawn('cpu1', 'load', cpuApi(world, 'cpu1').load(addressOf(BASE)));
      const out = cpuApi(world, 'cpu0').madvise(pageAt(0), 'PAGEOUT');
      scheduler.spawn('cpu0', 'madvise', out);
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.deepEqual(loading.result, { kind: 'done', value: 10n });
          assert.equal(load(world, BASE), 10n);
          assert.equal(inUse(world), 1);
          // A read that finds the page in the swap cache leaves it there, and a slot that no entry names.
          for (const { uses, cached } of world.kernel.swap.slots.values()) {
            assert.equal(uses, 0);
            assert.notEqual(cached, 'none');
          }
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 2 },
  );
});

test('a store races with reclaim of its page: the value is not lost, with up to 3 preemptions', () => {
  everySchedule(
    () => {
      const world = swapWorld(2);
      const { scheduler } = world;
      scheduler.spawn('cpu1', 'store', cpuApi(world, 'cpu1').store(addressOf(BASE), 77n));
      scheduler.spawn('cpu0', 'madvise', cpuApi(world, 'cpu0').madvise(pageAt(0), 'PAGEOUT'));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.equal(load(world, BASE), 77n);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 3 },
  );
});
