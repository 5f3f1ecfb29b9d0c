import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../patches/patches.ts';
import { liveScenario } from './live-scenario.ts';
import { AS_WRITTEN, BadChoice, planScenario } from './scenario-plan.ts';
import type { Scenario } from './scenario-schema.ts';
import { shippedScenario } from './shipped-scenarios.ts';

const A = 'remove-second-invalidate';
const B = 'validity-is-boolean';

function seedWith(patch: string | string[]): Scenario {
  const seed = shippedScenario('seed-zero-page');
  if (seed === 'none') throw new Error('seed-zero-page ships');
  return { ...seed, machine: { ...seed.machine, patch } };
}

const chosen = (...ids: string[]) => ({
  ...AS_WRITTEN,
  patches: ids.map((id) => PATCHES.get(id) ?? assert.fail(id)),
});

test('the patches of a scenario come first, each once, also when the plan is made again', () => {
  const plan = planScenario(seedWith(A), chosen(B));
  assert.deepEqual(plan.choice.patches, chosen(A, B).patches);
  assert.deepEqual(planScenario(plan.scenario, plan.choice).choice.patches, plan.choice.patches);
  assert.deepEqual(planScenario(seedWith([A, B]), chosen(A)).choice.patches.length, 2);
  assert.equal(liveScenario(plan, A).config.patch, `${A} + ${B}`);
});

test('a patch of the scenario and a chosen one that override the same function are refused', () => {
  const mine = { ...(PATCHES.get(A) ?? assert.fail(A)), id: 'mine' };
  const both = () => planScenario(seedWith(A), { ...AS_WRITTEN, patches: [mine] });
  assert.throws(
    both,
    (error) => error instanceof BadChoice && /EINVAL.* and mine both/.test(error.message),
  );
});
