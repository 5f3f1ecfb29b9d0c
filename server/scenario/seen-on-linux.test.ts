import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../patches/patches.ts';
import { AS_WRITTEN, planScenario } from './scenario-plan.ts';
import { seenOnLinux } from './seen-on-linux.ts';
import { shippedScenario } from './shipped-scenarios.ts';

function plan(patch: string, parameters = {}) {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const patches = patch === 'stock' ? [] : [PATCHES.get(patch)].flatMap((one) => one ?? []);
  return planScenario(scenario, { ...AS_WRITTEN, kernel: '6.12', patches, parameters });
}

test('what Linux has said of a question is said of that question alone', () => {
  const seen = seenOnLinux(plan('remove-second-invalidate'));
  assert.match(seen.join(), /^Seen on Linux 6\.12\.\d+: stale in 10 of 10 runs$/);
  const stock = seenOnLinux(plan('stock'));
  assert.match(
    stock.join(),
    /^On Linux 6\.12\.\d+: clean of 10 runs of what fails with remove-second-invalidate$/,
  );
  assert.deepEqual(seenOnLinux(plan('remove-second-invalidate', { devices: 3 })), []);
  const own = plan('remove-second-invalidate');
  const changed = { ...own, scenario: { ...own.scenario, vmas: [] } };
  assert.deepEqual(seenOnLinux(changed), []);
});
