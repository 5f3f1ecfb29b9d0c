/** Every scenario that ships, but for the museum's, against the verdicts that it expects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { PATCHES } from '../patches/patches.ts';
import { expectationsOf } from './expectations.ts';
import {
  brokenIn,
  byExecutions,
  byStates,
  compareWithRandomSchedules,
  scenariosIn,
  testExpectations,
} from './expected-verdicts.fixture.ts';

const SCENARIOS = scenariosIn('scenarios/');

testExpectations(SCENARIOS);

test('each is called as its file is', () => {
  for (const { file, scenario } of SCENARIOS) assert.equal(file, `${scenario.name}.yaml`);
});

/** Drivers of the two-pass invalidation, which only mainline has: verify/explore/kernels.test.ts asks there. */
const FOR_MAINLINE = ['two-pass', 'two-pass-late-sequence'];

/** They keep the contract: the catalogue of shapes asks them, or a scenario beside the one that does not hold. */
const CORRECT = [
  'corrected',
  'evicts-until-empty',
  'faults-without-lock',
  'kvm-cache-asks-its-page',
  'late-exclusive',
  'per-range',
  'resizes-under-cover',
  'restore-worker',
];
/** After real drivers: random worlds ask them (random-drivers.test.ts). */
const AFTER_REAL = ['i915-userptr', 'kvm-arm64', 'kvm-late', 'mlx5-odp', 'xe'];
/** Beside the kernel alone: small scenarios and their own tests ask them. */
const WITHOUT_NOTIFIERS = ['sva', 'vfio'];

test('every patch is broken somewhere, and every driver but the correct ones', () => {
  const broken = new Set(brokenIn([...SCENARIOS, ...scenariosIn('scenarios/museum/')]));
  const missing = [...PATCHES.keys(), ...DRIVERS.keys()].filter((id) => !broken.has(id));
  assert.deepEqual(
    missing.toSorted(),
    [...CORRECT, ...AFTER_REAL, ...WITHOUT_NOTIFIERS, ...FOR_MAINLINE, 'wedged'].toSorted(),
  );
});

/** What breaks these is a mistake that no patch can make, since the line is in no overridable function. */
const BROKEN_BY_A_MUTANT = new Set([
  'freed-then-exclusive',
  'freed-then-stored',
  'migration-of-its-successor',
]);

test('each scenario holds in one way and is broken in another, so that it can tell them apart', () => {
  for (const { scenario } of SCENARIOS) {
    if (BROKEN_BY_A_MUTANT.has(scenario.name)) continue;
    const verdicts = new Set(expectationsOf(scenario).map(({ verdict }) => verdict));
    assert.deepEqual([...verdicts].sort(), ['broken', 'holds'], scenario.name);
  }
});

test('no random schedule ends otherwise than some schedule of the search', () => {
  const compared = compareWithRandomSchedules(SCENARIOS, byStates);
  assert.ok(compared >= 20, `${compared} compared`);
});

test('nor than one of the search that remembers no states, where nothing fails', () => {
  const compared = compareWithRandomSchedules(SCENARIOS, byExecutions, ['holds']);
  assert.ok(compared >= 12, `${compared} compared`);
});
