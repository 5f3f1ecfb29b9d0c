/** A device that goes away in the middle of what it was doing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MigrateVma } from '../../abi/device-api.ts';
import type { MigratePfn } from '../../abi/migrate-pfn.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, type PageRange, pagesFrom } from '../../vocabulary/address.ts';
import { fail } from '../../vocabulary/errno.ts';
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
import { ptePfn } from '../memory/pte.ts';
import {
  allocAndCopy,
  mirrorAll,
  moveToDevice,
  type PlainDevice,
  plainDevice,
  setUp,
} from '../plain-device.fixture.ts';
import {
  abandonMigration,
  cutOffDevice,
  reconnectDevice,
  surrenderMemory,
} from './device-teardown.ts';

const RANGE = pagesFrom(BASE, 3);

/** Page 0 a hole, page 1 with the value 7, page 2 the zero page. */
function threePages(): { world: KernelWorld; device: PlainDevice } {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 3);
  store(world, at(1), 7n);
  load(world, at(2));
  return { world, device };
}

type Phase = 'collected' | 'frames allocated' | 'pages inserted';
const PHASES: readonly Phase[] = ['collected', 'frames allocated', 'pages inserted'];

/** A migration of the range that stops in `phase`. Frames that no call has named yet are the caller's to drop. */
function* upTo(
  device: PlainDevice,
  range: PageRange,
  phase: Phase,
): Task<{ migrate: MigrateVma; unplaced: readonly MigratePfn[] }> {
  const migrate = yield* setUp(device, range);
  if (phase === 'collected') return { migrate, unplaced: [] };
  const dst = yield* allocAndCopy(device, migrate);
  if (phase === 'frames allocated') return { migrate, unplaced: dst };
  yield* device.api.migrateVmaPages(migrate, dst);
  return { migrate, unplaced: [] };
}

function* abandon(world: KernelWorld, device: PlainDevice, phase: Phase): Task<void> {
  const { migrate, unplaced } = yield* upTo(device, RANGE, phase);
  yield* abandonMigration(world.kernel, migrate);
  for (const dst of unplaced) {
    const pfn = Math.floor(dst / 64) as ReturnType<typeof ptePfn>;
    if (dst !== 0) yield* device.api.putDevicePage(pfn);
  }
}

for (const phase of PHASES) {
  test(`a migration given up in phase '${phase}' puts every source back`, () => {
    const { world, device } = threePages();
    const old = ptePfn(pteAt(world, at(1)));
    run(world, abandon(world, device, phase), 'gpu0');
    assertAtRest(world);
    assert.equal(device.free.length, 8, 'private frames that are not free');
    assert.deepEqual([kindAt(world, at(1)), ptePfn(pteAt(world, at(1)))], ['present', old]);
    assert.deepEqual([load(world, BASE), load(world, at(1)), load(world, at(2))], [0n, 7n, 0n]);
    assert.equal(inUse(world), 1);
    assert.equal(store(world, BASE, 1n), 'done');
  });
}

test('entries that were filled already are taken out in a bracket: others may mirror the hole', () => {
  const { world, device } = threePages();
  const other = plainDevice(world, 'gpu1');
  mirrorAll(world, other);
  const { migrate } = run(world, upTo(device, RANGE, 'pages inserted'), 'gpu0');
  const before = other.told.length;
  run(world, abandonMigration(world.kernel, migrate));
  const told = other.told
    .slice(before)
    .map(({ event, owner, range }) => `${event} ${owner} ${range.first - BASE}`);
  assert.deepEqual(told, ['clear none 0', 'clear none 2']);
});

test('a migration that is over is not given up again', () => {
  const { world, device } = threePages();
  const { migrate } = run(world, upTo(device, RANGE, 'pages inserted'), 'gpu0');
  run(world, device.api.migrateVmaFinalize(migrate), 'gpu0');
  run(world, abandonMigration(world.kernel, migrate));
  assert.equal(kindAt(world, BASE), 'device-private');
});

test('a way home that is given up leaves the pages with the device', () => {
  const { world, device } = threePages();
  run(world, moveToDevice(device, RANGE), 'gpu0');
  const made = run(
    world,
    device.api.migrateVmaSetup({
      mm: 0,
      range: RANGE,
      select: 'device-private',
      faultPage: 'none',
    }),
  );
  assert.ok(made.ok);
  const frames = run(world, device.api.allocPages(3));
  assert.ok(frames.ok);
  const dst = frames.value.map((pfn) => (pfn * 64 + 1) as MigratePfn);
  run(world, device.api.migrateVmaPages(made.value, dst));
  run(world, abandonMigration(world.kernel, made.value));
  assert.deepEqual(
    [0, 1, 2].map((page) => kindAt(world, at(page))),
    new Array(3).fill('device-private'),
  );
  assert.equal(inUse(world), 3);
  assert.equal(load(world, at(1)), 7n);
  assertAtRest(world);
});

test('a CPU that waits for a page of the migration goes on when it is given up, in every phase', () => {
  for (const phase of PHASES) {
    everySchedule(
      () => {
        const { world, device } = threePages();
        const { scheduler } = world;
        scheduler.spawn('gpu0', 'abandon', abandon(world, device, phase));
        const loads = [0, 1].map((page) => {
          const task = cpuApi(world, `cpu${page}`).load(addressOf(at(page)));
          return scheduler.spawn(`cpu${page}`, 'load', task);
        });
        return {
          scheduler,
          check: (stuck) => {
            assert.deepEqual(waitsOf(stuck), []);
            const values = loads.map(({ result }) => result);
            assert.deepEqual(values, [
              { kind: 'done', value: 0n },
              { kind: 'done', value: 7n },
            ]);
            assertAtRest(world);
            assert.equal(device.free.length, 8);
          },
        };
      },
      { preemptionsMax: 1 },
    );
  }
});

test('memory that is lost with its device becomes poison, and a CPU that touches it gets SIGBUS', () => {
  const { world, device } = threePages();
  run(world, moveToDevice(device, RANGE), 'gpu0');
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  cutOffDevice(world.kernel, 'gpu0');
  run(world, surrenderMemory(world.kernel, 'gpu0'));
  const child = cpuThread(world, 'child').mm;
  for (const page of [0, 1, 2]) {
    assert.deepEqual(
      [kindAt(world, at(page)), kindAt(world, at(page), child)],
      ['poison', 'poison'],
    );
    assert.equal(load(world, at(page)), 'SIGBUS');
    assert.equal(store(world, at(page), 1n, 'child'), 'SIGBUS');
  }
  assert.deepEqual(device.faults, []);
  assert.deepEqual([device.free.length, inUse(world)], [8, 0]);
  assertAtRest(world);
});

test('poison goes with its mapping, and fork and mprotect keep it', () => {
  const { world, device } = threePages();
  run(world, moveToDevice(device, pageAt(1)), 'gpu0');
  run(world, surrenderMemory(world.kernel, 'gpu0'));
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  assert.equal(load(world, at(1), 'child'), 'SIGBUS');
  run(world, cpuApi(world).mprotect(RANGE, 'r'));
  assert.equal(load(world, at(1)), 'SIGBUS');
  run(world, cpuApi(world).madvise(pageAt(1), 'DONTNEED'));
  assert.equal(load(world, at(1)), 0n);
  assertAtRest(world);
});

test('only the memory of that device is lost', () => {
  const { world, device } = threePages();
  const other = plainDevice(world, 'gpu1');
  run(world, moveToDevice(device, pageAt(0)), 'gpu0');
  run(world, moveToDevice(other, pageAt(1)), 'gpu1');
  run(world, surrenderMemory(world.kernel, 'gpu0'));
  assert.deepEqual([load(world, BASE), load(world, at(1))], ['SIGBUS', 7n]);
});

test('the DMA of a device that is cut off is refused until it is back', () => {
  const { world, device } = threePages();
  const target = { page: at(1), pfn: ptePfn(pteAt(world, at(1))) };
  assert.ok(run(world, device.api.dmaRead([target])).ok);
  cutOffDevice(world.kernel, 'gpu0');
  assert.deepEqual(run(world, device.api.dmaRead([target])), fail('ENOTCONN'));
  const zeros = new Uint8Array(0);
  assert.deepEqual(run(world, device.api.dmaWrite([target], [zeros])), fail('ENOTCONN'));
  assert.equal(load(world, at(1)), 7n);
  reconnectDevice(world.kernel, 'gpu0');
  assert.ok(run(world, device.api.dmaRead([target])).ok);
});

test('DMA reaches system frames that exist, and never writes the zero page or private memory', () => {
  const { world, device } = threePages();
  const zeros = new Uint8Array(0);
  const read = (pfn: number) => run(world, device.api.dmaRead([{ page: BASE, pfn: pfn as never }]));
  const write = (pfn: number) =>
    run(world, device.api.dmaWrite([{ page: BASE, pfn: pfn as never }], [zeros]));
  assert.ok(read(0).ok);
  const refused = { ...fail('EFAULT'), at: 0 };
  assert.deepEqual(write(0), refused);
  assert.deepEqual([read(device.first), write(device.first)], [refused, refused]);
  assert.deepEqual(read(999), refused);
});
