/** What is printed fits a mail: 75 columns, but for the line that is to be copied. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { planOf } from '../../../server/scenario/explore-request.ts';
import { exploreScenario } from '../../../server/verify/explore/explore-scenario.ts';
import { textOf } from './text.ts';

async function told(name: string, patch: string, driver?: string): Promise<string> {
  const file = fileURLToPath(new URL(`../../../scenarios/${name}.yaml`, import.meta.url));
  const text = readFileSync(file, 'utf8');
  const drivers = driver === undefined ? [] : [driver];
  const plan = await planOf({ file, text, patch, drivers, parameters: {} });
  const verdict = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 10_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  return textOf(plan, { patch }, verdict);
}

for (const [name, patch, driver, says] of [
  ['seed-zero-page', 'remove-second-invalidate', undefined, /^ {2}OR1: reader0 maps/m],
  [
    'page-lock-under-driver-lock',
    'stock',
    'page-lock-under-driver-lock',
    /^ {2}warning: lock order/m,
  ],
  ['page-lock-under-driver-lock', 'stock', 'page-lock-under-driver-lock', /^Wait-for graph/m],
  ['device-fault-livelock', 'device-fault-reference-before-lock', undefined, /^Livelock: behind/m],
] as const) {
  test(`${name} with ${driver ?? patch}: ${says.source}`, async () => {
    const text = await told(name, patch, driver);
    assert.match(text, says);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 75),
      [],
    );
  });
}

test('steps are told apart from the bound, and one execution is one', async () => {
  assert.match(
    await told('seed-zero-page', 'stock'),
    /\(dpor\); kernel 6\.12;\n {2}\d+ steps, 0\.00 s;\n/,
  );
});
