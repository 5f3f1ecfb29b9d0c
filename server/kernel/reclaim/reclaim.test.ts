import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../task/task.ts';
import { OK } from '../../vocabulary/errno.ts';
import { newKernelThread } from '../api/kernel-cpu-api.ts';
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
} from '../kernel-world.fixture.ts';
import { refcount } from '../memory/frames.ts';
import { ptePfn } from '../memory/pte.ts';
import { flushesOwed } from '../memory/tlb-batch.ts';
import { migratePagesBatch } from './migrate-pages.ts';

const CONFIG = { swapSlots: 2 };

function oneStored(overrides = {}): KernelWorld {
  const world = newKernelWorld({ config: CONFIG, overrides });
  mapped(world, 2);
  store(world, BASE, 7n);
  return world;
}

function asKswapd(world: KernelWorld, task: Task<unknown>): void {
  newKernelThread(world.kernel, 'kswapd0', world.mm);
  run(world, task, 'kswapd0');
}

test('kswapd takes a page that two processes map, and each reads it again from swap', () => {
  const world = oneStored();
  assert.deepEqual(run(world, cpuApi(world).fork('child')), OK);
  const { kernel, mm } = world;
  asKswapd(world, kernel.fn.shrinkInactiveList(kernel, mm, pageAt(0)));
  assert.equal(kindAt(world, BASE), 'swap');
  assert.equal(kindAt(world, BASE, cpuThread(world, 'child').mm), 'swap');
  assert.equal(inUse(world), 0);
  assert.equal(load(world, BASE), 7n);
  assert.equal(load(world, BASE, 'child'), 7n);
  assertAtRest(world);
});

test('what cannot go stays mapped and on its list: no swap, or a pin', () => {
  const bare = newKernelWorld();
  mapped(bare, 1);
  store(bare, BASE, 7n);
  asKswapd(bare, bare.kernel.fn.shrinkInactiveList(bare.kernel, bare.mm, pageAt(0)));
  assert.equal(kindAt(bare, BASE), 'present');
  const pinned = oneStored();
  assert.ok(run(pinned, cpuApi(pinned).pin(1, pageAt(0), 'longterm')).ok);
  for (const act of [pinned.kernel.fn.shrinkInactiveList, pinned.kernel.fn.compactPages]) {
    const pfn = ptePfn(pteAt(pinned, BASE));
    asKswapd(pinned, act(pinned.kernel, pinned.mm, pageAt(0)));
    assert.equal(ptePfn(pteAt(pinned, BASE)), pfn);
  }
  assertAtRest(pinned);
});

test('a flush is put off where another CPU must be asked, and counted until somebody makes it', () => {
  const world = oneStored();
  const { kernel, mm } = world;
  // cpu0 needs nobody's help for its own TLB.
  run(world, cpuApi(world).reclaim(pageAt(0)), 'cpu0');
  assert.ok(!flushesOwed(kernel, mm));
  assert.equal(load(world, BASE), 7n);
  asKswapd(world, kernel.fn.shrinkInactiveList(kernel, mm, pageAt(0)));
  assert.ok(flushesOwed(kernel, mm));
  run(world, cpuApi(world).madvise(pageAt(0), 'DONTNEED'));
  assert.ok(!flushesOwed(kernel, mm));
});

test('compaction moves anonymous pages, cached ones and pages of files, and nobody loses a byte', () => {
  for (const overrides of [{}, { migratePages: migratePagesBatch }]) {
    const world = oneStored(overrides);
    const { kernel, mm } = world;
    const shared = mapped(world, 1, { kind: 'anon-shared', first: (BASE + 512) as typeof BASE });
    store(world, shared.first, 9n);
    for (const page of [BASE, shared.first]) {
      const before = ptePfn(pteAt(world, page));
      asKswapd(
        world,
        kernel.fn.compactPages(kernel, mm, { first: page, end: (page + 1) as never }),
      );
      const after = ptePfn(pteAt(world, page));
      assert.notEqual(after, before);
      assert.equal(refcount(kernel.frames, before), 0);
    }
    assert.equal(load(world, BASE), 7n);
    assert.equal(load(world, shared.first), 9n);
    assert.equal(inUse(world), 2);
    assertAtRest(world);
  }
});

test('a store that races with reclaim or compaction is neither lost nor goes to a page that has gone', () => {
  for (const act of ['reclaim', 'compact'] as const) {
    const ends = new Set<string>();
    everySchedule(
      () => {
        const world = oneStored({ migratePages: migratePagesBatch });
        const { kernel, mm } = world;
        const works = { reclaim: kernel.fn.shrinkInactiveList, compact: kernel.fn.compactPages };
        world.scheduler.spawn('kthread', act, works[act](kernel, mm, pageAt(0)));
        const address = BigInt(BASE) * 4096n;
        world.scheduler.spawn('cpu0', 'store', cpuApi(world).store(Number(address) as never, 8n));
        return {
          scheduler: world.scheduler,
          check: (stuck) => {
            assert.deepEqual(stuck, []);
            assertAtRest(world);
            ends.add(kindAt(world, BASE));
            assert.equal(load(world, BASE), 8n);
          },
        };
      },
      { preemptionsMax: 2 },
    );
    assert.ok(ends.has('present'));
  }
});
