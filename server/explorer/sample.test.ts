/** What random search promises: URW comes to uniform, PCT keeps its probability, a bound on preemptions is kept. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext, serial } from '../task/context.ts';
import { objectId } from '../task/object-id.ts';
import { type Child, type Task, willRead, willWrite } from '../task/task.ts';
import type { NewExplored } from './explored.ts';
import { testFailure } from './failure.fixture.ts';
import { withinPreemptions } from './few-preemptions.ts';
import { tryFewSwitches } from './few-switches.ts';
import { atRandom, measure } from './measure.ts';
import { detectionOf, missedAfter } from './pct.ts';
import { type Chooser, runWith } from './replay.ts';
import { type SampleOptions, sample } from './sample.ts';
import { parentOf } from './task-paths.ts';
import { urw } from './urw.ts';

const STEPS_MAX = 200;
const CELL = objectId('user', 0, 0);

/** Tasks that only count; the outcome is the order in which they did, by actor. */
function world(spawn: (scheduler: Scheduler) => void): NewExplored {
  return () => {
    const scheduler = new Scheduler(newTaskContext());
    spawn(scheduler);
    return {
      scheduler,
      failure: () => 'none',
      failureAtEnd: () => 'none',
      windowEntered: () => true,
      outcome: () => 'done',
      alsoReads: () => [],
    };
  };
}

function* steps(count: number): Task<void> {
  for (let step = 0; step < count; step += 1) yield willRead('test.step', CELL);
}

/** One has 7 steps, the other 3, with their starts: 120 interleavings. */
const lopsided = world((scheduler) => {
  scheduler.spawn('long', 'long', steps(6));
  scheduler.spawn('short', 'short', steps(2));
});

/** A task that starts two others and is gone, beside one of its own: 8! / (2 * 6 * 5 * 2 * 2) = 168 interleavings. */
const family = world((scheduler) => {
  const child = (name: string): Child => ({
    actor: name,
    name,
    done: objectId('task', 0, serial(scheduler.context)),
    task: steps(1),
  });
  function* parent(): Task<void> {
    yield { kind: 'spawn', at: 'test.spawn', children: [child('a'), child('b')] };
  }
  scheduler.spawn('parent', 'parent', parent());
  scheduler.spawn('other', 'other', steps(1));
});

/** Two tasks write a counter back that they read before: a bug of depth 2. `more` steps come before and behind. */
function lostUpdate(more: number): NewExplored {
  return () => {
    const scheduler = new Scheduler(newTaskContext());
    let counter = 0;
    function* increment(): Task<void> {
      yield* steps(more);
      yield willRead('test.read', CELL);
      const seen = counter;
      yield willWrite('test.write', CELL);
      counter = seen + 1;
      yield* steps(more);
    }
    scheduler.spawn('a', 'a', increment());
    scheduler.spawn('b', 'b', increment());
    return {
      scheduler,
      failure: () => 'none',
      failureAtEnd: () => (counter === 2 ? 'none' : testFailure(`counter ${counter}`)),
      windowEntered: () => true,
      outcome: () => String(counter),
      alsoReads: () => [],
    };
  };
}

/** A Lehmer generator: good enough to scatter a test. */
function pseudoRandom(seed: number): () => number {
  let state = ((seed % 2_147_483_646) * 48_271 + 1) % 2_147_483_647;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  next();
  next();
  return next;
}

function options(strategy: SampleOptions['strategy'], more: Partial<SampleOptions>): SampleOptions {
  return {
    strategy,
    stepsMax: STEPS_MAX,
    depth: 2,
    randomOf: pseudoRandom,
    first: 1,
    executions: 500,
    counterexamples: 'all',
    ...more,
  };
}

/** Pearson's statistic against all `interleavings` being as likely. */
function chiSquare(
  newExplored: NewExplored,
  interleavings: number,
  chooserFor: (random: () => number) => Chooser,
): number {
  const perInterleaving = 60;
  const counts = new Map<string, number>();
  for (let n = 1; n <= interleavings * perInterleaving; n += 1) {
    const run = runWith(newExplored, chooserFor(pseudoRandom(n)), STEPS_MAX);
    const order = run.steps.map(({ actor }) => actor).join(' ');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  let sum = (interleavings - counts.size) * perInterleaving;
  for (const count of counts.values()) sum += (count - perInterleaving) ** 2 / perInterleaving;
  return sum;
}

for (const [name, newExplored, interleavings] of [
  ['of tasks of different length', lopsided, 120],
  ['of tasks that are started on the way', family, 168],
] as const) {
  test(`URW: every interleaving ${name} is as likely, and with a plain random walk it is not`, () => {
    const measured = measure(newExplored, STEPS_MAX, pseudoRandom);
    // Six standard deviations above the mean of the distribution.
    const limit = interleavings + 6 * Math.sqrt(2 * interleavings);
    const uniform = chiSquare(newExplored, interleavings, (random) => urw(random, measured));
    assert.ok(uniform < limit, `${uniform} of ${limit}`);
    assert.ok(chiSquare(newExplored, interleavings, atRandom) > 2 * limit);
  });
}

test('measuring counts tasks, steps, and what a task starts as its own', () => {
  const { tasks, steps: most, stepsOf } = measure(family, STEPS_MAX, pseudoRandom);
  assert.equal(tasks, 4);
  assert.equal(most, 8);
  assert.equal(stepsOf.get('parent parent 1'), 6);
  assert.equal(stepsOf.get('parent parent 1 > b b 1'), 2);
  assert.equal(parentOf('parent parent 1 > b b 1'), 'parent parent 1');
});

test('PCT shows a bug at least as often as it states, for the measured tasks and steps', () => {
  for (const more of [0, 5, 20]) {
    const found = sample(lostUpdate(more), options('pct', { executions: 2_000 }));
    assert.deepEqual([found.measured.tasks, found.measured.steps], [2, 2 * (3 + 2 * more)]);
    const stated = detectionOf(found.measured, 2);
    assert.equal(stated, 1 / (2 * found.measured.steps));
    assert.equal(found.beyond, 0);
    assert.ok(found.failures / found.executions >= stated, `${found.failures} with ${more}`);
  }
});

test('PCT of a depth that is too small does not find it', () => {
  assert.equal(sample(lostUpdate(2), options('pct', { depth: 1 })).failures, 0);
});

test('the probability of having missed a bug does not round to nothing', () => {
  assert.equal(missedAfter(0.5, 2), 0.25);
  assert.equal(missedAfter(0.5, 0), 1);
  const missed = missedAfter(1e-18, 1e6);
  assert.ok(missed > 0.999 && missed <= 1);
  assert.ok(Math.abs(missedAfter(1e-9, 1e9) - Math.exp(-1)) < 1e-6);
});

test('a bound on preemptions is kept, by every strategy', () => {
  for (const strategy of ['random', 'pct', 'urw'] as const) {
    const within = (preemptionsMax: number) =>
      sample(lostUpdate(1), options(strategy, { preemptionsMax })).failures;
    assert.equal(within(0), 0, strategy);
    assert.ok(within(1) > 0, strategy);
  }
  assert.equal(tryFewSwitches(lostUpdate(1), STEPS_MAX, 100, 0).found, 'none');
  assert.notEqual(tryFewSwitches(lostUpdate(1), STEPS_MAX, 100, 1).found, 'none');
  const chooser = withinPreemptions(atRandom(pseudoRandom(7)), 2);
  const { steps: taken } = runWith(lopsided, chooser, STEPS_MAX);
  const actors = taken.map(({ actor }) => actor);
  const switches = actors.filter((actor, at) => at > 0 && actor !== actors[at - 1]).length;
  assert.ok(switches <= 3, `${switches}`);
});

test('executions that do not end are counted, and have no outcome', () => {
  function* forever(): Task<void> {
    for (;;) yield willRead('test.spin', CELL);
  }
  const spinning = world((scheduler) => scheduler.spawn('a', 'a', forever()));
  const { tooLong, outcomes } = sample(spinning, options('random', { executions: 3 }));
  assert.equal(tooLong, 3);
  assert.equal(outcomes.size, 0);
});

test('the caller can stop a search between executions', () => {
  const stopped = sample(lopsided, options('random', { goOn: (n) => (n < 8 ? 'go on' : 'stop') }));
  assert.equal(stopped.executions, 7);
});
