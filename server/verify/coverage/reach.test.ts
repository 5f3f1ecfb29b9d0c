import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES } from '../../patches/patches.ts';
import { describeBound } from '../../report/bound.ts';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { loadPatch } from '../../scenario/user-code.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';
import { scenariosReaching } from './reaching-scenarios.ts';

const SEARCH = {
  strategy: 'dpor',
  budgetExecutions: 10_000,
  budgetSeconds: 60,
  seed: 1,
  depth: 3,
  clock: () => 0,
  onProgress: () => undefined,
} as const;

function verdictOf(patch: Patch) {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  return exploreScenario(planScenario(scenario, { ...AS_WRITTEN, patches: [patch] }), SEARCH);
}

function patchOf(overrides: Patch['overrides']): Patch {
  return { id: 'mine', provenance: 'a test', summary: 'a test', overrides };
}

test('what ran of the kernel is told as much when V8 has made it fast as before', () => {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const own = patchOf(({ handleMmFault }) => ({ handleMmFault }));
  const asked = (devices: number) => {
    const choice = { ...AS_WRITTEN, patches: [own], parameters: { devices } };
    return exploreScenario(planScenario(scenario, choice), SEARCH).reach?.functions;
  };
  const cold = asked(2);
  asked(3);
  assert.deepEqual(asked(2), cold);
});

test('a patch whose function never runs is unknown, even if it would throw', () => {
  const { verdict, bound, reach } = verdictOf(
    patchOf(() => ({
      *movePageTables() {
        throw new Error('never');
      },
    })),
  );
  assert.equal(verdict, 'unknown');
  assert.match(describeBound(bound), /^movePageTables, which mine overrides, runs in none of \d+/);
  assert.deepEqual(reach?.patches[0]?.called, []);
  assert.ok(reach.functions.includes('migrateVmaPages'));
  assert.ok(!reach.functions.includes('movePageTables'));
});

test('a patch whose function runs and changes nothing holds', () => {
  const { verdict, reach } = verdictOf(patchOf(({ handleMmFault }) => ({ handleMmFault })));
  assert.equal(verdict, 'holds');
  assert.deepEqual(reach?.patches[0]?.called, ['handleMmFault']);
});

test('a patch that ships is known by its file: what ran of it is told', () => {
  const { verdict, reach } = verdictOf(PATCHES.get('remove-second-invalidate') as Patch);
  assert.equal(verdict, 'broken');
  const [told] = reach?.patches ?? [];
  assert.ok(told !== undefined && told.called.length > 0 && told.lines !== undefined);
});

test('a patch whose own code is never reached is unknown, though its function runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-reach-'));
  const text = (condition: string) => `
export const patch = {
  id: 'mine', provenance: 'a test', summary: 'a test',
  overrides: (stock) => ({
    *handleMmFault(k, cpu, request) {
      if (${condition}) {
        globalThis.neverHeardOf = 'so far';
      }
      return yield* stock.handleMmFault(k, cpu, request);
    },
  }),
};
`;
  try {
    const rare = join(folder, 'rare.mjs');
    writeFileSync(rare, text('k.frames === request'));
    const missed = verdictOf(await loadPatch(rare));
    assert.equal(missed.verdict, 'unknown');
    assert.deepEqual(missed.reach?.patches[0]?.called, ['handleMmFault']);
    assert.match(
      describeBound(missed.bound),
      /^line 7 of mine, where it differs from the kernel, is/,
    );
    const usual = join(folder, 'usual.mjs');
    writeFileSync(usual, text('k.frames !== request'));
    assert.equal(verdictOf(await loadPatch(usual)).verdict, 'holds');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('scenarios that reach a function are found by running them', () => {
  const clock = () => 0;
  assert.deepEqual(scenariosReaching(['noSuchFunction'], clock), []);
  const found = scenariosReaching(['wpPageCopy', 'movePtes'], clock);
  // A copy on write, in the smaller of two first; the museum has more of them.
  const expected = ['cow-while-mirrored', 'mremap-before-its-page', 'mremap-vs-rmap-walk'];
  assert.deepEqual(
    found.filter((name) => expected.includes(name)),
    expected,
  );
  assert.ok(!found.includes('retry-ignored'));
});
