import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../patches/patches.ts';
import { AS_WRITTEN, planScenario } from '../scenario/scenario-plan.ts';
import { shippedScenario } from '../scenario/shipped-scenarios.ts';
import { confirm } from './confirm.ts';
import type { BootedKernel } from './guest-run.ts';
import { pointTable } from './points.ts';

test('a failure that reads what every order reads is not confirmed by what is read', async () => {
  const scenario = shippedScenario('pinned-before-fork');
  const table = pointTable('6.12');
  const patch = PATCHES.get('fork-shares-pinned');
  assert.ok(scenario !== 'none' && table !== 'none' && patch !== undefined);
  const plan = planScenario(scenario, { ...AS_WRITTEN, patches: [patch] });
  const kernel = { run: () => assert.fail('it is not played') } as unknown as BootedKernel;
  const asked = {
    plan,
    // One after the other, as the control.
    choices: [],
    sibling: 'none',
    patches: [patch],
    patched: 'built in',
    says: 'fails',
    seenBy: 'what was read',
  } as const;
  assert.deepEqual(await confirm(kernel, table, asked, 1), {
    outcome: 'not re-enactable',
    what: 'it reads what it reads where nothing fails',
  });
});
