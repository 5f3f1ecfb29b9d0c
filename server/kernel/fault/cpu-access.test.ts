/** The TLB between a thread and the page table: what stays usable, for how long, and what hardware writes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../task/task.ts';
import { addressOf, pagesFrom } from '../../vocabulary/address.ts';
import { readU64 } from '../../vocabulary/page-contents.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import type { KernelFunctions } from '../kernel.ts';
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
  runOnly,
  runUntil,
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { contentsOf } from '../memory/frames.ts';
import { pteDirty, ptePfn, pteWrite, pteYoung } from '../memory/pte.ts';

function faults(world: KernelWorld): number {
  return world.events.filter(({ kind }) => kind === 'fault').length;
}

test('a second access goes through the TLB: no walk, no fault', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 1n);
  const before = { faults: faults(world), steps: world.scheduler.steps };
  assert.equal(load(world, BASE), 1n);
  assert.equal(faults(world), before.faults);
  // Its start and the access itself.
  assert.equal(world.scheduler.steps - before.steps, 2);
});

test('between clearing the entry and the flush a store still lands in the old frame', () => {
  const world = newKernelWorld();
  const range = mapped(world, 1);
  store(world, BASE, 1n);
  const old = ptePfn(pteAt(world, BASE));
  const { scheduler } = world;
  // 1. cpu1 has cleared the entry and stands before the shootdown.
  const dropping = scheduler.spawn(
    'cpu1',
    'madvise',
    cpuApi(world, 'cpu1').madvise(range, 'DONTNEED'),
  );
  runUntil(world, dropping, 'flush_tlb_range.cpu');
  assert.equal(kindAt(world, BASE), 'none');
  // 2. cpu0 stores through what it remembers, and takes no fault.
  const before = faults(world);
  const storing = scheduler.spawn('cpu0', 'store', cpuApi(world).store(addressOf(BASE), 2n));
  runOnly(world, storing);
  assert.equal(faults(world), before);
  assert.equal(readU64(contentsOf(world.kernel.frames, old), 0), 2n);
  // 3. After the flush the old frame is free, and the page reads as zeros.
  scheduler.runFirstCome(1_000);
  assert.equal(dropping.state, 'done');
  assert.deepEqual([inUse(world), load(world, BASE)], [0, 0n]);
});

test('a shootdown between translation and access makes the instruction start over', () => {
  const world = newKernelWorld();
  const range = mapped(world, 1);
  store(world, BASE, 1n);
  const loading = world.scheduler.spawn('cpu0', 'load', cpuApi(world).load(addressOf(BASE)));
  runUntil(world, loading, 'cpu.load');
  const protecting = cpuApi(world, 'cpu1').mprotect(range, 'none');
  runOnly(world, world.scheduler.spawn('cpu1', 'mprotect', protecting));
  runOnly(world, loading);
  assert.deepEqual(loading.result, { kind: 'signal', signal: 'SIGSEGV' });
});

test('hardware sets the dirty bit on the first store, without a fault', () => {
  const world = newKernelWorld();
  mapped(world, 1, { kind: 'anon-shared' });
  load(world, BASE);
  assert.deepEqual([pteWrite(pteAt(world, BASE)), pteDirty(pteAt(world, BASE))], [true, false]);
  const before = faults(world);
  store(world, BASE, 1n);
  assert.equal(faults(world), before);
  assert.ok(pteDirty(pteAt(world, BASE)) && pteYoung(pteAt(world, BASE)));
});

test('a thread that only read walks again before its first store, so that no dirty bit is missed', () => {
  const world = newKernelWorld();
  const range = mapped(world, 1, { kind: 'anon-shared' });
  load(world, BASE);
  assert.equal(cpuThread(world, 'cpu0').tlb.entries.get(BASE)?.dirty, 'clean');
  run(world, cpuApi(world, 'cpu1').mprotect(range, 'r'), 'cpu1');
  assert.equal(store(world, BASE, 1n), 'SIGSEGV');
});

test('a right that mprotect takes away is gone in every TLB when it returns', () => {
  const world = newKernelWorld();
  const range = mapped(world, 1);
  for (const cpu of ['cpu0', 'cpu1']) store(world, BASE, 1n, cpu);
  run(world, cpuApi(world).mprotect(range, 'r'));
  for (const cpu of ['cpu0', 'cpu1']) {
    assert.deepEqual([store(world, BASE, 2n, cpu), load(world, BASE, cpu)], ['SIGSEGV', 1n]);
  }
});

test('mremap flushes the old place: a thread that remembers it faults', () => {
  const world = newKernelWorld();
  const range = mapped(world, 1);
  store(world, BASE, 1n, 'cpu1');
  run(world, cpuApi(world).mremap(range, at(9)));
  assert.deepEqual([load(world, BASE, 'cpu1'), load(world, at(9), 'cpu1')], ['SIGSEGV', 1n]);
});

/**
 * cpu0 stores to a page that it has in its TLB while cpu1 gives the page away and uses memory for another one,
 * which is the same frame. Returns what that other page may hold afterwards.
 */
function reuseRace(take: 'munmap' | 'DONTNEED', overrides: Partial<KernelFunctions> = {}) {
  const values = new Set<bigint | string>();
  everySchedule(
    () => {
      const world = newKernelWorld({ overrides });
      mapped(world, 2);
      store(world, BASE, 1n);
      const { scheduler } = world;
      const cpu1 = cpuApi(world, 'cpu1');
      function* giveAway(): Task<void> {
        if (take === 'munmap') yield* cpu1.munmap(pageAt(0));
        else yield* cpu1.madvise(pageAt(0), 'DONTNEED');
        yield* cpu1.store(addressOf(at(1)), 7n);
      }
      scheduler.spawn('cpu0', 'store', cpuApi(world).store(addressOf(BASE), 666n));
      scheduler.spawn('cpu1', 'give away', giveAway());
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          values.add(load(world, at(1)));
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 4 },
  );
  return values;
}

test('a store through a stale entry never reaches a frame that is in use again, with up to 4 preemptions', () => {
  assert.deepEqual(reuseRace('munmap'), new Set([7n]));
  assert.deepEqual(reuseRace('DONTNEED'), new Set([7n]));
});

test('without the flush it does', () => {
  const overrides: Partial<KernelFunctions> = { *flushTlbRange() {} };
  assert.ok(reuseRace('DONTNEED', overrides).has(666n));
});

test('every way of taking a page away flushes before it frees', () => {
  const takers: readonly ((world: KernelWorld) => void)[] = [
    (world) => run(world, cpuApi(world).munmap(pageAt(0))),
    (world) => run(world, cpuApi(world).madvise(pageAt(0), 'DONTNEED')),
    (world) => run(world, cpuApi(world).mremap(pagesFrom(at(1), 1), BASE)),
    (world) => run(world, cpuApi(world).exit()),
  ];
  for (const take of takers) {
    const world = newKernelWorld();
    mapped(world, 2);
    store(world, BASE, 1n);
    const frame = ptePfn(pteAt(world, BASE));
    const mark = world.events.length;
    take(world);
    const events = world.events.slice(mark);
    const cleared = events.findIndex(
      (event) => event.kind === 'pte' && event.page === BASE && event.to.state === 'none',
    );
    const flushed = events.findIndex((event, n) => n > cleared && event.kind === 'tlb-flush');
    const freed = events.findIndex((event) => event.kind === 'frame-free' && event.pfn === frame);
    assert.ok(
      cleared >= 0 && cleared < flushed && flushed < freed,
      `${cleared} ${flushed} ${freed}`,
    );
  }
});
