import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUNS_AT_ONCE_MAX, RUNS_KEPT_MAX, RUNS_WAITING_MAX } from '../../protocol/http-api.ts';
import { BadChoice } from '../../scenario/scenario-plan.ts';
import type { RunTask } from './run-task.ts';
import { KEPT_CHARS_MAX, type Run, Runs } from './runs.ts';

const QUESTION = { scenario: 'seed-zero-page' };
const RESULT = {
  progress: { executions: 1, steps: 2, done: 1 },
  reports: {},
  events: { setup: [], events: [], sibling: null },
};

/** A pool whose threads are over when the test says so. */
function bench() {
  const ends: ((result: object) => void)[] = [];
  const failures: string[] = [];
  const tasks: RunTask[] = [];
  const pool = {
    run: (task: RunTask) => {
      tasks.push(task);
      return new Promise((resolve) => ends.push(resolve as never));
    },
    destroy: async () => undefined,
  };
  const runs = new Runs({
    modelHash: 'a hash',
    onFailure: (id) => failures.push(id),
    newPool: async () => pool as never,
  });
  const start = (): Run => {
    const run = runs.start(QUESTION);
    return run === 'too-many' ? assert.fail(run) : run;
  };
  const end = async (result: object = RESULT) => {
    await settled();
    ends.shift()?.(result);
    await settled();
  };
  return { runs, start, end, failures, tasks };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a run is done with the result of its thread, and one that was cancelled stays cancelled', async () => {
  const { runs, start, end, failures } = bench();
  const [one, two] = [start(), start()];
  await settled();
  runs.cancel(two);
  await end();
  await end();
  assert.deepEqual(
    [one.state, one.progress.executions, two.state, two.result],
    ['done', 1, 'cancelled', 'none'],
  );
  runs.cancel(one);
  assert.equal(one.state, 'done');
  assert.deepEqual(failures, []);
});

test('what is told of a run never goes back, though each part of a search counts for itself', async () => {
  const { runs, start, tasks } = bench();
  const run = start();
  await settled();
  const tell = async (executions: number, done: number) => {
    const progress = { executions, steps: executions * 10, done };
    tasks[0]?.news.postMessage({ kind: 'progress', progress });
    while (run.progress.done !== done) await settled();
  };
  await tell(500, 0.9);
  await tell(3, 0.1);
  runs.cancel(run);
  assert.deepEqual([run.progress.executions, run.progress.steps], [500, 5_000]);
});

test('runs that wait are bounded; one that is over makes room', async () => {
  const { runs, start, end } = bench();
  for (let n = 0; n < RUNS_AT_ONCE_MAX + RUNS_WAITING_MAX; n += 1) start();
  assert.equal(runs.start(QUESTION), 'too-many');
  await end();
  start();
});

test('of runs that are over those looked at longest ago are forgotten, by number and by size', async () => {
  const { runs, start, end } = bench();
  const first = start();
  await end();
  for (let n = 1; n < RUNS_KEPT_MAX; n += 1) {
    start();
    await end();
  }
  assert.equal(runs.get(first.id), first);
  start();
  await end();
  assert.deepEqual([runs.all().length, runs.get(first.id)], [RUNS_KEPT_MAX, first]);
  const last = start();
  await end({ ...RESULT, reports: { text: 'x'.repeat(KEPT_CHARS_MAX + 1) } });
  assert.deepEqual(runs.all(), [last]);
});

test('a question that does not ship is refused, several patches are one question', () => {
  const { runs, start } = bench();
  assert.ok(start());
  assert.throws(() => runs.start({ ...QUESTION, patch: 'mine' }), BadChoice);
  const both = 'remove-second-invalidate + validity-is-boolean';
  assert.notEqual(runs.start({ ...QUESTION, patch: both }), 'too-many');
});
