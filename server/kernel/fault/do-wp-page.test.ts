import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, virtualAddress } from '../../vocabulary/address.ts';
import { readU64 } from '../../vocabulary/page-contents.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
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
import { contentsOf } from '../memory/frames.ts';
import { ptePfn, pteWrite } from '../memory/pte.ts';

/** A page that parent (cpu0) and child share since the fork, with the value 1. */
function forkedWorld(): KernelWorld {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 1n);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  return world;
}

function bracketsSince(world: KernelWorld, mark: number): string[] {
  return world.events
    .slice(mark)
    .flatMap((event) =>
      event.kind === 'invalidate_range_start' ? [`${event.event} of mm ${event.mm}`] : [],
    );
}

test('fork write-protects both sides: neither can write without a fault', () => {
  const world = forkedWorld();
  const child = cpuThread(world, 'child').mm;
  const [ours, theirs] = [pteAt(world, BASE), pteAt(world, BASE, child)];
  assert.equal(ptePfn(ours), ptePfn(theirs));
  assert.ok(!(pteWrite(ours) || pteWrite(theirs)));
  assert.equal(inUse(world), 1);
});

test('a write to a shared page copies it, and brackets the change in the writer only', () => {
  const world = forkedWorld();
  const shared = ptePfn(pteAt(world, BASE));
  const mark = world.events.length;
  assert.equal(store(world, BASE, 2n), 'done');
  assert.deepEqual(bracketsSince(world, mark), ['clear of mm 0']);
  assert.notEqual(ptePfn(pteAt(world, BASE)), shared);
  assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [2n, 1n]);
  assert.equal(inUse(world), 2);
  assertAtRest(world);
});

test('a process that has the page alone again reuses it: no frame, no bracket', () => {
  const world = forkedWorld();
  store(world, BASE, 2n);
  const child = cpuThread(world, 'child').mm;
  const shared = ptePfn(pteAt(world, BASE, child));
  const mark = world.events.length;
  assert.equal(store(world, BASE, 3n, 'child'), 'done');
  assert.equal(ptePfn(pteAt(world, BASE, child)), shared);
  assert.deepEqual(bracketsSince(world, mark), []);
  assert.equal(inUse(world), 2);
});

test('a page that came back from a child that is gone is reused as well', () => {
  const world = forkedWorld();
  const shared = ptePfn(pteAt(world, BASE));
  run(world, cpuApi(world, 'child').exit(), 'child');
  const mark = world.events.length;
  store(world, BASE, 2n);
  assert.equal(ptePfn(pteAt(world, BASE)), shared);
  assert.deepEqual(bracketsSince(world, mark), []);
});

test('a page with another reference is copied, as it may be read through that', () => {
  const world = forkedWorld();
  const shared = ptePfn(pteAt(world, BASE));
  run(world, cpuApi(world, 'child').exit(), 'child');
  assert.ok(run(world, cpuApi(world).pin(1, pageAt(0), 'get')).ok);
  store(world, BASE, 2n);
  assert.notEqual(ptePfn(pteAt(world, BASE)), shared);
  assert.equal(readU64(contentsOf(world.kernel.frames, shared), 0), 1n);
  run(world, cpuApi(world).unpin(1));
  assert.equal(inUse(world), 1);
});

test('a write over the zero page is a copy too, and is bracketed', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  load(world, BASE);
  const mark = world.events.length;
  store(world, BASE, 1n);
  assert.deepEqual(bracketsSince(world, mark), ['clear of mm 0']);
  assert.equal(kindAt(world, BASE), 'present');
});

test('the old page leaves every TLB before the new one can be seen', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  for (const cpu of ['cpu0', 'cpu1']) load(world, BASE, cpu);
  assert.ok(cpuThread(world, 'cpu1').tlb.entries.has(BASE));
  const mark = world.events.length;
  store(world, BASE, 1n);
  const changes = world.events.slice(mark).flatMap((event) => {
    if (event.kind === 'tlb-flush') return ['flush'];
    return event.kind === 'pte' ? [event.to.state] : [];
  });
  assert.deepEqual(changes, ['none', 'flush', 'present']);
  assert.equal(load(world, BASE, 'cpu1'), 1n);
});

test('parent and child write at once: each has its own page, none leaks, with up to 2 preemptions', () => {
  const schedules = everySchedule(
    () => {
      const world = forkedWorld();
      const { scheduler } = world;
      scheduler.spawn('cpu0', 'store', cpuApi(world, 'cpu0').store(addressOf(BASE), 2n));
      scheduler.spawn('child', 'store', cpuApi(world, 'child').store(addressOf(BASE), 3n));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [2n, 3n]);
          assert.equal(inUse(world), 2);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 2 },
  );
  assert.ok(schedules > 100, `${schedules}`);
});

test('two threads write one shared page at once: one copy is made, with up to 2 preemptions', () => {
  const second = virtualAddress(addressOf(BASE) + 8);
  everySchedule(
    () => {
      const world = forkedWorld();
      const { scheduler } = world;
      cpuThread(world, 'cpu1');
      scheduler.spawn('cpu0', 'store', cpuApi(world, 'cpu0').store(addressOf(BASE), 2n));
      scheduler.spawn('cpu1', 'store', cpuApi(world, 'cpu1').store(second, 3n));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.equal(load(world, BASE), 2n);
          assert.deepEqual(run(world, cpuApi(world).load(second)), { kind: 'done', value: 3n });
          assert.equal(load(world, BASE, 'child'), 1n);
          assert.equal(inUse(world), 2);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 2 },
  );
});
