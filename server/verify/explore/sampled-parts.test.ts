/** A random search in parts comes to what it comes to in one piece. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFailure } from '../../explorer/failure.fixture.ts';
import type { Measured } from '../../explorer/measure.ts';
import { claimOf } from '../../report/bound.ts';
import { countsByText } from '../../report/describe-failure.ts';
import { sampledFacts } from './sampled.ts';
import {
  coveredBy,
  PART_EXECUTIONS,
  type PartResult,
  partNumber,
  partsOf,
} from './sampled-parts.ts';

const MEASURED: Measured = { tasks: 4, steps: 10, stepsOf: new Map() };
const PCT = { strategy: 'pct', seed: 7, depth: 3 } as const;

function part(more: Partial<PartResult>): PartResult {
  return {
    executions: 200,
    steps: 2_000,
    windowEntered: 20,
    failures: 0,
    tooLong: 0,
    beyond: 0,
    outcomes: new Map([['same', { failure: 'none', state: 'same', executions: 200 }]]),
    found: 'none',
    ...more,
  };
}

test('parts cover every execution once', () => {
  for (const executions of [1, PART_EXECUTIONS, PART_EXECUTIONS + 1, 1_234]) {
    const parts = Array.from({ length: partsOf(executions) }, (_, at) =>
      partNumber(at, executions),
    );
    let next = 0;
    for (const { first, executions: count } of parts) {
      assert.equal(first, next);
      assert.ok(count > 0 && count <= PART_EXECUTIONS);
      next += count;
    }
    assert.equal(next, executions);
  }
});

test('the first part that failed is the last that counts, whatever later ones found', () => {
  const early = { choices: [1, 2], failure: testFailure('early') };
  const late = { choices: [1], failure: testFailure('late') };
  const covered = coveredBy(
    [
      part({}),
      part({ executions: 50, steps: 500, failures: 1, found: early }),
      part({ failures: 1, found: late }),
    ],
    MEASURED,
    PCT,
    'complete',
  );
  assert.equal(covered.ended, 'counterexample');
  assert.equal(covered.executions, 250);
  assert.equal(covered.steps, 2_500);
  assert.equal(covered.failures, 1);
  assert.deepEqual(covered.found, early);
  assert.deepEqual(countsByText(covered.outcomes), { same: 400 });
});

test('a search goes on behind what was had without a gap', () => {
  const parts = [part({}), part({ executions: 30 }), part({})];
  const next = (skipExecutions: number) =>
    coveredBy(parts, MEASURED, { ...PCT, skipExecutions }, 'stopped').sampled?.next;
  assert.equal(next(0), 230);
  assert.equal(next(1_000), 1_230);
  assert.deepEqual(partNumber(1, 1_000, 7), { first: 207, executions: 200 });
});

test('PCT claims its probability; with a bound on preemptions none is claimed', () => {
  const claimed = sampledFacts(PCT, MEASURED, { executions: 1_000, beyond: 0 });
  assert.equal(claimed.detection, 1 / 400);
  assert.ok(Math.abs((claimed.missed as number) - (1 - 1 / 400) ** 1_000) < 1e-12);
  assert.match(claimOf(claimed, 1_000), /1\/\(n\*k\^2\) = 2\.5e-3 \(n = 4 tasks, k = 10 steps/);
  const bounded = sampledFacts({ ...PCT, preemptionsMax: 2 }, MEASURED, {
    executions: 1_000,
    beyond: 0,
  });
  assert.equal(bounded.detection, 'none');
  assert.match(claimOf(bounded, 1_000), /fewer than 0\.3 % of such executions fail/);
});

test('executions beyond what was measured do not count towards the claim', () => {
  const claimed = sampledFacts(PCT, MEASURED, { executions: 1_000, beyond: 1_000 });
  assert.equal(claimed.missed, 1);
  assert.match(claimOf(claimed, 1_000), /almost 1, not counting 1000 executions/);
});
