import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wake } from '../../server/task/context.ts';
import { objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import { Holds } from './holds.ts';
import { Runtime } from './runtime.ts';

const DOOR = objectId('user', 0, 7);

function newDoor(runtime: Runtime) {
  const door = { open: false };
  return {
    *pass(): Task<string> {
      yield waitUntil('door.pass', DOOR, () => door.open);
      return 'through';
    },
    unlock(): void {
      door.open = true;
      wake(runtime.context, DOOR);
      runtime.turn();
    },
  };
}

test('a task runs until it waits, and goes on in the turn after its wake', async () => {
  const runtime = new Runtime(() => undefined);
  const door = newDoor(runtime);
  const through = runtime.run('dev0', 'pass', door.pass());
  assert.equal(runtime.waiting, 1);
  door.unlock();
  assert.equal(runtime.waiting, 0);
  assert.equal(await through, 'through');
});

test('a task that throws ends alone', async () => {
  const runtime = new Runtime(() => undefined);
  const door = newDoor(runtime);
  const through = runtime.run('dev0', 'pass', door.pass());
  function* fails(): Task<void> {
    throw new RangeError('driver bug');
  }
  await assert.rejects(runtime.run('dev0', 'fails', fails()), /driver bug/);
  door.unlock();
  assert.equal(await through, 'through');
});

test('what was gathered is sent when everybody waits', () => {
  const order: string[] = [];
  const runtime = new Runtime(() => order.push('turn over'));
  function* noisy(): Task<void> {
    order.push('task');
    yield waitUntil('never', DOOR, () => false);
  }
  runtime.start('dev0', 'noisy', noisy(), () => undefined);
  assert.deepEqual(order, ['task', 'turn over']);
});

test('a task may wait for a promise', async () => {
  const runtime = new Runtime(() => undefined);
  const { promise, resolve } = Promise.withResolvers<number>();
  const waited = runtime.run('dev0', 'wait', runtime.waitFor(promise));
  resolve(7);
  assert.equal(await waited, 7);
  const failed = Promise.reject(new Error('refused'));
  await assert.rejects(runtime.run('dev0', 'wait', runtime.waitFor(failed)), /refused/);
});

test('a hold stops the next task that gets there, once, and go lets it go on', async () => {
  const held: string[] = [];
  const runtime = new Runtime(() => undefined);
  const holds = new Holds(
    runtime.context,
    (after) => held.push(after),
    () => undefined,
  );
  function* call(): Task<string> {
    yield* holds.pass('migrate_vma_setup');
    return 'went on';
  }
  holds.arm('migrate_vma_setup');
  const first = runtime.run('dev0', 'first', call());
  assert.deepEqual(held, ['migrate_vma_setup']);
  assert.equal(await runtime.run('dev0', 'second', call()), 'went on');
  holds.go();
  runtime.turn();
  assert.equal(await first, 'went on');
});

test('a hold that nobody reached is taken back by go; one for another call stops nobody', async () => {
  const held: string[] = [];
  const runtime = new Runtime(() => undefined);
  const holds = new Holds(
    runtime.context,
    (after) => held.push(after),
    () => undefined,
  );
  function* call(): Task<void> {
    yield* holds.pass('migrate_vma_pages');
  }
  holds.arm('migrate_vma_setup');
  await runtime.run('dev0', 'other', call());
  holds.arm('migrate_vma_pages');
  holds.go();
  await runtime.run('dev0', 'late', call());
  assert.deepEqual(held, []);
});
