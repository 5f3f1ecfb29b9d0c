import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newTaskContext, serial, type TaskContext, wake } from '../task/context.ts';
import { lock, newLock, unlock } from '../task/lock.ts';
import { objectId } from '../task/object-id.ts';
import { type Task, waitUntil, willRead, willWrite } from '../task/task.ts';
import { together } from '../task/together.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import { type Policy, Scheduler } from './scheduler.ts';

const STEPS_MAX = 1_000;
const OLDEST: Policy = () => 0;
const x = objectId('user', 0, 1);

interface World {
  readonly context: TaskContext;
  readonly scheduler: Scheduler;
  /** `task yield-point`, one a step. */
  readonly trace: string[];
}

function newWorld(): World {
  const context = newTaskContext();
  const trace: string[] = [];
  const scheduler = new Scheduler(context, (task, step) =>
    trace.push(`${task.identity.name} ${step.at}`),
  );
  return { context, scheduler, trace };
}

function* walk(steps: number): Task<void> {
  for (let at = 0; at < steps; at += 1) yield willRead(`walk.step${at}`, x);
}

test('nothing of a task runs before the policy picks it, and its first step is task.start', () => {
  const { scheduler, trace } = newWorld();
  let begun = 0;
  function* eager(): Task<void> {
    begun += 1;
    yield willRead('eager.read', x);
  }
  const task = scheduler.spawn('cpu0', 'eager', eager());
  assert.equal(begun, 0);
  assert.equal(task.pending.at, 'task.start');
  scheduler.step(task);
  assert.equal(begun, 1);
  assert.equal(task.pending.at, 'eager.read');
  assert.deepEqual(trace, ['eager task.start']);
});

test('the policy chooses which task goes next, and is asked before every step', () => {
  const { scheduler, trace } = newWorld();
  scheduler.spawn('cpu0', 'a', walk(1));
  scheduler.spawn('cpu1', 'b', walk(1));
  const asked: number[] = [];
  const youngest: Policy = (ready) => {
    asked.push(ready.length);
    return ready.length - 1;
  };
  assert.equal(scheduler.run(youngest, STEPS_MAX), 'idle');
  assert.deepEqual(trace, ['b task.start', 'b walk.step0', 'a task.start', 'a walk.step0']);
  assert.deepEqual(asked, [2, 2, 1, 1]);
  assert.equal(scheduler.steps, 4);
});

test('first come, first served runs a task until it waits or ends', () => {
  const { context, scheduler, trace } = newWorld();
  let open = false;
  function* wait(): Task<void> {
    yield waitUntil('wait.gate', x, () => open);
    yield willRead('wait.after', x);
  }
  function* opens(): Task<void> {
    yield willWrite('opens.gate', x);
    open = true;
    wake(context, x);
    yield willRead('opens.after', x);
  }
  scheduler.spawn('cpu0', 'a', walk(2));
  scheduler.spawn('cpu1', 'b', wait());
  scheduler.spawn('cpu2', 'c', opens());
  assert.equal(scheduler.runFirstCome(STEPS_MAX), 'idle');
  assert.deepEqual(trace, [
    'a task.start',
    'a walk.step0',
    'a walk.step1',
    'b task.start',
    'c task.start',
    'c opens.gate',
    'c opens.after',
    'b wait.gate',
    'b wait.after',
  ]);
});

test('a step limit stops both ways of running, and the run goes on where it was', () => {
  for (const way of ['policy', 'first come'] as const) {
    const { scheduler, trace } = newWorld();
    scheduler.spawn('cpu0', 'a', walk(3));
    const run = (steps: number) =>
      way === 'policy' ? scheduler.run(OLDEST, steps) : scheduler.runFirstCome(steps);
    assert.equal(run(2), 'steps-used-up');
    assert.equal(trace.length, 2);
    assert.equal(run(2), 'idle');
    assert.deepEqual(trace.slice(2), ['a walk.step1', 'a walk.step2']);
  }
});

test('[SC2] a task that waits is not among the ready ones and cannot be resumed', () => {
  const { context, scheduler } = newWorld();
  let open = false;
  function* wait(): Task<void> {
    yield waitUntil('wait.gate', x, () => open);
  }
  const task = scheduler.spawn('cpu0', 'a', wait());
  scheduler.step(task);
  assert.deepEqual(scheduler.readyTasks(), []);
  assert.deepEqual(scheduler.blockedTasks(), [task]);
  const refused = (error: unknown) => error instanceof KernelBug && error.rule === 'SC2';
  assert.throws(() => scheduler.step(task), refused);
  open = true;
  wake(context, x);
  scheduler.runFirstCome(STEPS_MAX);
  assert.equal(task.state, 'done');
  assert.throws(() => scheduler.step(task), refused);
});

test('[SC2] a policy that chooses no task is a bug', () => {
  const { scheduler } = newWorld();
  scheduler.spawn('cpu0', 'a', walk(1));
  const refused = (error: unknown) => error instanceof KernelBug && error.rule === 'SC2';
  assert.throws(() => scheduler.run(() => 7, STEPS_MAX), refused);
});

test('a wake on another object, or before the condition holds, wakes no task', () => {
  const { context, scheduler } = newWorld();
  const y = objectId('user', 0, 2);
  let open = false;
  function* wait(): Task<void> {
    yield waitUntil('wait.gate', x, () => open);
  }
  const task = scheduler.spawn('cpu0', 'a', wait());
  scheduler.runFirstCome(STEPS_MAX);
  wake(context, x);
  scheduler.runFirstCome(STEPS_MAX);
  assert.equal(task.state, 'blocked');
  open = true;
  wake(context, y);
  scheduler.runFirstCome(STEPS_MAX);
  assert.equal(task.state, 'blocked');
  wake(context, x);
  scheduler.runFirstCome(STEPS_MAX);
  assert.equal(task.state, 'done');
});

test('a lock that was taken meanwhile takes its waiters off the ready list', () => {
  const { context, scheduler } = newWorld();
  const ptl = newLock('ptl', objectId('ptl', 0, 0));
  function* hold(): Task<void> {
    const held = yield* lock(context, 'hold.lock', ptl);
    yield willRead('hold.inside', x);
    unlock(context, held);
  }
  const [a, b] = ['a', 'b'].map((name) => scheduler.spawn(name, name, hold()));
  assert.ok(a !== undefined && b !== undefined);
  scheduler.step(a);
  scheduler.step(b);
  assert.deepEqual(scheduler.readyTasks(), [a, b]); // both want it and it is free
  scheduler.step(a);
  assert.deepEqual(scheduler.readyTasks(), [a]);
  scheduler.step(a);
  assert.deepEqual(scheduler.readyTasks(), [b]);
});

test('the result of a task is kept, and its end wakes the task that joins it', () => {
  const { scheduler } = newWorld();
  function* answer(): Task<number> {
    yield willRead('answer.read', x);
    return 42;
  }
  const asked = scheduler.spawn('cpu0', 'answer', answer());
  function* join(): Task<unknown> {
    yield waitUntil('join.wait', asked.done, () => asked.state === 'done');
    return asked.result;
  }
  const joined = scheduler.spawn('cpu1', 'join', join());
  scheduler.run((ready) => ready.length - 1, STEPS_MAX);
  assert.equal(joined.result, 42);
});

test('what a task throws comes out of the step that threw it', () => {
  const { scheduler } = newWorld();
  function* broken(): Task<void> {
    yield willRead('broken.read', x);
    throw new RangeError('boom');
  }
  scheduler.spawn('cpu0', 'broken', broken());
  assert.throws(() => scheduler.run(OLDEST, STEPS_MAX), RangeError);
});

/** Three tasks, two of which call parts of their own and take one lock. */
function busyWorld(): World {
  const world = newWorld();
  const { context, scheduler } = world;
  const ptl = newLock('ptl', objectId('ptl', 0, 0));
  function* part(): Task<number> {
    const held = yield* lock(context, 'part.lock', ptl);
    yield willWrite('part.write', x);
    unlock(context, held);
    return serial(context);
  }
  function* whole(actor: string): Task<number[]> {
    const parts = ['left', 'right'].map((name) => ({ actor, name, task: part() }));
    return yield* together(context, 'whole.together', parts);
  }
  scheduler.spawn('cpu0', 'whole0', whole('cpu0'));
  scheduler.spawn('cpu1', 'whole1', whole('cpu1'));
  scheduler.spawn('cpu2', 'walk', walk(3));
  return world;
}

/** The ready steps before each choice: what the explorer sees. */
function readyStepsOf(choices: readonly number[], world: World): string[] {
  const seen: string[] = [];
  let at = 0;
  const outcome = world.scheduler.run((ready) => {
    seen.push(ready.map((task) => `${task.identity.name} ${task.pending.at}`).join(', '));
    return (choices[at++ % choices.length] as number) % ready.length;
  }, STEPS_MAX);
  assert.equal(outcome, 'idle');
  assert.deepEqual(world.scheduler.blockedTasks(), []);
  return seen;
}

const schedules = fc.array(fc.nat(7), { minLength: 1, maxLength: 30 });

test('[SC1] two worlds built alike show the same ready steps under the same choices', () => {
  fc.assert(
    fc.property(schedules, (choices) => {
      assert.deepEqual(readyStepsOf(choices, busyWorld()), readyStepsOf(choices, busyWorld()));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('[SC1] state shared between worlds is seen by comparing their ready steps', () => {
  let runs = 0;
  const leaky = () => {
    const world = busyWorld();
    runs += 1;
    if (runs % 2 === 0) world.scheduler.spawn('cpu3', 'left over', walk(1));
    return world;
  };
  assert.notDeepEqual(readyStepsOf([0], leaky()), readyStepsOf([0], leaky()));
});

test('different choices give different traces', () => {
  const traces = new Set<string>();
  fc.assert(
    fc.property(schedules, (choices) => {
      const world = busyWorld();
      readyStepsOf(choices, world);
      traces.add(world.trace.join('\n'));
    }),
    { seed: 1, numRuns: 100 },
  );
  assert.ok(traces.size > 50, `${traces.size} traces`);
});
