import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { countPairs, joinedPairs } from '../../scheduler/point-pairs.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';

function pairsOf(budgetExecutions: number) {
  const scenario = shippedScenario('retry-ignored');
  assert.ok(scenario !== 'none');
  const { pairs = {} } = exploreScenario(planScenario(scenario, AS_WRITTEN), {
    strategy: 'dpor',
    budgetExecutions,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  return pairs;
}

test('a search tells which yield points of different tasks followed each other', () => {
  const pairs = pairsOf(10_000);
  const behind = pairs['zap_pte_range.clear'] ?? [];
  assert.ok(behind.length > 0, JSON.stringify(Object.keys(pairs)));
  assert.ok(!Object.keys(pairs).includes('task.start'));
  assert.ok(countPairs(pairs).pairs > countPairs(pairsOf(1)).pairs);
});

test('what several have is counted once', () => {
  const joined = joinedPairs([{ a: ['b'] }, { a: ['b', 'c'], c: ['a'] }]);
  assert.deepEqual(joined, { a: ['b', 'c'], c: ['a'] });
  assert.deepEqual(countPairs(joined), { points: 3, pairs: 3 });
});
