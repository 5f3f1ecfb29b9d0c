import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../task/task.ts';
import { addressOf, pagesFrom } from '../../vocabulary/address.ts';
import { fail } from '../../vocabulary/errno.ts';
import { isOdd } from '../../vocabulary/seq.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  BASE,
  cpuApi,
  inUse,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  run,
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { moveToDevice, plainDevice } from '../plain-device.fixture.ts';
import { mirrorRead, plainMirror } from '../plain-mirror.fixture.ts';

test('[MN2] an exit tells the devices in a bracket of its own, even where nothing is mapped', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  run(world, cpuApi(world).exit());
  assert.deepEqual(
    mirror.told.map(({ event, owner }) => `${event} ${owner}`),
    ['release none'],
  );
  assert.ok(isOdd(mirror.sub.invalidateSeq));
  assert.ok(!isOdd(world.mm.subscriptions.invalidateSeq));
  // A reader that begins now does not wait for an end that has been.
  run(world, mirror.api.mmuIntervalReadBegin(mirror.sub), 'gpu0');
});

test('after exit there is nothing left, and a device that asks is told so', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  const device = plainDevice(world, 'gpu1');
  mapped(world, 2);
  store(world, BASE, 7n);
  assert.equal(run(world, mirrorRead(world, mirror, BASE), 'gpu0'), 7n);
  run(world, moveToDevice(device, pageAt(1)), 'gpu1');
  assert.ok(run(world, cpuApi(world).exit()).ok);
  assert.deepEqual([inUse(world), device.free.length, mirror.entries.size], [0, 8, 0]);
  const { api } = mirror;
  assert.equal(run(world, mirrorRead(world, mirror, BASE), 'gpu0'), 'EFAULT');
  assert.deepEqual(run(world, api.findVma(BASE)), fail('ENOENT'));
  assert.deepEqual(run(world, api.makeDeviceExclusiveRange(pageAt(0))), fail('EFAULT'));
  const request = { mm: 0, range: pageAt(0), select: 'system', faultPage: 'none' } as const;
  assert.deepEqual(run(world, api.migrateVmaSetup(request)), fail('EINVAL'));
  assert.ok(run(world, api.mmuIntervalNotifierInsert(pagesFrom(BASE, 1))).ok);
  run(world, api.mmuIntervalNotifierRemove(mirror.sub));
  assert.equal(load(world, BASE), 'SIGSEGV');
  assert.deepEqual(run(world, cpuApi(world).exit()), fail('EINVAL'));
  assertAtRest(world);
});

test('a device that reads while the process exits gets its answer, with up to 2 preemptions', () => {
  const answers = new Set<bigint | string>();
  everySchedule(
    () => {
      const world = newKernelWorld();
      const mirror = plainMirror(world, 'gpu0');
      mapped(world, 1);
      store(world, BASE, 7n);
      const { scheduler } = world;
      const reading = scheduler.spawn('gpu0', 'read', mirrorRead(world, mirror, BASE));
      scheduler.spawn('cpu0', 'exit', cpuApi(world).exit());
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          answers.add(reading.result as bigint | string);
          assert.deepEqual([inUse(world), mirror.entries.size], [0, 0]);
        },
      };
    },
    { preemptionsMax: 2 },
  );
  assert.deepEqual(answers, new Set([7n, 'EFAULT']));
});

test('a thread that maps while another ends the process leaks nothing, under every schedule', () => {
  const answers = new Set<string>();
  everySchedule(() => {
    const world = newKernelWorld();
    const { scheduler } = world;
    const [cpu0, cpu1] = [cpuApi(world, 'cpu0'), cpuApi(world, 'cpu1')];
    function* mapAndStore(): Task<string> {
      const range = pageAt(0);
      const made = yield* cpu1.mmap({ range, prot: 'rw', kind: 'anon-private' });
      const stored = yield* cpu1.store(addressOf(BASE), 7n);
      return `${made.ok ? 'OK' : made.errno}, then ${stored.kind === 'done' ? 'done' : stored.signal}`;
    }
    const mapping = scheduler.spawn('cpu1', 'mmap', mapAndStore());
    scheduler.spawn('cpu0', 'exit', cpu0.exit());
    return {
      scheduler,
      check: (stuck) => {
        assert.deepEqual(waitsOf(stuck), []);
        answers.add(mapping.result as string);
        assert.deepEqual([inUse(world), world.mm.vmas.length], [0, 0]);
      },
    };
  });
  const expected = ['EINVAL, then SIGSEGV', 'OK, then SIGSEGV', 'OK, then done'];
  assert.deepEqual([...answers].sort(), expected);
});
