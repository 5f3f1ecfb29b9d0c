import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Policy, Scheduler } from '../scheduler/scheduler.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import type { RuleId } from '../vocabulary/rules.ts';
import { newTaskContext, type TaskContext } from './context.ts';
import {
  assertHeld,
  type Held,
  type Lock,
  lock,
  lockNested,
  newLock,
  tryLock,
  unlock,
} from './lock.ts';
import { objectId } from './object-id.ts';
import { type Task, willWrite } from './task.ts';

const STEPS_MAX = 1_000;

function breaks(rule: RuleId, act: () => unknown): void {
  assert.throws(act, (error) => error instanceof KernelBug && error.rule === rule);
}

function newPtl(index: number): Lock<'ptl'> {
  return newLock('ptl', objectId('ptl', 0, index));
}

/** Picks by `choices`, over and over: the same choices are the same schedule. */
function byChoices(choices: readonly number[]): Policy {
  let at = 0;
  return (ready) => (choices[at++ % choices.length] as number) % ready.length;
}

const schedules = fc.array(fc.nat(7), { minLength: 1, maxLength: 30 });

/** Counts up in two steps, as `counter += 1` does not: without the lock an update gets lost. */
function* countUp(
  context: TaskContext,
  ptl: Lock<'ptl'> | 'no lock',
  counter: { value: number; inside: number },
): Task<void> {
  const held = ptl === 'no lock' ? 'no lock' : yield* lock(context, 'count.lock', ptl);
  counter.inside += 1;
  const seen = counter.value;
  yield willWrite('count.write', objectId('user', 0, 1));
  assert.ok(held === 'no lock' || counter.inside === 1);
  counter.value = seen + 1;
  counter.inside -= 1;
  if (held !== 'no lock') unlock(context, held);
}

function counted(choices: readonly number[], locked: 'locked' | 'unlocked'): number {
  const context = newTaskContext();
  const scheduler = new Scheduler(context);
  const ptl = locked === 'locked' ? newPtl(1) : 'no lock';
  const counter = { value: 0, inside: 0 };
  for (const actor of ['a', 'b', 'c'])
    scheduler.spawn(actor, actor, countUp(context, ptl, counter));
  assert.equal(scheduler.run(byChoices(choices), STEPS_MAX), 'idle');
  assert.equal(scheduler.blockedTasks().length, 0);
  return counter.value;
}

test('[LK1] a lock keeps all others out, whatever the schedule', () => {
  fc.assert(
    fc.property(schedules, (choices) => counted(choices, 'locked') === 3),
    { seed: 1, numRuns: 300 },
  );
});

test('without the lock some schedule loses an update', () => {
  const found = fc.check(
    fc.property(schedules, (choices) => counted(choices, 'unlocked') === 3),
    { seed: 1, numRuns: 300 },
  );
  assert.equal(found.failed, true);
});

test('[LK1] tryLock takes a free lock and leaves a busy one', () => {
  const context = newTaskContext();
  const ptl = newPtl(1);
  const held = tryLock(context, ptl);
  assert.ok(held !== 'busy');
  assert.equal(tryLock(context, ptl), 'busy');
  unlock(context, held);
  assert.ok(tryLock(context, ptl) !== 'busy');
});

test('[LK1] a lock step that is resumed while the lock is taken is a bug', () => {
  const context = newTaskContext();
  const ptl = newPtl(1);
  const waiting = lock(context, 'test.lock', ptl);
  waiting.next();
  assert.ok(tryLock(context, ptl) !== 'busy');
  breaks('LK1', () => waiting.next());
});

test('a second lock of one class is taken through lockNested, and waits like any other', () => {
  const context = newTaskContext();
  const scheduler = new Scheduler(context);
  const [source, target] = [newPtl(1), newPtl(2)];
  const taken = tryLock(context, target) as Held<'ptl'>;
  function* both(): Task<void> {
    const outer = yield* lock(context, 'both.source', source);
    const inner = yield* lockNested(context, 'both.target', target);
    unlock(context, inner);
    unlock(context, outer);
  }
  const task = scheduler.spawn('cpu0', 'both', both());
  scheduler.runFirstCome(STEPS_MAX);
  assert.deepEqual(scheduler.blockedTasks(), [task]);
  unlock(context, taken);
  scheduler.runFirstCome(STEPS_MAX);
  assert.equal(task.state, 'done');
  assert.deepEqual(context.lockOrderViolations, []);
});

test('[LK2] a lock is not released twice', () => {
  const context = newTaskContext();
  const held = tryLock(context, newPtl(1)) as Held<'ptl'>;
  unlock(context, held);
  breaks('LK2', () => unlock(context, held));
});

test('[LK4] a proof is good for the lock that it came from, [LK2] and only while that is held', () => {
  const context = newTaskContext();
  const mine = newPtl(1);
  const other = newPtl(2);
  const held = tryLock(context, mine) as Held<'ptl'>;
  assertHeld(held, mine);
  breaks('LK4', () => assertHeld(held, other));
  unlock(context, held);
  breaks('LK2', () => assertHeld(held, mine));
});

test('the record of who holds what follows the lock', () => {
  const context = newTaskContext();
  const ptl = newPtl(1);
  const before = context.current.held.length;
  const held = tryLock(context, ptl) as Held<'ptl'>;
  assert.equal(ptl.holder, context.current);
  assert.deepEqual(context.current.held.slice(before), [ptl]);
  unlock(context, held);
  assert.equal(ptl.holder, 'none');
  assert.equal(context.current.held.length, before);
});
