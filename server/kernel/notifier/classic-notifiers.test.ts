import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceApi, MmuNotifier, MmuNotifierOps } from '../../abi/device-api.ts';
import { wake } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import type { Task } from '../../task/task.ts';
import { waitUntil, willWrite } from '../../task/task.ts';
import type { KernelBug } from '../../vocabulary/invariant.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import type { InvalidationRequest } from '../kernel.ts';
import {
  assertAtRest,
  cpuApi,
  deviceApi,
  type KernelWorld,
  mapped,
  newKernelWorld,
  pageAt,
  run,
  runUntil,
  waitsOf,
} from '../kernel-world.fixture.ts';

const GATE = objectId('user', 0, 1);

interface Heard {
  readonly order: string[];
}

/** A driver that writes down what it hears under its name. */
function ops(
  heard: Heard,
  name: string,
): Required<Omit<MmuNotifierOps, 'invalidateSecondaryTlbs'>> {
  return {
    *invalidateRangeStart() {
      heard.order.push(`${name} start`);
      return 'done';
    },
    *invalidateRangeEnd() {
      heard.order.push(`${name} end`);
    },
  };
}

function listening(
  world: KernelWorld,
  heard: Heard,
  name: string,
  its?: MmuNotifierOps,
): DeviceApi {
  return deviceApi(world, name, {
    mmuNotifier: its ?? ops(heard, name),
    *release() {
      heard.order.push(`${name} release`);
    },
    *invalidate() {
      heard.order.push(`${name} invalidate`);
      return 'done';
    },
  });
}

function register(world: KernelWorld, api: DeviceApi): MmuNotifier {
  const made = run(world, api.mmuNotifierRegister(), api.owner);
  return made.ok ? made.value : assert.fail(made.errno);
}

function request(blocking: InvalidationRequest['blocking'] = 'blockable'): InvalidationRequest {
  return { event: 'clear', range: pageAt(0), owner: 'none', blocking };
}

function* bracket({ kernel, mm }: KernelWorld, asked = request()): Task<string> {
  const opened = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, asked);
  if (!opened.ok) return opened.errno;
  yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, opened.value);
  return 'OK';
}

test('the interval tree is served first, then the notifiers, the last one to register before the others', () => {
  const world = newKernelWorld();
  const heard: Heard = { order: [] };
  register(world, listening(world, heard, 'a'));
  register(world, listening(world, heard, 'b'));
  const interval = listening(world, heard, 'c');
  assert.ok(run(world, interval.mmuIntervalNotifierInsert(pageAt(0))).ok);
  assert.equal(run(world, bracket(world)), 'OK');
  assert.deepEqual(heard.order, ['c invalidate', 'b start', 'a start', 'b end', 'a end']);
  assertAtRest(world);
});

test('all hear of a start that one refuses, and those with an end hear that it is off', () => {
  const world = newKernelWorld();
  const heard: Heard = { order: [] };
  register(world, listening(world, heard, 'counts'));
  const refuses: MmuNotifierOps = {
    *invalidateRangeStart({ blocking }) {
      heard.order.push('refuses start');
      return blocking === 'blockable' ? 'done' : 'again';
    },
  };
  register(world, listening(world, heard, 'refuses', refuses));
  assert.equal(run(world, bracket(world, request('non-blockable'))), 'EAGAIN');
  assert.deepEqual(heard.order, ['refuses start', 'counts start', 'counts end']);
  heard.order.length = 0;
  assert.equal(run(world, bracket(world)), 'OK');
  assert.deepEqual(heard.order, ['refuses start', 'counts start', 'counts end']);
});

test('what the interval tree refuses no notifier hears of', () => {
  const world = newKernelWorld();
  const heard: Heard = { order: [] };
  register(world, listening(world, heard, 'a'));
  const api = deviceApi(world, 'busy', {
    *invalidate() {
      return 'again';
    },
  });
  assert.ok(run(world, api.mmuIntervalNotifierInsert(pageAt(0))).ok);
  assert.equal(run(world, bracket(world, request('non-blockable'))), 'EAGAIN');
  assert.deepEqual(heard.order, []);
  assertAtRest(world);
});

test('a refusal of a notifier leaves the bracket of the interval tree open, as in Linux', () => {
  const world = newKernelWorld();
  const heard: Heard = { order: [] };
  const refuses: MmuNotifierOps = {
    *invalidateRangeStart() {
      return 'again';
    },
  };
  const api = listening(world, heard, 'both', refuses);
  register(world, api);
  const sub = run(world, api.mmuIntervalNotifierInsert(pageAt(0)));
  assert.ok(sub.ok);
  assert.equal(run(world, bracket(world, request('non-blockable'))), 'EAGAIN');
  assert.equal(world.mm.subscriptions.activeInvalidateRanges, 1);
});

test('MN5: unregister calls release() and waits for a callback that is under way', () => {
  const world = newKernelWorld();
  const heard: Heard = { order: [] };
  let open = false;
  const slow: MmuNotifierOps = {
    *invalidateRangeStart() {
      yield waitUntil('test.gate', GATE, () => open);
      return 'done';
    },
  };
  const api = listening(world, heard, 'slow', slow);
  const notifier = register(world, api);
  const invalidating = world.scheduler.spawn('cpu0', 'bracket', bracket(world));
  runUntil(world, invalidating, 'test.gate');
  const leaving = world.scheduler.spawn('slow', 'leave', api.mmuNotifierUnregister(notifier));
  world.scheduler.runFirstCome(1_000);
  assert.deepEqual(heard.order, ['slow release']);
  const waits = waitsOf(world.scheduler.blockedTasks());
  assert.deepEqual(waits.sort(), ['cpu0: test.gate', 'slow: synchronize_srcu.wait']);
  open = true;
  wake(world.context, GATE);
  world.scheduler.runFirstCome(1_000);
  assert.equal(leaving.state, 'done');
  heard.order.length = 0;
  assert.equal(run(world, bracket(world)), 'OK');
  assert.deepEqual(heard.order, []);
});

test('MN5: whatever the order nobody is called after an unregister, but without the grace period', () => {
  const build = (overrides: Parameters<typeof newKernelWorld>[0] = {}) => {
    const world = newKernelWorld(overrides);
    const slow: MmuNotifierOps = {
      *invalidateRangeStart() {
        yield willWrite('test.works', GATE);
        return 'done';
      },
    };
    const api = listening(world, { order: [] }, 'a', slow);
    const notifier = register(world, api);
    const neighbour = register(world, listening(world, { order: [] }, 'b'));
    assert.ok(neighbour.id > notifier.id);
    world.scheduler.spawn('cpu0', 'bracket', bracket(world));
    world.scheduler.spawn('a', 'leave', api.mmuNotifierUnregister(notifier));
    return {
      scheduler: world.scheduler,
      check: (stuck: readonly unknown[]) => assert.equal(stuck.length, 0),
    };
  };
  assert.ok(everySchedule(() => build()) > 100);
  const noGrace = { overrides: { *synchronizeSrcu() {} } };
  assert.throws(
    () => everySchedule(() => build(noGrace)),
    (error: Error) => /MN5/.test(`${error.message} ${(error.cause as KernelBug)?.rule}`),
  );
});

test('registering waits for a bracket that is opened under mmap_lock', () => {
  const heardAlone: Heard = { order: [] };
  everySchedule(
    () => {
      const world = newKernelWorld();
      const heard: Heard = { order: [] };
      const range = mapped(world, 1);
      const api = listening(world, heard, 'a');
      world.scheduler.spawn('cpu0', 'madvise', cpuApi(world).madvise(range, 'DONTNEED'));
      world.scheduler.spawn('a', 'register', api.mmuNotifierRegister());
      return {
        scheduler: world.scheduler,
        check() {
          assert.ok(['', 'a start,a end'].includes(heard.order.join()), heard.order.join());
          heardAlone.order.push(heard.order.join());
        },
      };
    },
    { schedulesMax: 200_000 },
  );
  assert.deepEqual([...new Set(heardAlone.order)].sort(), ['', 'a start,a end']);
});

test('exit releases each notifier once, and whoever takes it back later waits for nothing', () => {
  const world = newKernelWorld();
  const heard: Heard = { order: [] };
  const api = listening(world, heard, 'a');
  const notifier = register(world, api);
  run(world, world.kernel.fn.mmput(world.kernel, world.mm));
  assert.deepEqual(heard.order, ['a release']);
  run(world, api.mmuNotifierUnregister(notifier));
  assert.deepEqual(heard.order, ['a release']);
  const late = run(world, listening(world, heard, 'late').mmuNotifierRegister());
  assert.equal(late.ok, false);
});

test('a driver that has nothing to call is not registered', () => {
  const world = newKernelWorld();
  assert.equal(run(world, deviceApi(world, 'a').mmuNotifierRegister()).ok, false);
});
