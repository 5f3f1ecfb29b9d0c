/** Finding, shrinking and explaining one classic: two tasks read a counter, then write it back one higher. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext } from '../task/context.ts';
import { lock, newLock, unlock } from '../task/lock.ts';
import { objectId } from '../task/object-id.ts';
import { type Task, willRead, willWrite } from '../task/task.ts';
import { blocksOf, choicesOf, contextSwitches } from './blocks.ts';
import type { NewExplored } from './explored.ts';
import { testFailure } from './failure.fixture.ts';
import { tryFewSwitches } from './few-switches.ts';
import { nearestPassingSchedule, pointOfNoReturn } from './no-return.ts';
import { goOnWithSame, replay, runWith } from './replay.ts';
import { type SampleOptions, sample } from './sample.ts';
import { search } from './search.ts';
import { shrink } from './shrink.ts';

const STEPS_MAX = 100;
const COUNTER = objectId('user', 0, 0);

/** `idle` tasks besides do nothing that matters. With `locked` the counter is safe. */
function counters(options: {
  readonly locking: 'locked' | 'racy';
  readonly idle: number;
}): NewExplored {
  return () => {
    const context = newTaskContext();
    const scheduler = new Scheduler(context);
    const mutex = newLock('driver_lock', objectId('driver_lock', 0, 0));
    let counter = 0;
    function* increment(): Task<void> {
      const held = options.locking === 'locked' ? yield* lock(context, 'test.lock', mutex) : 'none';
      yield willRead('test.read', COUNTER);
      const seen = counter;
      yield willWrite('test.write', COUNTER);
      counter = seen + 1;
      if (held !== 'none') unlock(context, held);
    }
    function* idle(who: number): Task<void> {
      for (let step = 0; step < 3; step += 1)
        yield willWrite('test.idle', objectId('user', 1, who));
    }
    scheduler.spawn('a', 'a', increment());
    for (let who = 0; who < options.idle; who += 1)
      scheduler.spawn(`i${who}`, `i${who}`, idle(who));
    scheduler.spawn('b', 'b', increment());
    return {
      scheduler,
      failure: () => 'none',
      failureAtEnd: (stuck) =>
        stuck.length === 0 && counter === 2 ? 'none' : testFailure(`counter ${counter}`),
      windowEntered: () => true,
      outcome: () => String(counter),
      alsoReads: () => [],
    };
  };
}

const racy = counters({ locking: 'racy', idle: 2 });

function fullSearch(newExplored: NewExplored) {
  return search(newExplored, {
    strategy: 'dpor',
    stepsMax: STEPS_MAX,
    counterexamples: 'all',
    goOn: () => 'go on',
  });
}

test('the lost update is found, and a lock makes it impossible', () => {
  const found = fullSearch(racy);
  assert.equal(found.ended, 'complete');
  assert.ok(found.failures > 0);
  const safe = fullSearch(counters({ locking: 'locked', idle: 2 }));
  assert.deepEqual([safe.ended, safe.failures, [...safe.outcomes.keys()]], ['complete', 0, ['2']]);
});

test('execution counts are pinned: a change means that a yield point moved or the search lost a branch', () => {
  assert.equal(fullSearch(racy).executions, 4);
  assert.equal(fullSearch(counters({ locking: 'locked', idle: 2 })).executions, 2);
});

test('few switches find it at once', () => {
  const { found, executions } = tryFewSwitches(racy, STEPS_MAX, 1_000);
  assert.ok(found !== 'none');
  assert.deepEqual(found.failure, testFailure('counter 1'));
  assert.ok(executions < 40, `${executions} executions`);
});

test('a shrunk schedule fails, with the fewest switches that can', () => {
  const { counterexample } = fullSearch(racy);
  assert.ok(counterexample !== 'none');
  const shrunk = shrink(racy, counterexample.choices, STEPS_MAX);
  assert.ok(shrunk !== 'does not fail');
  assert.deepEqual(replay(racy, shrunk.choices, STEPS_MAX).failure, testFailure('counter 1'));
  const { steps } = replay(racy, shrunk.choices, STEPS_MAX);
  const own = shrunk.choices.filter((task) =>
    steps.some((s) => s.task === task && s.name.length === 1),
  );
  assert.equal(contextSwitches(own), 2, 'a reads, b runs through, a writes');
});

test('a schedule that does not fail is not shrunk', () => {
  const safe = runWith(racy, goOnWithSame, STEPS_MAX).steps.map((step) => step.task);
  assert.equal(shrink(racy, safe, STEPS_MAX), 'does not fail');
});

test('the point of no return is the second read of the old value', () => {
  const { found } = tryFewSwitches(counters({ locking: 'racy', idle: 0 }), STEPS_MAX, 1_000);
  assert.ok(found !== 'none');
  const world = counters({ locking: 'racy', idle: 0 });
  const point = pointOfNoReturn(world, found.choices, STEPS_MAX, 1_000);
  assert.ok(point !== 'unknown');
  const step = found.steps[point - 1];
  assert.equal(step?.step.at, 'test.read');
  assert.equal(found.steps.slice(0, point).filter((s) => s.step.at === 'test.read').length, 2);
});

test('the nearest safe sibling is safe', () => {
  const world = counters({ locking: 'racy', idle: 0 });
  const { found } = tryFewSwitches(world, STEPS_MAX, 1_000);
  assert.ok(found !== 'none');
  const sibling = nearestPassingSchedule(world, found.steps, STEPS_MAX);
  assert.ok(sibling !== 'none');
  assert.equal(replay(world, sibling.choices, STEPS_MAX).failure, 'none');
});

test('replay says where a schedule stops fitting', () => {
  const run = replay(racy, [1, 1, 99], STEPS_MAX);
  assert.notEqual(run.diverged, 'none');
});

test('sampling: the same numbers give the same executions, and every strategy finds the lost update', () => {
  for (const strategy of ['random', 'pct', 'urw'] as const) {
    const options: SampleOptions = {
      strategy,
      stepsMax: STEPS_MAX,
      depth: 2,
      randomOf: (execution) => pseudoRandom(execution + 1),
      first: 0,
      executions: 300,
      counterexamples: 'all',
    };
    const once = sample(racy, options);
    assert.ok(once.failures > 0, strategy);
    assert.deepEqual(sample(racy, options).outcomes, once.outcomes);
    const halves = [0, 150].map((first) => sample(racy, { ...options, first, executions: 150 }));
    assert.equal((halves[0]?.failures ?? 0) + (halves[1]?.failures ?? 0), once.failures);
  }
});

test('blocks and choices are two ways to write one schedule', () => {
  const choices = [1, 1, 2, 1, 3, 3];
  assert.deepEqual(choicesOf(blocksOf(choices)), choices);
  assert.equal(contextSwitches(choices), 3);
});

/** A Lehmer generator: good enough to scatter a test. */
function pseudoRandom(seed: number): () => number {
  let state = (seed * 48_271) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
