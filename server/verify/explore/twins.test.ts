import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { withoutTwins } from './twins.ts';

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
  assert.deepEqual(left(6, 4), { migrators: 1, readers: 2, member: 'migrator0' });
  assert.equal(left(2, 1), 'none');
});
