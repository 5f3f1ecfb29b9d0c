import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MappingKind, Prot } from '../../abi/cpu-api.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, type Pfn, pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import { OK } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  inUse,
  type KernelWorld,
  load,
  mapped,
  newKernelWorld,
  pteAt,
  run,
  runOnly,
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { markUnstable } from '../memory/address-space-stability.ts';
import { hasFlag, PAGE_ANON, PAGE_DIRTY } from '../memory/frames.ts';
import { tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { pteDirty, pteNone, ptePfn, pteWrite } from '../memory/pte.ts';
import { createFile } from '../syscalls/create-file.ts';

const FILE = 3;
const OTHER = pageIndex(BASE + 64);

/** A file of two pages that begin with 100 and 101. */
function fileWorld(): KernelWorld {
  const world = newKernelWorld();
  createFile(world.kernel, FILE, [pageOfU64(100n), pageOfU64(101n)]);
  return world;
}

function mapFile(
  world: KernelWorld,
  kind: MappingKind,
  first = BASE,
  pages = 2,
  prot: Prot = 'rw',
) {
  const request = { range: pagesFrom(first, pages), prot, kind, file: FILE, offset: 0 };
  assert.deepEqual(run(world, cpuApi(world).mmap(request)), OK);
}

function cachedFrame(world: KernelWorld, offset: number) {
  return world.kernel.files.get(FILE)?.pages.get(offset);
}

test('a read of a file maps the page of its page cache, in a private mapping without write', () => {
  const world = fileWorld();
  mapFile(world, 'file-private');
  assert.equal(load(world, at(1)), 101n);
  const pte = pteAt(world, at(1));
  assert.equal(ptePfn(pte), cachedFrame(world, 1));
  assert.ok(!pteWrite(pte));
  assert.equal(inUse(world), 2);
});

function* unlocking({ kernel }: KernelWorld, pfn: Pfn): Task<void> {
  unlockPage(kernel, pfn);
}

test('a page that is locked, because it migrates, is not mapped until it is unlocked', () => {
  for (const [kind, access] of [
    ['file-shared', 'load'],
    ['file-shared', 'store'],
    ['file-private', 'store'],
  ] as const) {
    const world = fileWorld();
    mapFile(world, kind);
    const pfn = cachedFrame(world, 0);
    assert.ok(pfn !== undefined);
    tryLockPage(world.kernel, pfn);
    const api = cpuApi(world);
    const task: Task<unknown> =
      access === 'load' ? api.load(addressOf(BASE)) : api.store(addressOf(BASE), 7n);
    const running = world.scheduler.spawn('cpu0', access, task);
    assert.throws(() => runOnly(world, running), /it waits/);
    assert.equal(running.pending.at, 'shmem_getpage.lock_page');
    assert.ok(pteNone(pteAt(world, BASE)));
    run(world, unlocking(world, pfn), 'dev0');
    assert.equal(running.state, 'done');
    assertAtRest(world);
  }
});

test('a first write to a private file mapping copies at once; the file does not change', () => {
  const world = fileWorld();
  mapFile(world, 'file-private');
  assert.equal(store(world, BASE, 7n), 'done');
  const pte = pteAt(world, BASE);
  assert.notEqual(ptePfn(pte), cachedFrame(world, 0));
  assert.ok(hasFlag(world.kernel.frames, ptePfn(pte), PAGE_ANON));
  assert.ok(!world.events.some(({ kind }) => kind === 'invalidate_range_start'), 'nobody to tell');
  mapFile(world, 'file-private', OTHER);
  assert.deepEqual([load(world, BASE), load(world, OTHER)], [7n, 100n]);
  assertAtRest(world);
});

test('a write after a read copies in a bracket, because the page was mapped', () => {
  const world = fileWorld();
  mapFile(world, 'file-private');
  load(world, BASE);
  store(world, BASE, 7n);
  const told = world.events.flatMap((event) =>
    event.kind === 'invalidate_range_start' ? [event.event] : [],
  );
  assert.deepEqual(told, ['clear']);
  assert.notEqual(ptePfn(pteAt(world, BASE)), cachedFrame(world, 0));
});

test('a shared file mapping writes the page of the file, for all that map it', () => {
  const world = fileWorld();
  mapFile(world, 'file-shared');
  mapFile(world, 'file-shared', OTHER);
  assert.equal(load(world, OTHER), 100n);
  store(world, BASE, 7n);
  const pte = pteAt(world, BASE);
  assert.deepEqual([ptePfn(pte), pteDirty(pte)], [cachedFrame(world, 0), true]);
  assert.ok(hasFlag(world.kernel.frames, ptePfn(pte), PAGE_DIRTY));
  assert.equal(load(world, OTHER), 7n);
  assert.equal(inUse(world), 2);
});

test('beyond the end of the file there is SIGBUS, within its last page there is none', () => {
  const world = fileWorld();
  mapFile(world, 'file-shared', BASE, 4);
  assert.equal(load(world, at(1)), 101n);
  assert.deepEqual([load(world, at(2)), store(world, at(3), 1n)], ['SIGBUS', 'SIGBUS']);
  mapFile(world, 'file-private', OTHER, 4);
  assert.equal(store(world, pageIndex(OTHER + 2), 1n), 'SIGBUS');
  assert.equal(inUse(world), 2);
  assertAtRest(world);
});

test('a mapping of a file that does not exist is refused', () => {
  const world = fileWorld();
  const range = pagesFrom(BASE, 1);
  const request = { range, prot: 'r', kind: 'file-shared', file: 99 } as const;
  const refused = run(world, cpuApi(world).mmap(request));
  assert.ok(!refused.ok && refused.errno === 'EINVAL');
});

test('shared anonymous memory stays shared over fork, private memory does not', () => {
  const world = newKernelWorld();
  mapped(world, 1, { kind: 'anon-shared' });
  mapped(world, 1, { first: OTHER });
  for (const page of [BASE, OTHER]) store(world, page, 1n);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  for (const page of [BASE, OTHER]) store(world, page, 2n, 'child');
  assert.deepEqual([load(world, BASE), load(world, OTHER)], [2n, 1n]);
});

test('two threads touch one page of shared memory at once: one page is made, with up to 2 preemptions', () => {
  everySchedule(
    () => {
      const world = newKernelWorld();
      mapped(world, 1, { kind: 'anon-shared' });
      const { scheduler } = world;
      for (const [cpu, value] of [
        ['cpu0', 1n],
        ['cpu1', 2n],
      ] as const) {
        const address = (addressOf(BASE) + Number(value) * 8) as ReturnType<typeof addressOf>;
        scheduler.spawn(cpu, 'store', cpuApi(world, cpu).store(address, value));
      }
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.equal(inUse(world), 1);
          const read = (at: number) =>
            run(world, cpuApi(world).load((addressOf(BASE) + at) as ReturnType<typeof addressOf>));
          assert.deepEqual(read(8), { kind: 'done', value: 1n });
          assert.deepEqual(read(16), { kind: 'done', value: 2n });
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 2 },
  );
});

test('a write that copies is refused once the OOM reaper was here, and keeps nothing', () => {
  const world = fileWorld();
  mapFile(world, 'file-private');
  store(world, at(0), 7n);
  const before = inUse(world);
  markUnstable(world.kernel, world.mm);
  assert.equal(store(world, at(1), 8n), 'SIGBUS');
  assert.equal(pteNone(pteAt(world, at(1))), true);
  // The page of the file is in its cache now.
  assert.equal(inUse(world), before);
  assertAtRest(world);
});

test('so is a read, which might find the file where there was a copy; of a shared mapping it is not', () => {
  const world = fileWorld();
  mapFile(world, 'file-private');
  mapFile(world, 'file-shared', OTHER);
  store(world, at(0), 7n);
  const before = inUse(world);
  markUnstable(world.kernel, world.mm);
  assert.equal(load(world, at(1)), 'SIGBUS');
  assert.equal(pteNone(pteAt(world, at(1))), true);
  assert.equal(inUse(world), before);
  assert.equal(load(world, OTHER), 100n);
  assertAtRest(world);
});
