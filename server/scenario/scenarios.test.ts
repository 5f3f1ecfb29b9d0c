/** Every scenario that ships, against the verdicts that it expects. Small ones, so that all are searched to the end. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { sample } from '../explorer/sample.ts';
import { type SearchResult, search } from '../explorer/search.ts';
import { PATCHES } from '../patches/patches.ts';
import { answerOf, type Expectation, expectationsOf } from './expectations.ts';
import { readScenario } from './read-scenario.ts';
import { planScenario, type ScenarioPlan } from './scenario-plan.ts';
import type { Scenario, VerdictWord } from './scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';
import { printProblem } from './yaml-source.ts';

const FOLDER = fileURLToPath(new URL('../../scenarios/', import.meta.url));
/** More would make the tests slow; a scenario that needs more says so in its bounds. */
const EXECUTIONS_MAX = 9_000;

/** Of a search that goes on after its first counterexample. */
const COMPARED_EXECUTIONS_MAX = 1_000;

const SCENARIOS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => scenarioIn(name));

function scenarioIn(name: string): Scenario {
  const read = readScenario(readFileSync(`${FOLDER}${name}`, 'utf8'), `scenarios/${name}`);
  if (!read.ok) assert.fail(read.problems.map(printProblem).join('\n'));
  assert.equal(`${read.scenario.name}.yaml`, name);
  return read.scenario;
}

function searched(
  plan: ScenarioPlan,
  counterexamples: 'first' | 'all',
  executionsMax = EXECUTIONS_MAX,
): SearchResult {
  return search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples,
    goOn: ({ executions }) => (executions < executionsMax ? 'go on' : 'stop'),
  });
}

function verdictOf(plan: ScenarioPlan): VerdictWord {
  const result = searched(plan, 'first');
  const { ended, tooLong, windowEntered, counterexample } = result;
  if (counterexample !== 'none') return answerOf(plan.question, 'broken', counterexample.failure);
  const covered = ended === 'complete' && tooLong === 0 && windowEntered > 0;
  return answerOf(plan.question, covered ? 'holds' : 'unknown', 'none');
}

function nameOf(scenario: Scenario, { what, name, verdict }: Expectation): string {
  return `${scenario.name}: ${verdict} with ${what} ${name}`;
}

for (const scenario of SCENARIOS) {
  for (const expected of expectationsOf(scenario)) {
    test(nameOf(scenario, expected), () => {
      const plan = planScenario(scenario, expected.choice);
      assert.equal(verdictOf(plan), expected.verdict);
    });
  }
}

/** Drivers of the two-pass invalidation, which only mainline has: verify/explore/kernels.test.ts asks there. */
const FOR_MAINLINE = ['two-pass', 'two-pass-late-sequence'];

/** They keep the contract: the catalogue of shapes asks them. */
const CORRECT = ['corrected', 'late-exclusive', 'per-range', 'restore-worker'];
/** After real drivers: random worlds ask them (random-drivers.test.ts). */
const AFTER_REAL = [
  'amdkfd',
  'amdkfd-no-retry',
  'i915-userptr',
  'kvm',
  'kvm-arm64',
  'mlx5-odp',
  'split-notifiers',
  'xe',
];

test('every patch is broken somewhere, and every driver but the correct ones', () => {
  const museum = readdirSync(`${FOLDER}museum/`).flatMap((file) => {
    const path = `${FOLDER}museum/${file}`;
    const read = readScenario(readFileSync(path, 'utf8'), path);
    return read.ok ? [read.scenario] : [];
  });
  const expected = [...SCENARIOS, ...museum].flatMap(expectationsOf);
  const broken = new Set(
    expected.filter(({ verdict }) => verdict === 'broken').map(({ name }) => name),
  );
  const missing = [...PATCHES.keys(), ...DRIVERS.keys()].filter((id) => !broken.has(id));
  assert.deepEqual(
    missing.toSorted(),
    [...CORRECT, ...AFTER_REAL, ...FOR_MAINLINE, 'wedged'].toSorted(),
  );
});

/** What breaks these is a mistake that no patch can make, since the line is in no overridable function. */
const BROKEN_BY_A_MUTANT = new Set([
  'freed-then-exclusive',
  'freed-then-stored',
  'migration-of-its-successor',
]);

test('each scenario holds in one way and is broken in another, so that it can tell them apart', () => {
  for (const scenario of SCENARIOS) {
    if (BROKEN_BY_A_MUTANT.has(scenario.name)) continue;
    const verdicts = new Set(expectationsOf(scenario).map(({ verdict }) => verdict));
    assert.deepEqual([...verdicts].sort(), ['broken', 'holds'], scenario.name);
  }
});

/** An odd multiplier and the high bits of a product: enough chance for a schedule. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * What the reduction leaves out must be covered by what it tries. An object that a step touches without saying so
 * shows here, as an outcome that a random schedule has and the search has not.
 */
test('no random schedule ends otherwise than some schedule of the search', () => {
  let compared = 0;
  for (const scenario of SCENARIOS) {
    const choices = expectationsOf(scenario).filter(({ what }) => what === 'patch');
    for (const { name, choice } of choices) {
      const plan = planScenario(scenario, choice);
      const covered = searched(plan, 'all', COMPARED_EXECUTIONS_MAX);
      // Without a first counterexample to stop at, a livelock has too many schedules.
      if (covered.ended !== 'complete') continue;
      compared += 1;
      const sampled = sample(() => newScenarioRun(plan), {
        strategy: 'random',
        stepsMax: stepsMaxOf(plan),
        depth: 3,
        randomOf: chance,
        first: 1,
        executions: 80,
        counterexamples: 'all',
      });
      const missing = [...sampled.outcomes.keys()].filter((one) => !covered.outcomes.has(one));
      assert.deepEqual(missing, [], `${scenario.name} with ${name}`);
    }
  }
  assert.ok(compared >= 20, `${compared} compared`);
});
