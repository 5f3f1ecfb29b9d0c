import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES } from '../../patches/patches.ts';
import { planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun } from '../../scenario/scenario-world.ts';
import { shippedScenario, shippedScenarioNames } from '../../scenario/shipped-scenarios.ts';
import { objectId } from '../../task/object-id.ts';
import { willRead } from '../../task/task.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';
import type { Counterexample } from './counterexample.ts';
import { parseCounterexample, printCounterexample } from './counterexample-file.ts';
import { counterexampleOf } from './counterexample-of.ts';
import { BadToken, parseToken, printToken } from './counterexample-token.ts';
import { reproduce } from './reproduce.ts';
import { TOKEN_WORDS } from './token-words.ts';

const SEED = 'remove-second-invalidate';

function planned(name: string, patches: readonly Patch[]): ScenarioPlan {
  const scenario = shippedScenario(name);
  assert.ok(scenario !== 'none');
  return planScenario(scenario, { patches, drivers: new Map(), parameters: {} });
}

function shippedPatch(id: string): Patch {
  const patch = PATCHES.get(id);
  assert.ok(patch !== undefined);
  return patch;
}

function foundIn(plan: ScenarioPlan, patch: string): Counterexample {
  const verdict = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 1_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  const names = { patch: { name: patch }, drivers: {}, strategy: 'dpor', modelHash: 'c0ffee00' };
  const found = counterexampleOf(verdict, names);
  assert.ok(found !== 'none');
  return found;
}

const seed = () => foundIn(planned('seed-zero-page', [shippedPatch(SEED)]), SEED);

test('the scenarios that ship are found by name, and nothing else is', () => {
  assert.ok(shippedScenarioNames().includes('seed-zero-page'));
  assert.equal(shippedScenario('../package'), 'none');
});

test('a counterexample fails again, in the same way, as often as one likes', () => {
  const found = seed();
  const plan = planned('seed-zero-page', [shippedPatch(SEED)]);
  for (let round = 0; round < 3; round += 1) {
    const again = reproduce(found, newScenarioRun(plan));
    assert.equal(again.outcome, 'fails as promised');
    assert.ok(again.events.some(({ kind }) => kind === 'violation'));
  }
});

test('on the stock kernel it is refused at the first step that differs', () => {
  const again = reproduce(seed(), newScenarioRun(planned('seed-zero-page', [])));
  assert.ok(again.outcome === 'diverged');
  assert.equal(again.expected, 'anon_vma_prepare.anon_vma_lock');
  assert.match(again.found, /^mmu_notifier_invalidate_range_start\.seq of migrator0/);
  assert.equal(seed().steps[again.step - 1], again.expected);
});

test('a patch that adds a yield point is refused where the new one stands', () => {
  const moved: Patch = {
    id: 'moved',
    provenance: 'this test',
    summary: 'one more yield point in hmm_range_fault',
    overrides: (stock) => ({
      *hmmRangeFault(...args) {
        yield willRead('moved.look', objectId('user', 0, 1));
        return yield* stock.hmmRangeFault(...args);
      },
    }),
  };
  const plan = planned('seed-zero-page', [shippedPatch(SEED), moved]);
  const again = reproduce(seed(), newScenarioRun(plan));
  assert.ok(again.outcome === 'diverged');
  assert.equal(again.expected, 'hmm_range_fault.check_retry');
  assert.match(again.found, /^moved\.look of reader0 /);
});

test('a promise that is not kept is told as such', () => {
  const again = reproduce(
    { ...seed(), failure: 'OR3: something else' },
    newScenarioRun(planned('seed-zero-page', [shippedPatch(SEED)])),
  );
  assert.equal(again.outcome, 'ends otherwise');
});

test('file and token carry the same counterexample', () => {
  const found = seed();
  assert.deepEqual(parseCounterexample(JSON.parse(printCounterexample(found))), found);
  const { scenario, model, ...rest } = parseToken(printToken(found));
  const { scenario: named, model: ran, ...same } = found;
  assert.deepEqual(rest, same);
  assert.deepEqual([scenario.name, model.hash], [named.name, ran.hash.slice(0, 8)]);
});

test('the token of the seed race fits in two lines of a mail', () => {
  const token = printToken(seed());
  assert.ok(token.length < 150, token);
  assert.match(token, /^mmr1\.[A-Za-z0-9_-]+$/);
});

test('a token of version 1 can be read for ever: its words never change', () => {
  const words = createHash('sha256').update(TOKEN_WORDS).digest('hex').slice(0, 16);
  assert.equal(words, '45dab7d32e7e5e40');
  const old = parseToken('mmr1.esF3q8IFPBuWnhotFkaLBeoXCwA');
  assert.deepEqual(
    [old.scenario.name, old.patch.name, old.steps.length],
    ['seed-zero-page', SEED, 23],
  );
});

test('a scenario of the user stands in the token itself', () => {
  const { scenario } = planned('seed-zero-page', []);
  const own = planScenario(
    { ...scenario, name: 'mine' },
    { patches: [shippedPatch(SEED)], drivers: new Map(), parameters: {} },
  );
  const back = parseToken(printToken(foundIn(own, SEED)));
  const prose = { title: 'mine', provenance: 'mine', expect: { patches: {} } };
  const { sheet: _, ...played } = scenario;
  assert.deepEqual(back.scenario.data, { ...played, name: 'mine', ...prose });
});

test('white space does not count, every other change of a token is refused', () => {
  const token = printToken(seed());
  assert.deepEqual(parseToken(`${token.slice(0, 20)}\n  ${token.slice(20)}\n`), parseToken(token));
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!'];
  fc.assert(
    fc.property(fc.nat(token.length - 6), fc.constantFrom(...alphabet), (at, letter) => {
      const place = at + 5;
      if (token[place] === letter) return;
      const damaged = token.slice(0, place) + letter + token.slice(place + 1);
      assert.throws(() => parseToken(damaged), BadToken);
      assert.throws(() => parseToken(token.slice(0, place)), BadToken);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a file that was edited is refused with the path of what does not fit', () => {
  const found = seed();
  const steps = found.steps.with(3, 'somewhere.else');
  const edited: readonly [object, string][] = [
    [{ ...found, steps }, 'steps'],
    [{ ...found, steps: found.steps.slice(1) }, 'steps'],
    [{ ...found, version: 2 }, 'version'],
    [{ ...found, schedule: [[1]] }, 'schedule[0]'],
    [{ ...found, patch: 'stock' }, 'patch'],
  ];
  for (const [json, path] of edited) {
    const parsed = parseCounterexample(json);
    assert.ok('bound' in parsed && parsed.path.startsWith(path), JSON.stringify(parsed));
  }
});
