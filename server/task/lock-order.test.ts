import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext, type TaskContext } from './context.ts';
import { lock, newLock, tryLock, unlock } from './lock.ts';
import { LOCK_ORDER, type LockClass } from './lock-class.ts';
import { objectId } from './object-id.ts';
import { newRwSem, readLock } from './rwsem.ts';
import type { Task } from './task.ts';
import { together } from './together.ts';

const STEPS_MAX = 1_000;

function newLockOf(lockClass: LockClass, index: number) {
  return newLock(lockClass, objectId('user', 0, index));
}

/** Takes a lock of each class, in turn, while holding those before. */
function* nest(context: TaskContext, classes: readonly LockClass[]): Task<void> {
  for (const [at, lockClass] of classes.entries()) {
    yield* lock(context, `nest.${lockClass}`, newLockOf(lockClass, at));
  }
}

function violationsOf(make: (context: TaskContext) => Task<unknown>) {
  const context = newTaskContext();
  const scheduler = new Scheduler(context);
  scheduler.spawn('cpu0', 'test', make(context));
  assert.equal(
    scheduler.run(() => 0, STEPS_MAX),
    'idle',
  );
  assert.deepEqual(scheduler.blockedTasks(), []);
  return context.lockOrderViolations.map(({ at, outer, wanted }) => ({
    at,
    outer: outer.class,
    wanted: wanted.class,
  }));
}

test('[LK3] all locks may be held at once if they are taken in order', () => {
  assert.deepEqual(
    violationsOf((context) => nest(context, LOCK_ORDER)),
    [],
  );
});

test('[LK3] each pair in the wrong order is reported, though nothing deadlocks', () => {
  for (const [at, outer] of LOCK_ORDER.entries()) {
    for (const wanted of LOCK_ORDER.slice(0, at + 1)) {
      assert.deepEqual(
        violationsOf((context) => nest(context, [outer, wanted])),
        [{ at: `nest.${wanted}`, outer, wanted }],
      );
    }
  }
});

test('[LK3] a lock that was released does not count', () => {
  const found = violationsOf(function* (context) {
    unlock(context, yield* lock(context, 'test.inner', newLockOf('ptl', 1)));
    yield* lock(context, 'test.outer', newLockOf('mmap_lock', 2));
  });
  assert.deepEqual(found, []);
});

test('[LK3] a read lock counts like any other', () => {
  const found = violationsOf(function* (context) {
    yield* lock(context, 'test.inner', newLockOf('driver_lock', 1));
    yield* readLock(context, 'test.outer', newRwSem('mmap_lock', objectId('mmap_lock', 0, 0)));
  });
  assert.deepEqual(found, [{ at: 'test.outer', outer: 'driver_lock', wanted: 'mmap_lock' }]);
});

test('[LK3] a callback runs under the locks of the task that waits for it', () => {
  const found = violationsOf(function* (context) {
    yield* lock(context, 'test.ptl', newLockOf('ptl', 1));
    const callback = lock(context, 'test.callback', newLockOf('driver_lock', 2));
    yield* together(context, 'test.call', [{ actor: 'dev0', name: 'callback', task: callback }]);
  });
  assert.deepEqual(found, [{ at: 'test.callback', outer: 'ptl', wanted: 'driver_lock' }]);
});

test('[LK3] a class of user code stands behind the one that it names, and beside others there', () => {
  const order: LockClass[] = [
    'mmap_lock',
    'mmap_lock/range_lock',
    'mmap_lock/range_lock/entry_lock',
    'page_lock',
  ];
  assert.deepEqual(
    violationsOf((context) => nest(context, order)),
    [],
  );
  const wrong: [LockClass, LockClass][] = [
    ['page_lock', 'mmap_lock/range_lock'],
    ['mmap_lock/range_lock', 'mmap_lock'],
    ['mmap_lock/range_lock', 'mmap_lock/other_lock'],
  ];
  for (const [outer, wanted] of wrong) {
    assert.deepEqual(
      violationsOf((context) => nest(context, [outer, wanted])),
      [{ at: `nest.${wanted}`, outer, wanted }],
    );
  }
  assert.throws(
    () => violationsOf((context) => nest(context, ['ptl', 'my_lock' as LockClass])),
    /no lock class "my_lock"; .* "mmap_lock\/my_lock"/,
  );
});

test('a trylock may come in any order: it does not wait', () => {
  const found = violationsOf(function* (context) {
    yield* lock(context, 'test.inner', newLockOf('ptl', 1));
    assert.ok(tryLock(context, newLockOf('page_lock', 2)) !== 'busy');
  });
  assert.deepEqual(found, []);
});
