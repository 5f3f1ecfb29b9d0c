/** migrate_vma_setup(), _pages() and _finalize() together: that is how they are used. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  type MigratePfn,
  migratePfnHas,
} from '../../abi/migrate-pfn.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, type PageRange, pagesFrom } from '../../vocabulary/address.ts';
import { fail } from '../../vocabulary/errno.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
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
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { hasFlag, mapcount, PAGE_DIRTY, PAGE_LRU, refcount } from '../memory/frames.ts';
import { ptePfn, pteWrite } from '../memory/pte.ts';
import {
  allocAndCopy,
  flagsOf,
  mirrorAll,
  moveToDevice,
  moveToSystem,
  type PlainDevice,
  plainDevice,
  setUp,
} from '../plain-device.fixture.ts';
import { STOCK } from '../stock.ts';
import { migrateVmaInsertPage } from './migrate-vma-pages.ts';
import { putbackLru } from './migrate-vma-setup.ts';

const ONE = pageAt(0);

function migrate(world: KernelWorld, device: PlainDevice, range: PageRange): string[] {
  return flagsOf(run(world, moveToDevice(device, range), device.api.owner));
}

/** Every private frame is on the free list, nothing is locked, and `system` frames are in use. */
function assertNothingLeft(world: KernelWorld, devices: readonly PlainDevice[], system: number) {
  assertAtRest(world);
  const free = devices.flatMap((device) => device.free);
  assert.equal(free.length, devices.length * 8, 'private frames that are not free');
  assert.equal(inUse(world), system);
}

test('a hole gets a device page: no source, but MIGRATE', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  assert.deepEqual(migrate(world, device, ONE), ['MIGRATE']);
  const pte = pteAt(world, BASE);
  assert.deepEqual(
    [kindAt(world, BASE), pteWrite(pte), ptePfn(pte)],
    ['device-private', true, device.first],
  );
  const { frames } = world.kernel;
  assert.deepEqual([refcount(frames, device.first), mapcount(frames, device.first)], [1, 1]);
  assertAtRest(world);
  assert.equal(load(world, BASE), 0n);
  assertNothingLeft(world, [device], 1);
});

test('the zero page gets a device page, and is flushed from the TLBs', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  load(world, BASE);
  assert.ok(cpuThread(world, 'cpu0').tlb.entries.has(BASE));
  assert.deepEqual(migrate(world, device, ONE), ['MIGRATE']);
  assert.ok(!cpuThread(world, 'cpu0').tlb.entries.has(BASE));
  assert.equal(kindAt(world, BASE), 'device-private');
});

test('a present page moves with its contents, and its frame is freed', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  assert.deepEqual(migrate(world, device, ONE), ['MIGRATE|VALID|WRITE']);
  assert.deepEqual(device.contents.get(device.first), pageOfU64(7n));
  assert.ok(!cpuThread(world, 'cpu0').tlb.entries.has(BASE));
  assert.equal(inUse(world), 1);
  assertAtRest(world);
});

test('between setup and finalize the page is locked, isolated and behind a migration entry', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  const pfn = ptePfn(pteAt(world, BASE));
  const open = run(world, setUp(device, ONE));
  assert.equal(kindAt(world, BASE), 'migration');
  const { kernel } = world;
  assert.deepEqual([...kernel.pageLocks.keys()], [pfn]);
  assert.deepEqual([...kernel.isolated], [pfn]);
  assert.ok(!hasFlag(kernel.frames, pfn, PAGE_LRU));
  assert.deepEqual([refcount(kernel.frames, pfn), mapcount(kernel.frames, pfn)], [1, 0]);
  run(world, device.api.migrateVmaPages(open, [MIGRATE_PFN_NONE]));
  run(world, device.api.migrateVmaFinalize(open));
  assert.ok(hasFlag(kernel.frames, pfn, PAGE_LRU));
  assert.deepEqual([ptePfn(pteAt(world, BASE)), load(world, BASE)], [pfn, 7n]);
  assertNothingLeft(world, [device], 1);
});

test('a CPU fault brings a page back with what the device wrote, and frees the private frame', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 2);
  store(world, BASE, 7n);
  migrate(world, device, pagesFrom(BASE, 2));
  device.contents.set(device.first, pageOfU64(8n));
  assert.equal(load(world, BASE), 8n);
  assert.deepEqual(device.faults, [device.first]);
  assert.equal(kindAt(world, at(1)), 'device-private');
  assert.equal(store(world, at(1), 9n), 'done');
  assert.equal(load(world, at(1)), 9n);
  assertNothingLeft(world, [device], 2);
});

test('a page that is pinned, or only referred to, stays where it is and works on', () => {
  for (const mode of ['longterm', 'get'] as const) {
    const world = newKernelWorld();
    const device = plainDevice(world, 'gpu0');
    mapped(world, 1);
    store(world, BASE, 7n);
    const pfn = ptePfn(pteAt(world, BASE));
    assert.ok(run(world, cpuApi(world).pin(1, ONE, mode)).ok);
    assert.deepEqual(migrate(world, device, ONE), ['none'], mode);
    assert.deepEqual([kindAt(world, BASE), ptePfn(pteAt(world, BASE))], ['present', pfn]);
    store(world, BASE, 8n);
    assert.equal(load(world, BASE), 8n);
    run(world, cpuApi(world).unpin(1));
    assertNothingLeft(world, [device], 1);
    assert.deepEqual(migrate(world, device, ONE), ['MIGRATE|VALID|WRITE']);
  }
});

test('some of a range may move and the rest stay, each page told apart by its flags', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0', 3);
  mapped(world, 6);
  for (const page of [1, 2, 4]) store(world, at(page), BigInt(page));
  load(world, at(3));
  assert.ok(run(world, cpuApi(world).pin(1, pageAt(2), 'longterm')).ok);
  // 0 hole, 1 present, 2 pinned, 3 zero page, 4 present and 5 hole, for which there is no private frame left.
  assert.deepEqual(migrate(world, device, pagesFrom(BASE, 6)), [
    'MIGRATE',
    'MIGRATE|VALID|WRITE',
    'none',
    'MIGRATE',
    'VALID|WRITE',
    'none',
  ]);
  const kinds = [0, 1, 2, 3, 4, 5].map((page) => kindAt(world, at(page)));
  const moved = 'device-private';
  assert.deepEqual(kinds, [moved, moved, 'present', moved, 'present', 'none']);
  const values = [0, 1, 2, 3, 4, 5].map((page) => load(world, at(page)));
  assert.deepEqual(values, [0n, 1n, 2n, 0n, 4n, 0n]);
  run(world, cpuApi(world).unpin(1));
  assertAtRest(world);
  assert.equal(device.free.length, 3);
});

test('what a mapping does not allow is not allowed on the device either', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  const range = mapped(world, 2);
  store(world, at(1), 7n);
  run(world, cpuApi(world).mprotect(range, 'r'));
  assert.deepEqual(migrate(world, device, range), ['MIGRATE', 'MIGRATE|VALID']);
  assert.deepEqual([pteWrite(pteAt(world, BASE)), pteWrite(pteAt(world, at(1)))], [false, false]);
  assert.deepEqual([store(world, at(1), 8n), load(world, at(1))], ['SIGSEGV', 7n]);
});

test('a range that leaves its mapping, or a fault page of system memory, is refused', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  const ask = (range: PageRange, faultPage: 'none' | MigratePfn = 'none') =>
    run(
      world,
      device.api.migrateVmaSetup({ mm: 0, range, select: 'system', faultPage: faultPage as never }),
    );
  assert.deepEqual(ask(pagesFrom(BASE, 2)), fail('EINVAL'));
  assert.deepEqual(ask(pageAt(5)), fail('EINVAL'));
  assert.deepEqual(ask(ONE, 1 as MigratePfn), fail('EINVAL'));
  assertNothingLeft(world, [device], 0);
});

test('memory of a file stays: its holes are not collected, its pages lose MIGRATE', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 2, { kind: 'anon-shared' });
  store(world, at(1), 7n);
  assert.deepEqual(migrate(world, device, pagesFrom(BASE, 2)), ['none', 'VALID|WRITE']);
  assert.equal(load(world, at(1)), 7n);
  assertNothingLeft(world, [device], 1);
});

test('a device takes back only its own pages', () => {
  const world = newKernelWorld();
  const [a, b] = [plainDevice(world, 'gpu0'), plainDevice(world, 'gpu1')];
  mapped(world, 1);
  migrate(world, a, ONE);
  assert.deepEqual(migrate(world, b, ONE), ['none']);
  assert.equal(run(world, moveToSystem(b, 0, ONE, 'none')), 0);
  assert.equal(run(world, moveToSystem(a, 0, ONE, 'none')), 1);
  assertNothingLeft(world, [a, b], 1);
});

test('other devices are told twice where a hole is filled, the second time after the first has ended', () => {
  const world = newKernelWorld();
  const [a, b] = [plainDevice(world, 'gpu0'), plainDevice(world, 'gpu1')];
  mirrorAll(world, b);
  mapped(world, 4);
  store(world, BASE, 7n);
  migrate(world, a, pagesFrom(BASE, 4));
  const told = b.told.map(
    ({ event, owner, range }) => `${event} of ${owner} ${range.first - BASE}-${range.end - BASE}`,
  );
  // From the first hole to the end of the range.
  assert.deepEqual(told, ['migrate of gpu0 0-4', 'migrate of gpu0 1-4']);
});

test('a page that parent and child share leaves both, and comes back for both', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  const child = cpuThread(world, 'child').mm;
  assert.deepEqual(migrate(world, device, ONE), ['MIGRATE|VALID']);
  assert.deepEqual(
    [kindAt(world, BASE), kindAt(world, BASE, child)],
    ['device-private', 'device-private'],
  );
  assert.equal(refcount(world.kernel.frames, device.first), 2);
  assert.equal(load(world, BASE, 'child'), 7n);
  assert.deepEqual([kindAt(world, BASE), kindAt(world, BASE, child)], ['present', 'present']);
  assert.equal(ptePfn(pteAt(world, BASE)), ptePfn(pteAt(world, BASE, child)));
  store(world, BASE, 8n);
  assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [8n, 7n]);
  assertNothingLeft(world, [device], 2);
});

test('a page that forks while it is on the device comes back for both', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  migrate(world, device, ONE);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  assert.ok(!pteWrite(pteAt(world, BASE)), 'both sides lose the right to write');
  store(world, BASE, 8n, 'child');
  assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [7n, 8n]);
  assertNothingLeft(world, [device], 2);
});

test('a fork while a page is between setup and finalize does not wait and loses nothing', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  // Without mmap_lock, which fork takes for writing: an eviction works like that.
  run(world, moveToDevice(device, ONE));
  const evicting = run(world, device.api.migrateDeviceRange(device.first, 1));
  assert.ok(evicting.ok);
  assert.ok(run(world, cpuApi(world).fork('child')).ok);
  const frames = run(world, device.api.allocPages(1));
  assert.ok(frames.ok);
  const [frame] = frames.value;
  assert.ok(frame !== undefined);
  const copy = pageOfU64(7n);
  assert.ok(run(world, device.api.dmaWrite([{ page: BASE, pfn: frame }], [copy])).ok);
  const dst = [(frame * 64 + 1) as MigratePfn];
  run(world, device.api.migrateDevicePages(evicting.value, dst));
  run(world, device.api.migrateDeviceFinalize(evicting.value));
  assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [7n, 7n]);
  store(world, BASE, 8n);
  assert.deepEqual([load(world, BASE), load(world, BASE, 'child')], [8n, 7n]);
  assertNothingLeft(world, [device], 2);
});

test('a CPU that meets a migration entry waits until the migration is over', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  const open = run(world, setUp(device, ONE));
  const loading = world.scheduler.spawn('cpu0', 'load', cpuApi(world).load(addressOf(BASE)));
  world.scheduler.runFirstCome(1_000);
  assert.deepEqual(waitsOf(world.scheduler.blockedTasks()), ['cpu0: migration_entry_wait.sleep']);
  run(world, device.api.migrateVmaPages(open, run(world, allocAndCopy(device, open))));
  assert.equal(loading.state, 'blocked');
  run(world, device.api.migrateVmaFinalize(open));
  assert.deepEqual(loading.result, { kind: 'done', value: 7n });
  assertNothingLeft(world, [device], 1);
});

test('a driver that does not pass on the fault page moves nothing', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  migrate(world, device, ONE);
  const moved = { with: -1, without: -1 };
  const { kernel } = world;
  const [pgmap] = kernel.pgmaps;
  assert.ok(pgmap !== undefined);
  pgmap.driver.migrateToRam = function* ({ mm, pfn }) {
    moved.without = yield* moveToSystem(device, mm, ONE, 'none');
    moved.with = yield* moveToSystem(device, mm, ONE, pfn);
    return { ok: true, value: undefined };
  };
  load(world, BASE);
  assert.deepEqual(moved, { without: 0, with: 1 });
  assertNothingLeft(world, [device], 1);
});

test('a device whose page cannot be brought back makes SIGBUS of the fault', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  migrate(world, device, ONE);
  const [pgmap] = world.kernel.pgmaps;
  assert.ok(pgmap !== undefined);
  pgmap.driver.migrateToRam = function* () {
    return fail('EIO');
  };
  assert.equal(load(world, BASE), 'SIGBUS');
  assert.equal(kindAt(world, BASE), 'device-private');
  assertAtRest(world);
});

test('dirt survives the way to the device and back', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  migrate(world, device, ONE);
  assert.ok(hasFlag(world.kernel.frames, device.first, PAGE_DIRTY));
  load(world, BASE);
  assert.ok(hasFlag(world.kernel.frames, ptePfn(pteAt(world, BASE)), PAGE_DIRTY));
});

test('munmap and exit give private frames back to their device', () => {
  for (const end of ['munmap', 'exit'] as const) {
    const world = newKernelWorld();
    const device = plainDevice(world, 'gpu0');
    const range = mapped(world, 3);
    migrate(world, device, range);
    const cpu = cpuApi(world);
    if (end === 'munmap') run(world, cpu.munmap(range));
    else run(world, cpu.exit());
    assertNothingLeft(world, [device], 0);
  }
});

test('[MV1] a migration that is finalized is not known any more', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  const open = run(world, setUp(device, ONE));
  run(world, device.api.migrateVmaFinalize(open));
  const unknown = (error: unknown) => error instanceof KernelBug && error.rule === 'MV1';
  assert.throws(() => run(world, device.api.migrateVmaFinalize(open)), unknown);
  assert.throws(() => run(world, device.api.migrateVmaPages(open, [])), unknown);
});

test('[DR2] a device gets no private page of another device, whatever a patch collects', () => {
  const world = newKernelWorld({
    overrides: {
      *migrateVmaCollectPte(k, migration, at) {
        return yield* STOCK.migrateVmaCollectPte(k, { ...migration, owner: 'gpu0' }, at);
      },
    },
  });
  const [mine, other] = [plainDevice(world, 'gpu0'), plainDevice(world, 'gpu1')];
  mapped(world, 1);
  migrate(world, mine, ONE);
  const foreign = (error: unknown) => error instanceof KernelBug && error.rule === 'DR2';
  assert.throws(() => run(world, setUp(other, ONE, 'device-private')), foreign);
});

test('[FR5] what is on the LRU is not put back', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 7n);
  assert.throws(() => putbackLru(world.kernel, ptePfn(pteAt(world, BASE))), /FR5/);
});

test('[DR1] a device hands out frames of its own only', () => {
  const world = newKernelWorld();
  const [a, b] = [plainDevice(world, 'gpu0'), plainDevice(world, 'gpu1')];
  const foreign = (error: unknown) => error instanceof KernelBug && error.rule === 'DR1';
  assert.throws(() => a.api.zoneDevicePageInit(b.first), foreign);
  assert.throws(() => a.api.zoneDevicePageInit((a.first - 1) as typeof a.first), foreign);
});

/** What two devices get that migrate the same page at once, and how many schedules there are. */
function twoMigrators(
  prepare: (world: KernelWorld) => void,
  bound: { preemptionsMax?: number } = {},
  overrides: Partial<KernelFunctions> = {},
) {
  const winners = new Set<number>();
  const schedules = everySchedule(() => {
    const world = newKernelWorld({ overrides });
    const devices = [plainDevice(world, 'gpu0'), plainDevice(world, 'gpu1')];
    mapped(world, 1);
    prepare(world);
    const before = inUse(world);
    const tasks = devices.map((device) =>
      world.scheduler.spawn(device.api.owner, 'migrate', moveToDevice(device, ONE)),
    );
    return {
      scheduler: world.scheduler,
      check: (stuck) => {
        assert.deepEqual(waitsOf(stuck), []);
        const won = tasks.map((task) =>
          migratePfnHas((task.result as MigratePfn[])[0] ?? MIGRATE_PFN_NONE, MIGRATE_PFN_MIGRATE),
        );
        winners.add(won.filter((flag) => flag).length);
        const [winner] = devices.filter((_, index) => won[index]);
        const [loser] = devices.filter((_, index) => !won[index]);
        if (winner !== undefined && loser !== undefined) {
          assert.equal(ptePfn(pteAt(world, BASE)), winner.first);
          assert.equal(loser.free.length, 8, 'the page of the loser is freed');
        }
        const expected = load(world, BASE);
        assert.equal(expected, before === 0 ? 0n : 7n);
        assertNothingLeft(world, devices, 1);
      },
    };
  }, bound);
  return { winners: [...winners], schedules };
}

test('of two devices that fill one hole exactly one wins, under every schedule', () => {
  const { winners, schedules } = twoMigrators(() => undefined);
  assert.deepEqual(winners, [1]);
  assert.ok(schedules > 1_000, `${schedules}`);
});

test('of two devices that replace one zero page exactly one wins, with up to 3 preemptions', () => {
  const { winners } = twoMigrators((world) => load(world, BASE), { preemptionsMax: 3 });
  assert.deepEqual(winners, [1]);
});

test('of two devices that move one page exactly one wins, with up to 2 preemptions', () => {
  const { winners } = twoMigrators((world) => store(world, BASE, 7n), { preemptionsMax: 2 });
  assert.deepEqual(winners, [1]);
});

test('a kernel that does not look again before it inserts lets both win', () => {
  const both = () =>
    twoMigrators(
      () => undefined,
      { preemptionsMax: 1 },
      {
        *migrateVmaInsertPage(k, migration, index) {
          const { ptes } = [...migration.mm.table.pages.values()][0] ?? { ptes: new Uint32Array() };
          const page = (migration.range.first + index) % 512;
          ptes[page] = 0;
          yield* migrateVmaInsertPage(k, migration, index);
        },
      },
    );
  assert.throws(both, /under this schedule/);
});

/** A CPU stores while a device migrates: whatever the order, the value is there afterwards. */
function storeDuring(pages: 'hole' | 'zero' | 'present' | 'on the device', preemptionsMax: number) {
  return everySchedule(
    () => {
      const world = newKernelWorld();
      const device = plainDevice(world, 'gpu0');
      mapped(world, 1);
      if (pages === 'zero') load(world, BASE);
      else if (pages !== 'hole') store(world, BASE, 7n);
      if (pages === 'on the device') migrate(world, device, ONE);
      function* back(): Task<void> {
        yield* device.api.mmapReadLock();
        yield* moveToSystem(device, 0, ONE, 'none');
        yield* device.api.mmapReadUnlock();
      }
      const { scheduler } = world;
      const moving = pages === 'on the device' ? back() : moveToDevice(device, ONE);
      scheduler.spawn('gpu0', 'migrate', moving as Task<unknown>);
      scheduler.spawn('cpu0', 'store', cpuApi(world).store(addressOf(BASE), 99n));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.equal(load(world, BASE), 99n);
          assertNothingLeft(world, [device], 1);
        },
      };
    },
    { preemptionsMax },
  );
}

test('a store that races with a migration is not lost, with up to 3 preemptions', () => {
  assert.ok(storeDuring('hole', 3) > 100);
  assert.ok(storeDuring('zero', 3) > 100);
  assert.ok(storeDuring('present', 3) > 100);
  assert.ok(storeDuring('on the device', 3) > 100);
});

test('two threads fault on one private page at once: it comes back once, with up to 2 preemptions', () => {
  everySchedule(
    () => {
      const world = newKernelWorld();
      const device = plainDevice(world, 'gpu0');
      mapped(world, 1);
      store(world, BASE, 7n);
      migrate(world, device, ONE);
      const { scheduler } = world;
      const loads = ['cpu0', 'cpu1'].map((cpu) =>
        scheduler.spawn(cpu, 'load', cpuApi(world, cpu).load(addressOf(BASE))),
      );
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          for (const { result } of loads) assert.deepEqual(result, { kind: 'done', value: 7n });
          assert.equal(device.faults.length, 1);
          assertNothingLeft(world, [device], 1);
        },
      };
    },
    { preemptionsMax: 2 },
  );
});

test('a pin that races with a migration has the page or makes it stay, with up to 2 preemptions', () => {
  everySchedule(
    () => {
      const world = newKernelWorld();
      const device = plainDevice(world, 'gpu0');
      mapped(world, 1);
      store(world, BASE, 7n);
      const { scheduler } = world;
      scheduler.spawn('gpu0', 'migrate', moveToDevice(device, ONE));
      const cpu = cpuApi(world);
      const pinning = scheduler.spawn('cpu0', 'pin', cpu.pin(1, ONE, 'longterm'));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.deepEqual(pinning.result, { ok: true, value: 1 });
          const [pinned] = [...cpuThread(world, 'cpu0').pins.values()];
          assert.ok(pinned !== undefined);
          assert.deepEqual(pinned.frames, [ptePfn(pteAt(world, BASE))]);
          assert.equal(load(world, BASE), 7n);
          run(world, cpu.unpin(1));
          assertNothingLeft(world, [device], 1);
        },
      };
    },
    { preemptionsMax: 2 },
  );
});

test('munmap waits for a migration under mmap_lock, and gives everything back', () => {
  const world = newKernelWorld();
  const device = plainDevice(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  run(world, device.api.mmapReadLock());
  const open = run(world, setUp(device, ONE));
  const unmapping = world.scheduler.spawn('cpu0', 'munmap', cpuApi(world).munmap(ONE));
  world.scheduler.runFirstCome(100);
  assert.deepEqual(waitsOf(world.scheduler.blockedTasks()), ['cpu0: munmap.mmap_lock']);
  const copying = world.scheduler.spawn('gpu0', 'copy', allocAndCopy(device, open));
  runOnly(world, copying);
  run(world, device.api.migrateVmaPages(open, copying.result as MigratePfn[]));
  run(world, device.api.migrateVmaFinalize(open));
  run(world, device.api.mmapReadUnlock());
  assert.equal(unmapping.state, 'done');
  assertNothingLeft(world, [device], 0);
});
