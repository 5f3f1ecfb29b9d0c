import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  BASE,
  cpuApi,
  mapped,
  newKernelWorld,
  pageAt,
  pteAt,
  run,
  store,
} from '../kernel-world.fixture.ts';
import { maybeDmaPinned } from '../memory/frames.ts';
import { ptePfn, ptePresent } from '../memory/pte.ts';

test('pin_user_pages_fast() pins a page that is there without mmap_lock, and faults in one that is not', () => {
  const world = newKernelWorld();
  mapped(world, 2);
  store(world, BASE, 7n);
  const cpu = cpuApi(world);
  const writer = run(
    world,
    (function* () {
      return yield* cpu.pin(1, pageAt(0), 'fast');
    })(),
  );
  assert.deepEqual(writer, { ok: true, value: 1 });
  assert.ok(maybeDmaPinned(world.kernel.frames, ptePfn(pteAt(world, BASE))));
  assert.deepEqual(run(world, cpu.pin(2, pageAt(1), 'fast')), { ok: true, value: 1 });
  for (const id of [1, 2]) assert.ok(run(world, cpu.unpin(id)).ok);
  assertAtRest(world);
});

test('what is unmapped while it is pinned without a lock is pinned whole or not at all, in every order', () => {
  const ends = new Set<string>();
  everySchedule(() => {
    const world = newKernelWorld();
    mapped(world, 1);
    store(world, BASE, 7n);
    const cpu0 = cpuApi(world);
    const cpu1 = cpuApi(world, 'cpu1');
    const pin = world.scheduler.spawn('cpu0', 'pin', cpu0.pin(1, pageAt(0), 'fast'));
    world.scheduler.spawn('cpu1', 'madvise', cpu1.madvise(pageAt(0), 'DONTNEED'));
    return {
      scheduler: world.scheduler,
      check: (stuck) => {
        assert.deepEqual(stuck, []);
        assert.deepEqual(pin.result, { ok: true, value: 1 });
        const pte = pteAt(world, BASE);
        ends.add(ptePresent(pte) ? 'pinned anew' : 'pinned before');
        const pinned = maybeDmaPinned(world.kernel.frames, ptePfn(pte));
        if (ptePresent(pte)) assert.ok(pinned);
        assert.ok(run(world, cpu0.unpin(1)).ok);
        assertAtRest(world);
      },
    };
  });
  assert.deepEqual([...ends].sort(), ['pinned anew', 'pinned before']);
});

test('a page that fork() shares is not pinned without a lock: who does ends with a page of its own', () => {
  everySchedule(() => {
    const world = newKernelWorld();
    mapped(world, 1);
    store(world, BASE, 7n);
    const cpu0 = cpuApi(world);
    world.scheduler.spawn('cpu0', 'pin', cpu0.pin(1, pageAt(0), 'fast'));
    world.scheduler.spawn('cpu1', 'fork', cpuApi(world, 'cpu1').fork('child'));
    return {
      scheduler: world.scheduler,
      check: (stuck) => {
        assert.deepEqual(stuck, []);
        const child = world.kernel.mms.get(1);
        assert.ok(child !== undefined);
        const pfn = ptePfn(pteAt(world, BASE));
        assert.ok(maybeDmaPinned(world.kernel.frames, pfn));
        assert.notEqual(ptePfn(pteAt(world, BASE, child)), pfn);
      },
    };
  });
});
