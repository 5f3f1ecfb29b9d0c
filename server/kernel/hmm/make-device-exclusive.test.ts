import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../task/task.ts';
import { addressOf, type PageRange, type Pfn, pagesFrom } from '../../vocabulary/address.ts';
import { fail, type Result } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
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
import { mapcount, refcount } from '../memory/frames.ts';
import { ptePfn, pteWrite } from '../memory/pte.ts';
import { lockPte } from '../memory/pte-lock.ts';
import { vmaLookup } from '../memory/vma.ts';
import { moveToDevice, plainDevice } from '../plain-device.fixture.ts';
import { type PlainMirror, plainMirror } from '../plain-mirror.fixture.ts';

/** The frames, locked and referenced, as long as the caller wants. */
function* take(mirror: PlainMirror, range: PageRange): Task<Result<readonly (Pfn | 'none')[]>> {
  yield* mirror.api.mmapReadLock();
  const made = yield* mirror.api.makeDeviceExclusiveRange(range);
  yield* mirror.api.mmapReadUnlock();
  return made;
}

function* makeExclusive(mirror: PlainMirror, range: PageRange): Task<readonly (Pfn | 'none')[]> {
  const made = yield* take(mirror, range);
  if (!made.ok) return assert.fail(made.errno);
  yield* mirror.api.unlockAndPutPages(made.value.filter((pfn) => pfn !== 'none'));
  return made.value;
}

function exclusiveWorld(): { world: KernelWorld; mirror: PlainMirror; frame: Pfn } {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  const [frame] = run(world, makeExclusive(mirror, pageAt(0)), 'gpu0');
  assert.ok(frame !== undefined && frame !== 'none');
  return { world, mirror, frame };
}

function eventsTold(mirror: PlainMirror): string[] {
  return mirror.told.map(({ event, owner }) => `${event} ${owner}`);
}

test('[DX1] an exclusive entry whose page is locked is not restored', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  run(world, take(mirror, pageAt(0)), 'gpu0');
  const { kernel: k, mm } = world;
  function* restore(): Task<void> {
    const vma = vmaLookup(mm.vmas, BASE);
    if (vma === 'none') assert.fail();
    k.fn.restoreExclusivePte(k, yield* lockPte(k, 'test.ptl', mm, vma, BASE));
  }
  assert.throws(() => run(world, restore(), 'cpu0'), /DX1/);
});
test('the page stays the same frame, with its references, but no CPU can reach it', () => {
  const { world, mirror, frame } = exclusiveWorld();
  const pte = pteAt(world, BASE);
  assert.deepEqual(
    [kindAt(world, BASE), ptePfn(pte), pteWrite(pte)],
    ['device-exclusive', frame, true],
  );
  const { frames } = world.kernel;
  assert.deepEqual([refcount(frames, frame), mapcount(frames, frame)], [1, 1]);
  assert.ok(!cpuThread(world, 'cpu0').tlb.entries.has(BASE));
  assert.deepEqual(eventsTold(mirror), ['exclusive gpu0']);
  assertAtRest(world);
});

test('a hole is faulted for writing first', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  const range = mapped(world, 2);
  load(world, at(1));
  const made = run(world, makeExclusive(mirror, range), 'gpu0');
  assert.ok(!made.includes('none'));
  assert.deepEqual(
    [kindAt(world, BASE), kindAt(world, at(1))],
    ['device-exclusive', 'device-exclusive'],
  );
});

test('a CPU that touches the page takes it back, with what the device wrote; the device is told', () => {
  for (const access of ['load', 'store'] as const) {
    const { world, mirror, frame } = exclusiveWorld();
    run(world, mirror.api.dmaWrite([{ page: BASE, pfn: frame }], [pageOfU64(8n)]), 'gpu0');
    if (access === 'load') assert.equal(load(world, BASE), 8n);
    else assert.equal(store(world, BASE, 9n), 'done');
    assert.deepEqual([kindAt(world, BASE), ptePfn(pteAt(world, BASE))], ['present', frame]);
    // Without an owner: nobody may ignore it.
    assert.equal(eventsTold(mirror).at(-1), 'exclusive none');
    assertAtRest(world);
  }
});

test('mprotect takes the right to write away, and a CPU read restores a page without it', () => {
  const { world } = exclusiveWorld();
  run(world, cpuApi(world).mprotect(pageAt(0), 'r'));
  assert.deepEqual(
    [kindAt(world, BASE), pteWrite(pteAt(world, BASE))],
    ['device-exclusive', false],
  );
  assert.deepEqual([load(world, BASE), store(world, BASE, 8n)], [7n, 'SIGSEGV']);
  run(world, cpuApi(world).mprotect(pageAt(0), 'rw'));
  assert.equal(store(world, BASE, 8n), 'done');
  assert.deepEqual([load(world, BASE), inUse(world)], [8n, 1]);
});

test('fork takes the page back first: parent and child share it', () => {
  const { world, mirror, frame } = exclusiveWorld();
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  const child = cpuThread(world, 'child').mm;
  assert.deepEqual([kindAt(world, BASE), kindAt(world, BASE, child)], ['present', 'present']);
  assert.ok(!pteWrite(pteAt(world, BASE)));
  assert.equal(eventsTold(mirror).at(-1), 'protection_page none');
  store(world, BASE, 8n);
  assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [8n, 7n]);
  assert.equal(mapcount(world.kernel.frames, frame), 1);
  assertAtRest(world);
});

test('fork waits while the device holds the page locked', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  const made = run(world, take(mirror, pageAt(0)), 'gpu0');
  assert.ok(made.ok);
  const forking = world.scheduler.spawn('cpu0', 'fork', cpuApi(world).fork('child'));
  world.scheduler.runFirstCome(1_000);
  assert.deepEqual(waitsOf(world.scheduler.blockedTasks()), ['cpu0: copy_nonpresent_pte.wait']);
  run(world, mirror.api.unlockAndPutPages(made.value.filter((pfn) => pfn !== 'none')), 'gpu0');
  assert.equal(forking.state, 'done');
  assertAtRest(world);
});

test('munmap, DONTNEED and a migration of another device take the page; nothing leaks', () => {
  const unmapped = exclusiveWorld();
  run(unmapped.world, cpuApi(unmapped.world).munmap(pageAt(0)));
  assert.equal(inUse(unmapped.world), 0);
  assertAtRest(unmapped.world);
  const dropped = exclusiveWorld();
  run(dropped.world, cpuApi(dropped.world).madvise(pageAt(0), 'DONTNEED'));
  assert.deepEqual([load(dropped.world, BASE), inUse(dropped.world)], [0n, 0]);
  const migrated = exclusiveWorld();
  const other = plainDevice(migrated.world, 'gpu1');
  run(migrated.world, moveToDevice(other, pageAt(0)), 'gpu1');
  assert.equal(kindAt(migrated.world, BASE), 'device-exclusive', 'a migration leaves it alone');
  assert.equal(load(migrated.world, BASE), 7n);
  assertAtRest(migrated.world);
});

test('memory of a file is not made exclusive, a mapping that may not be written is EFAULT', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  mapped(world, 1, { kind: 'anon-shared' });
  assert.deepEqual(run(world, makeExclusive(mirror, pageAt(0)), 'gpu0'), ['none']);
  mapped(world, 1, { first: at(4), prot: 'r' });
  assert.deepEqual(run(world, take(mirror, pageAt(4)), 'gpu0'), fail('EFAULT'));
  assert.deepEqual(run(world, take(mirror, pageAt(6)), 'gpu0'), fail('EFAULT'));
  assertAtRest(world);
});

test('where a later page cannot be had the answer is shorter', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  mapped(world, 2);
  const made = run(world, makeExclusive(mirror, pagesFrom(BASE, 4)), 'gpu0');
  assert.equal(made.length, 2);
  assertAtRest(world);
});

test('two devices want one page: the second revokes the first, and it is told', () => {
  const { world, mirror } = exclusiveWorld();
  const other = plainMirror(world, 'gpu1');
  const [frame] = run(world, makeExclusive(other, pageAt(0)), 'gpu1');
  assert.notEqual(frame, 'none');
  assert.deepEqual(eventsTold(mirror).slice(1), ['exclusive none', 'exclusive gpu1']);
  assertAtRest(world);
});

test('a CPU store races with make_device_exclusive: it is not lost, with up to 2 preemptions', () => {
  everySchedule(
    () => {
      const world = newKernelWorld();
      const mirror = plainMirror(world, 'gpu0');
      mapped(world, 1);
      store(world, BASE, 7n);
      const { scheduler } = world;
      scheduler.spawn('gpu0', 'exclusive', makeExclusive(mirror, pageAt(0)));
      scheduler.spawn('cpu1', 'store', cpuApi(world, 'cpu1').store(addressOf(BASE), 8n));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.deepEqual([load(world, BASE), inUse(world)], [8n, 1]);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 2 },
  );
});
