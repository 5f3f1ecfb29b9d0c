/** What is printed fits a mail: 75 columns, but for the line that is to be copied. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OwnPatch } from '../../../server/patches/patch.ts';
import { planOf } from '../../../server/scenario/explore-request.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { willRead } from '../../../server/task/task.ts';
import { exploreScenario } from '../../../server/verify/explore/explore-scenario.ts';
import { textOf } from './text.ts';

const OPTIONS = {
  strategy: 'dpor',
  budgetExecutions: 10_000,
  budgetSeconds: 60,
  seed: 1,
  depth: 3,
  clock: () => 0,
  onProgress: () => undefined,
} as const;

async function told(name: string, patch: string, driver?: string): Promise<string> {
  const file = fileURLToPath(new URL(`../../../scenarios/${name}.yaml`, import.meta.url));
  const text = readFileSync(file, 'utf8');
  const drivers = driver === undefined ? [] : [driver];
  const plan = await planOf({ file, text, patch, drivers, parameters: {} });
  return textOf(plan, { patch }, exploreScenario(plan, OPTIONS));
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

const SPINS: OwnPatch = {
  id: 'spins',
  summary: 'waits for what no task does',
  overrides: () => ({
    *doAnonymousPage(_, { mm, page }) {
      for (;;) yield willRead('own.poll', objectId('pte', mm.id, page));
    },
  }),
};

test('a round of one step is told as one', async () => {
  const file = fileURLToPath(new URL('../../../scenarios/seed-empty-entry.yaml', import.meta.url));
  const text = readFileSync(file, 'utf8');
  const asked = { file, text, patch: 'stock', drivers: [], parameters: {} };
  const shipped = await planOf(asked);
  const patches = [{ provenance: 'a test', ...SPINS }];
  const plan = { ...shipped, choice: { ...shipped.choice, patches } };
  const said = textOf(plan, { patch: 'spins' }, exploreScenario(plan, OPTIONS));
  assert.match(
    said.replaceAll(/\s+/g, ' '),
    /Livelock: behind step \d+ one step repeats; the state/,
  );
});
