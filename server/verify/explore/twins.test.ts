import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { exploreScenario, type ScenarioExploreOptions } from './explore-scenario.ts';
import { withoutTwins } from './twins.ts';

const OPTIONS: ScenarioExploreOptions = {
  strategy: 'dpor',
  budgetExecutions: 10_000,
  budgetSeconds: 60,
  seed: 1,
  depth: 3,
  clock: () => 0,
  onProgress: () => undefined,
};

/** Counts of migrators and readers that are left, and the actor that stands for its twins. */
function left(devices: number, migrators: number) {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const plan = planScenario(scenario, { ...AS_WRITTEN, parameters: { devices, migrators } });
  const reduction = withoutTwins(plan);
  if (reduction === 'none') return 'none';
  const count = (template: string) =>
    reduction.plan.instances.filter((one) => one.template === template).length;
  return { migrators: count('migrator'), readers: count('reader'), member: reduction.member };
}

test('of a group of identical devices one is left, and no other group gets smaller', () => {
  assert.deepEqual(left(4, 1), { migrators: 1, readers: 1, member: 'reader0' });
  assert.deepEqual(left(4, 3), { migrators: 1, readers: 1, member: 'migrator0' });
  assert.deepEqual(left(3, 3), { migrators: 1, readers: 0, member: 'migrator0' });
  assert.deepEqual(left(6, 4), { migrators: 4, readers: 1, member: 'reader0' });
  assert.equal(left(2, 1), 'none');
});

function explored(devices: number, migrators: number) {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const parameters = { devices, migrators };
  return exploreScenario(planScenario(scenario, { ...AS_WRITTEN, parameters }), OPTIONS);
}

test('one reader stands for its twins, however many they are and whoever migrates', () => {
  const { verdict, bound, executions } = explored(4, 2);
  assert.equal(verdict, 'holds');
  assert.deepEqual('strategy' in bound && bound.standsFor, { member: 'reader0', twins: 1 });
  assert.equal(explored(5, 2).executions, executions);
  const many = explored(8, 1);
  assert.deepEqual('strategy' in many.bound && many.bound.standsFor, {
    member: 'reader0',
    twins: 6,
  });
});

test('devices that write what their twins touch are searched in full, though no other device does', () => {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const parameters = { devices: 2, migrators: 2 };
  const { window: _, ...askable } = scenario;
  const plan = planScenario(askable, { ...AS_WRITTEN, parameters });
  const { bound, executions } = exploreScenario(plan, OPTIONS);
  assert.ok('strategy' in bound && bound.standsFor === undefined);
  assert.ok(executions > 20, `${executions} executions`);
});
