/** Oracle 5: a task that can never go on is named, with the place where it waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceApi, DeviceDriver } from '../../abi/device-api.ts';
import { migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { everySchedule } from '../../kernel/every-schedule.fixture.ts';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { deviceApi } from '../../kernel/kernel-world.fixture.ts';
import { isDevicePfn } from '../../kernel/memory/frames.ts';
import { tryLockPage } from '../../kernel/memory/page-lock.ts';
import { type MirrorFlaw, mirrorFault, plainMirror } from '../../kernel/plain-mirror.fixture.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, PAGES_MAX, pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import {
  assertHealthy,
  at,
  cpu,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';
import { deviceOf, runTask, waitingFor } from '../world.ts';

/** Where the tasks of the world wait once nothing can go on. */
function waits(opened: OpenedWorld, actor: string, task: Task<unknown>): readonly string[] {
  const ran = runTask(opened.world, actor, 'test', task);
  return ran.kind === 'stuck' ? ran.waiting : [];
}

test('[OR5] a page that finalize leaves locked keeps the next fault waiting for ever', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
    return waits(opened, 'cpu0', cpu(opened).load(addressOf(at(0))));
  };
  const stock = openedWorld();
  assert.deepEqual(script(stock), []);
  assertHealthy(stock);
  const mutant = openedWorld({
    overrides: (fn: KernelFunctions) => ({
      *migrateVmaFinalize(k, migration) {
        yield* fn.migrateVmaFinalize(k, migration);
        const to = migratePfnToPfn(migration.dst[0] ?? (0 as never));
        if (to !== 'none' && isDevicePfn(to)) tryLockPage(k, to);
      },
    }),
  });
  assert.deepEqual(script(mutant), ['cpu0: test waits at do_swap_page.wait']);
});

test('[OR5] a driver that keeps its lock holds up the task that must tell it', () => {
  const script = (flaw: MirrorFlaw) => {
    const opened = openedWorld({ drivers: [] });
    const mirror = plainMirror(opened.world, 'gpu0', flaw);
    store(opened, 7n);
    runAlone(opened.world, 'gpu0', mirrorFault(opened.world, mirror, at(0), 'read'));
    runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(0), 'DONTNEED'));
    store(opened, 8n);
    return waits(opened, 'cpu0', cpu(opened).madvise(pages(0), 'DONTNEED'));
  };
  assert.deepEqual(script('none'), []);
  assert.deepEqual(script('keeps-its-lock'), ['cpu0: test waits at plain_mirror.invalidate_lock']);
});

test('[OR5] an end of an invalidation that wakes no reader loses the wake-up of a reader', () => {
  const stuckAt = (overrides: (fn: KernelFunctions) => Partial<KernelFunctions>) => {
    const places = new Set<string>();
    everySchedule(
      () => {
        const opened = openedWorld({ drivers: [], overrides });
        const { world } = opened;
        const mirror = plainMirror(world, 'gpu0');
        load(opened);
        world.scheduler.spawn('gpu0', 'fault', mirrorFault(world, mirror, at(0), 'read'));
        world.scheduler.spawn('cpu0', 'store', cpu(opened).store(addressOf(at(0)), 7n));
        return {
          scheduler: world.scheduler,
          check: (stuck) => {
            for (const task of stuck) places.add(waitingFor(task));
          },
        };
      },
      { preemptionsMax: 1 },
    );
    return [...places];
  };
  assert.deepEqual(
    stuckAt(() => ({})),
    [],
  );
  const forgetful = (fn: KernelFunctions): Partial<KernelFunctions> => ({
    *mmuNotifierInvalidateRangeEnd(k, invalidation) {
      yield* fn.mmuNotifierInvalidateRangeEnd(k, invalidation);
      const { object } = invalidation.mm.subscriptions;
      const { changed } = k.context;
      changed.splice(0, changed.length, ...changed.filter((woken) => woken !== object));
    },
  });
  assert.deepEqual(stuckAt(forgetful), ['gpu0: fault waits at mmu_interval_read_begin.wait']);
});

function takesMmapLock(api: () => DeviceApi): DeviceDriver {
  return {
    *invalidate() {
      yield* api().mmapReadLock();
      yield* api().mmapReadUnlock();
      return 'done';
    },
    *migrateToRam() {
      return { ok: true, value: undefined };
    },
    *pageFree() {},
    *release() {},
  };
}

test('[OR5] a callback that takes mmap_lock waits for the mprotect that waits for it; the order is reported', () => {
  const opened = openedWorld({ drivers: [] });
  const { world } = opened;
  const api = deviceOf(world, 'gpu0', () => driver);
  const driver = takesMmapLock(() => api);
  const all = pagesFrom(pageIndex(0), PAGES_MAX);
  assert.ok(runAlone(world, 'gpu0', api.mmuIntervalNotifierInsert(all)).ok);
  assert.equal(store(opened, 7n), 'done');
  assert.deepEqual(waits(opened, 'cpu0', cpu(opened).mprotect(pages(0), 'none')), [
    'cpu0: test waits at device.mmap_read_lock',
  ]);
  assert.equal(world.context.lockOrderViolations.length, 1);
});

test('[OR5] munmap has mmap_lock for reading by then, and such a callback comes in; the order is reported', () => {
  const opened = openedWorld({ drivers: [] });
  const { world } = opened;
  const api = deviceOf(world, 'gpu0', () => driver);
  const driver = takesMmapLock(() => api);
  const all = pagesFrom(pageIndex(0), PAGES_MAX);
  assert.ok(runAlone(world, 'gpu0', api.mmuIntervalNotifierInsert(all)).ok);
  assert.deepEqual(waits(opened, 'cpu0', cpu(opened).munmap(pages(0))), []);
  assert.equal(world.context.lockOrderViolations.length, 1);
});

test('[OR5] two devices and a CPU that want one page all get on, with up to 1 preemption', () => {
  everySchedule(
    () => {
      const opened = openedWorld({ drivers: [] });
      const { world } = opened;
      store(opened, 7n);
      for (const owner of ['gpu0', 'gpu1']) {
        const api = deviceApi(world, owner);
        world.scheduler.spawn(owner, 'exclusive', makeExclusive(api));
      }
      world.scheduler.spawn('cpu0', 'load', cpu(opened).load(addressOf(at(0))));
      return {
        scheduler: world.scheduler,
        check: (stuck) => assert.deepEqual(stuck.map(waitingFor), []),
      };
    },
    { preemptionsMax: 1 },
  );
});

function* makeExclusive(api: DeviceApi): Task<void> {
  yield* api.mmapReadLock();
  const made = yield* api.makeDeviceExclusiveRange(pages(0));
  assert.ok(made.ok);
  yield* api.unlockAndPutPages(made.value.filter((pfn) => pfn !== 'none'));
  yield* api.mmapReadUnlock();
}
