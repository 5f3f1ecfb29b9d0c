import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Policy, Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext } from './context.ts';
import { objectId } from './object-id.ts';
import { type Task, waitUntil, willWrite } from './task.ts';
import { together } from './together.ts';

const STEPS_MAX = 1_000;
const OLDEST: Policy = () => 0;
const YOUNGEST: Policy = (ready) => ready.length - 1;

function newWorld() {
  const context = newTaskContext();
  return { context, scheduler: new Scheduler(context), log: [] as string[] };
}

function* say(log: string[], word: string): Task<string> {
  yield willWrite('say.word', objectId('user', 0, 1));
  log.push(word);
  return word.toUpperCase();
}

function logOf(policy: Policy): { log: string[]; results: unknown } {
  const { context, scheduler, log } = newWorld();
  const parts = ['a', 'b', 'c'].map((name) => ({ actor: name, name, task: say(log, name) }));
  const parent = scheduler.spawn('p', 'parent', together(context, 'test.together', parts));
  assert.equal(scheduler.run(policy, STEPS_MAX), 'idle');
  assert.equal(parent.state, 'done');
  return { log, results: parent.result };
}

test('the parts run in the order that the policy chooses; the results keep their places', () => {
  assert.deepEqual(logOf(OLDEST), { log: ['a', 'b', 'c'], results: ['A', 'B', 'C'] });
  assert.deepEqual(logOf(YOUNGEST), { log: ['c', 'b', 'a'], results: ['A', 'B', 'C'] });
});

test('it waits for the slowest part, and for nothing else', () => {
  const { context, scheduler, log } = newWorld();
  const gate = objectId('user', 0, 2);
  let open = false;
  function* slow(): Task<string> {
    yield waitUntil('slow.wait', gate, () => open);
    return 'late';
  }
  const parent = scheduler.spawn(
    'p',
    'parent',
    together(context, 'test.together', [
      { actor: 'a', name: 'slow', task: slow() },
      { actor: 'b', name: 'fast', task: say(log, 'b') },
    ]),
  );
  scheduler.run(OLDEST, STEPS_MAX);
  assert.deepEqual(log, ['b']);
  assert.notEqual(parent.state, 'done');
  open = true;
  context.changed.push(gate);
  scheduler.runFirstCome(STEPS_MAX);
  assert.deepEqual(parent.result, ['late', 'B']);
});

test('nothing to do is done at once', () => {
  const { context, scheduler } = newWorld();
  const parent = scheduler.spawn('p', 'parent', together(context, 'test.together', []));
  assert.equal(scheduler.run(OLDEST, STEPS_MAX), 'idle');
  assert.deepEqual(parent.result, []);
});

test('each part acts for its own actor, under its parent', () => {
  const { context, scheduler, log } = newWorld();
  const seen: string[] = [];
  function* who(): Task<void> {
    const { actor, parent } = context.current;
    seen.push(`${actor} under ${parent === 'none' ? 'none' : parent.actor}`);
    yield willWrite('who.seen', objectId('user', 0, 1));
  }
  const parts = ['dev0', 'dev1'].map((actor) => ({ actor, name: 'who', task: who() }));
  scheduler.spawn('cpu0', 'parent', together(context, 'test.together', parts));
  scheduler.run(OLDEST, STEPS_MAX);
  assert.deepEqual(seen, ['dev0 under cpu0', 'dev1 under cpu0']);
  assert.deepEqual(log, []);
});
