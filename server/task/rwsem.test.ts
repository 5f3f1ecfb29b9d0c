import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Policy, Scheduler } from '../scheduler/scheduler.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import { newTaskContext, type TaskContext } from './context.ts';
import { objectId } from './object-id.ts';
import {
  downgradeWrite,
  type HeldForRead,
  type HeldForWrite,
  newRwSem,
  type RwSem,
  readLock,
  readUnlock,
  writeLock,
  writeUnlock,
} from './rwsem.ts';
import { type Task, waitUntil, willWrite } from './task.ts';

const STEPS_MAX = 1_000;
const IN_TURN: Policy = () => 0;

interface World {
  readonly context: TaskContext;
  readonly scheduler: Scheduler;
  readonly sem: RwSem;
  /** What happened, in order. */
  readonly log: string[];
  readonly inside: { readers: number; writers: number };
}

function newWorld(): World {
  const context = newTaskContext();
  return {
    context,
    scheduler: new Scheduler(context),
    sem: newRwSem('mmap_lock', objectId('mmap_lock', 0, 0)),
    log: [],
    inside: { readers: 0, writers: 0 },
  };
}

const stay = objectId('user', 0, 1);

function* reader(world: World, name: string): Task<void> {
  const held = yield* readLock(world.context, 'reader.lock', world.sem);
  world.inside.readers += 1;
  assert.equal(world.inside.writers, 0);
  world.log.push(`${name} in`);
  yield willWrite('reader.stay', stay);
  world.log.push(`${name} out`);
  world.inside.readers -= 1;
  readUnlock(world.context, held);
}

function* writer(world: World, name: string): Task<void> {
  const held = yield* writeLock(world.context, 'writer.lock', world.sem);
  world.inside.writers += 1;
  assert.deepEqual(world.inside, { readers: 0, writers: 1 });
  world.log.push(`${name} in`);
  yield willWrite('writer.stay', stay);
  world.log.push(`${name} out`);
  world.inside.writers -= 1;
  writeUnlock(world.context, held);
}

test('[LK1] readers share, a writer is alone, and no task is left waiting, whatever the schedule', () => {
  const schedule = fc.array(fc.nat(7), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(schedule, (choices) => {
      const world = newWorld();
      world.scheduler.spawn('r1', 'r1', reader(world, 'r1'));
      world.scheduler.spawn('w1', 'w1', writer(world, 'w1'));
      world.scheduler.spawn('r2', 'r2', reader(world, 'r2'));
      world.scheduler.spawn('w2', 'w2', writer(world, 'w2'));
      let at = 0;
      const policy: Policy = (ready) => (choices[at++ % choices.length] as number) % ready.length;
      assert.equal(world.scheduler.run(policy, STEPS_MAX), 'idle');
      assert.deepEqual(world.scheduler.blockedTasks(), []);
      assert.equal(world.log.length, 8);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('[LK1] two readers are inside at the same time', () => {
  const world = newWorld();
  world.scheduler.spawn('r1', 'r1', reader(world, 'r1'));
  world.scheduler.spawn('r2', 'r2', reader(world, 'r2'));
  world.scheduler.run(IN_TURN, STEPS_MAX);
  assert.deepEqual(world.log, ['r1 in', 'r2 in', 'r1 out', 'r2 out']);
});

test('a writer that waits holds up the readers that came after it, and only those', () => {
  const world = newWorld();
  const { context, scheduler, sem } = world;
  const gate = objectId('user', 0, 2);
  let open = false;
  function* first(): Task<void> {
    const held = yield* readLock(context, 'first.lock', sem);
    yield waitUntil('first.stay', gate, () => open);
    world.log.push('first out');
    readUnlock(context, held);
  }
  scheduler.spawn('first', 'first', first());
  scheduler.run(IN_TURN, STEPS_MAX); // 1. a reader is inside
  scheduler.spawn('w', 'w', writer(world, 'w'));
  scheduler.run(IN_TURN, STEPS_MAX); // 2. a writer waits for it
  scheduler.spawn('late', 'late', reader(world, 'late'));
  scheduler.run(IN_TURN, STEPS_MAX); // 3. a reader comes; it could share, but it is not its turn
  assert.deepEqual(world.log, []);
  assert.deepEqual(
    scheduler.blockedTasks().map((task) => task.identity.name),
    ['first', 'w', 'late'],
  );
  open = true;
  context.changed.push(gate);
  scheduler.runFirstCome(STEPS_MAX);
  assert.deepEqual(world.log, ['first out', 'w in', 'w out', 'late in', 'late out']);
});

test('readers that queue behind a writer come in together once it is out', () => {
  const world = newWorld();
  world.scheduler.spawn('w', 'w', writer(world, 'w'));
  world.scheduler.run(IN_TURN, 2); // 1. the writer is inside
  world.scheduler.spawn('r1', 'r1', reader(world, 'r1'));
  world.scheduler.spawn('r2', 'r2', reader(world, 'r2'));
  world.scheduler.run(IN_TURN, STEPS_MAX);
  assert.deepEqual(world.log, ['w in', 'w out', 'r1 in', 'r2 in', 'r1 out', 'r2 out']);
});

test('a task that read-locks twice deadlocks on a writer in between, as in the kernel', () => {
  const { context, scheduler, sem, ...world } = newWorld();
  function* twice(): Task<void> {
    yield* readLock(context, 'twice.first', sem);
    yield willWrite('twice.between', stay);
    yield* readLock(context, 'twice.second', sem);
  }
  const nested = scheduler.spawn('twice', 'twice', twice());
  scheduler.step(nested);
  scheduler.step(nested); // 1. holds it once
  scheduler.spawn('w', 'w', writer({ context, scheduler, sem, ...world }, 'w'));
  scheduler.run((ready) => ready.length - 1, STEPS_MAX); // 2. a writer queues, then the reader comes again
  assert.deepEqual(
    scheduler.blockedTasks().map((task) => task.identity.name),
    ['twice', 'w'],
  );
});

test('[LK2] a task releases only what it holds', () => {
  const { context, scheduler, sem } = newWorld();
  function* once(): Task<HeldForRead> {
    return yield* readLock(context, 'once.lock', sem);
  }
  const task = scheduler.spawn('a', 'a', once());
  scheduler.run(IN_TURN, STEPS_MAX);
  const held = task.result as HeldForRead;
  readUnlock(context, held);
  const refused = (error: unknown) => error instanceof KernelBug && error.rule === 'LK2';
  assert.throws(() => readUnlock(context, held), refused);
  assert.throws(() => writeUnlock(context, { sem, writer: context.current }), refused);
});

test('another task may release a read lock, and the record follows the one that took it', () => {
  const { context, scheduler, sem } = newWorld();
  const taker = scheduler.spawn('a', 'taker', readLock(context, 'taker.lock', sem));
  scheduler.run(IN_TURN, STEPS_MAX);
  assert.deepEqual(taker.identity.held, [sem]);
  function* release(): Task<void> {
    readUnlock(context, taker.result as HeldForRead);
  }
  scheduler.spawn('a', 'releaser', release());
  scheduler.run(IN_TURN, STEPS_MAX);
  assert.deepEqual(taker.identity.held, []);
  assert.deepEqual(sem.readers, []);
});

/** Holds it alone, then with others. */
function* downgrader(world: World, name: string): Task<void> {
  const held = yield* writeLock(world.context, 'downgrader.lock', world.sem);
  assert.deepEqual(world.inside, { readers: 0, writers: 0 });
  world.log.push(`${name} in`);
  yield willWrite('downgrader.alone', stay);
  const reader = downgradeWrite(world.context, held);
  world.inside.readers += 1;
  world.log.push(`${name} shares`);
  yield willWrite('downgrader.shared', stay);
  assert.equal(world.inside.writers, 0);
  world.inside.readers -= 1;
  world.log.push(`${name} out`);
  readUnlock(world.context, reader);
}

test('[LK1] a writer that downgrades lets readers in and no writer, whatever the schedule', () => {
  const schedule = fc.array(fc.nat(7), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(schedule, (choices) => {
      const world = newWorld();
      world.scheduler.spawn('d', 'd', downgrader(world, 'd'));
      world.scheduler.spawn('r1', 'r1', reader(world, 'r1'));
      world.scheduler.spawn('w1', 'w1', writer(world, 'w1'));
      world.scheduler.spawn('r2', 'r2', reader(world, 'r2'));
      let at = 0;
      const policy: Policy = (ready) => (choices[at++ % choices.length] as number) % ready.length;
      assert.equal(world.scheduler.run(policy, STEPS_MAX), 'idle');
      assert.deepEqual(world.scheduler.blockedTasks(), []);
      assert.equal(world.log.length, 9);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a downgrade lets in the readers that came before the first writer, and not those behind it', () => {
  const world = newWorld();
  const { scheduler } = world;
  const one = scheduler.spawn('d', 'd', downgrader(world, 'd'));
  scheduler.step(one);
  scheduler.step(one); // 1. it is alone
  for (const name of ['r1', 'w1', 'r2']) {
    const task = name === 'w1' ? writer(world, name) : reader(world, name);
    scheduler.step(scheduler.spawn(name, name, task)); // 2. they queue
  }
  scheduler.run(IN_TURN, STEPS_MAX);
  assert.deepEqual(world.log.slice(0, 3), ['d in', 'd shares', 'd out']);
  assert.deepEqual(world.log.slice(3), ['r1 in', 'r1 out', 'w1 in', 'w1 out', 'r2 in', 'r2 out']);
});

test('[LK2] who holds it no more cannot downgrade it', () => {
  const { context, scheduler, sem } = newWorld();
  const task = scheduler.spawn('a', 'a', writeLock(context, 'a.lock', sem));
  scheduler.run(IN_TURN, STEPS_MAX);
  const held = task.result as HeldForWrite;
  const reader = downgradeWrite(context, held);
  assert.throws(() => downgradeWrite(context, held), { rule: 'LK2' });
  assert.deepEqual(task.identity.held, [sem]);
  readUnlock(context, reader);
  assert.deepEqual(task.identity.held, []);
});
