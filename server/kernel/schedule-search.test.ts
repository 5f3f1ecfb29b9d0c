/** The search that the other tests rely on, shown to visit everything and to find what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext } from '../task/context.ts';
import { lock, newLock, unlock } from '../task/lock.ts';
import { objectId } from '../task/object-id.ts';
import { type Task, willRead, willWrite } from '../task/task.ts';
import {
  type Execution,
  everySchedule,
  type SearchBound,
  someSchedules,
} from './every-schedule.fixture.ts';

const x = objectId('user', 0, 1);

function* walk(seen: string[], letter: string, steps: number): Task<void> {
  for (let step = 1; step < steps; step += 1) {
    seen.push(letter);
    yield willRead('walk.step', x);
  }
  seen.push(letter);
}

/** Every order in which the tasks a, b, ... of that many steps were seen. */
function ordersOf(steps: readonly number[], bound: SearchBound = {}): string[] {
  const orders: string[] = [];
  everySchedule(() => {
    const scheduler = new Scheduler(newTaskContext());
    const seen: string[] = [];
    for (const [index, count] of steps.entries()) {
      const letter = 'abc'.charAt(index);
      scheduler.spawn(letter, letter, walk(seen, letter, count));
    }
    return { scheduler, check: () => orders.push(seen.join('')) };
  }, bound);
  return orders;
}

test('every interleaving is visited, and none twice', () => {
  assert.deepEqual(ordersOf([1, 2]).sort(), ['abb', 'bab', 'bba']);
  // 6! / (2! 2! 2!) and 8! / (4! 4!)
  for (const [steps, count] of [[[2, 2, 2], 90] as const, [[4, 4], 70] as const]) {
    const orders = ordersOf(steps);
    assert.equal(orders.length, count);
    assert.equal(new Set(orders).size, count);
  }
});

test('a bound on preemptions leaves the schedules with fewer switches, and ends of tasks are free', () => {
  assert.deepEqual(ordersOf([2, 2], { preemptionsMax: 0 }).sort(), ['aabb', 'bbaa']);
  assert.deepEqual(ordersOf([2, 2], { preemptionsMax: 1 }).sort(), [
    'aabb',
    'abba',
    'baab',
    'bbaa',
  ]);
  assert.equal(ordersOf([2, 2], { preemptionsMax: 2 }).length, 6);
});

/** Two tasks add one to a counter, read and write a step apart. */
function lostUpdate(): Execution {
  const scheduler = new Scheduler(newTaskContext());
  let counter = 0;
  function* increment(): Task<void> {
    yield willRead('increment.read', x);
    const seen = counter;
    yield willWrite('increment.write', x);
    counter = seen + 1;
  }
  for (const name of ['a', 'b']) scheduler.spawn(name, 'increment', increment());
  return { scheduler, check: () => assert.equal(counter, 2) };
}

test('a lost update is found, and told step by step', () => {
  assert.throws(
    () => everySchedule(lostUpdate),
    /under this schedule:\n {2}a increment: task.start\n {2}a increment: increment.read\n/,
  );
  assert.throws(() => someSchedules(lostUpdate, 20, 1), /under this schedule/);
  assert.equal(everySchedule(lostUpdate, { preemptionsMax: 0 }), 2);
});

test('two locks taken in two orders get stuck in some schedules and not in others', () => {
  const stuckTasks: number[] = [];
  everySchedule(() => {
    const context = newTaskContext();
    const scheduler = new Scheduler(context);
    const [one, two] = [1, 2].map((index) => newLock('driver_lock', objectId('user', 0, index)));
    assert.ok(one !== undefined && two !== undefined);
    function* both(first: typeof one, second: typeof one): Task<void> {
      assert.ok(first !== undefined && second !== undefined);
      const outer = yield* lock(context, 'both.outer', first);
      const inner = yield* lock(context, 'both.inner', second);
      unlock(context, inner);
      unlock(context, outer);
    }
    scheduler.spawn('a', 'a', both(one, two));
    scheduler.spawn('b', 'b', both(two, one));
    return { scheduler, check: (stuck) => stuckTasks.push(stuck.length) };
  });
  assert.deepEqual([...new Set(stuckTasks)].sort(), [0, 2]);
});

test('a world that differs from execution to execution is refused', () => {
  let executions = 0;
  assert.throws(
    () =>
      everySchedule(() => {
        executions += 1;
        const scheduler = new Scheduler(newTaskContext());
        for (let index = 0; index < 1 + executions; index += 1) {
          scheduler.spawn('a', 'a', walk([], 'a', 1));
        }
        return { scheduler, check: () => undefined };
      }),
    /the same choices led somewhere else/,
  );
});

test('more schedules than the bound allows are no result', () => {
  assert.throws(() => ordersOf([4, 4], { schedulesMax: 69 }), /more than 69 schedules/);
});
