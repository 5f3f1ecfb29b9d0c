import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '../../vocabulary/errno.ts';
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
} from '../kernel-world.fixture.ts';
import { mirrorRead, plainMirror } from '../plain-mirror.fixture.ts';

test('what a process maps stays while a device has a reference, and goes with it', () => {
  const world = newKernelWorld();
  const mirror = plainMirror(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  assert.equal(run(world, mirror.api.mmgetNotZero(), 'gpu0'), true);
  assert.ok(run(world, cpuApi(world).exit()).ok);
  assert.deepEqual(
    mirror.told.map(({ event }) => event),
    [],
  );
  assert.equal(run(world, mirrorRead(world, mirror, BASE), 'gpu0'), 7n);
  // The process itself is gone.
  assert.equal(load(world, BASE), 'SIGSEGV');
  assert.deepEqual(run(world, cpuApi(world).munmap(pageAt(0))), fail('EINVAL'));
  run(world, mirror.api.mmput(), 'gpu0');
  assert.deepEqual(
    mirror.told.map(({ event }) => event),
    ['release', 'unmap'],
  );
  assert.equal(inUse(world), 0);
  assert.equal(run(world, mirror.api.mmgetNotZero(), 'gpu0'), false);
  assertAtRest(world);
});

test('mmput_async() returns at once, and a worker takes the address space down', () => {
  const world = newKernelWorld();
  const { api, told } = plainMirror(world, 'gpu0');
  mapped(world, 1);
  store(world, BASE, 7n);
  run(world, api.mmgetNotZero(), 'gpu0');
  run(world, cpuApi(world).exit());
  const put = world.scheduler.spawn('gpu0', 'put', api.mmputAsync());
  while (put.state !== 'done') world.scheduler.step(put);
  assert.equal(told.length, 0);
  const actors = world.scheduler.readyTasks().map(({ identity }) => identity.actor);
  assert.deepEqual(actors, ['kworker']);
  world.scheduler.runFirstCome(10_000);
  assert.equal(told.length, 2);
  assert.equal(inUse(world), 0);
  assertAtRest(world);
});

test('[MM1] a reference that was not taken cannot be dropped', () => {
  const world = newKernelWorld();
  const { api } = plainMirror(world, 'gpu0');
  run(world, cpuApi(world).exit());
  assert.throws(() => run(world, api.mmput(), 'gpu0'), /MM1/);
});

test('[MM2] an address space that has gone cannot be given a user', () => {
  const world = newKernelWorld();
  const { api } = plainMirror(world, 'gpu0');
  run(world, cpuApi(world).exit());
  world.mm.users += 1;
  assert.throws(() => run(world, api.mmput(), 'gpu0'), /MM2/);
});

test('whoever comes last takes the address space down, once, in every order', () => {
  const ends = new Set<string>();
  const schedules = everySchedule(() => {
    const world = newKernelWorld();
    const { api, told } = plainMirror(world, 'gpu0');
    mapped(world, 1);
    store(world, BASE, 7n);
    let taken = false;
    world.scheduler.spawn('cpu0', 'exit', cpuApi(world).exit());
    world.scheduler.spawn(
      'gpu0',
      'use',
      (function* () {
        taken = yield* api.mmgetNotZero();
        if (taken) yield* api.mmput();
      })(),
    );
    return {
      scheduler: world.scheduler,
      check: (stuck) => {
        assert.deepEqual(stuck, []);
        assert.equal(told.filter(({ event }) => event === 'release').length, 1);
        assert.equal(inUse(world), 0);
        assertAtRest(world);
        ends.add(`${taken}`);
      },
    };
  });
  assert.deepEqual([...ends].sort(), ['false', 'true']);
  assert.ok(schedules > 10);
});
