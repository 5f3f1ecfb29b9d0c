/** The search over states on shipped scenarios: it loses no outcome, and takes as many executions as it always did. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DRIVERS } from '../../../clients/drivers/catalogue/drivers.ts';
import type { DriverVariant } from '../../../clients/drivers/interface/driver-variant.ts';
import { inTurns } from '../../explorer/in-turns.fixture.ts';
import { search } from '../../explorer/search.ts';
import { type StateSearchResult, searchStates } from '../../explorer/search-states.ts';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES } from '../../patches/patches.ts';
import { describeBound } from '../../report/bound.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN, planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { exploreScenario } from './explore-scenario.ts';
import { symmetryOf } from './symmetric-devices.ts';
import { mayGoUnread, UnreadSequences } from './unread-sequences.ts';

type Parameters = Readonly<Record<string, number>>;

function planOf(name: string, choice: string, parameters: Parameters = {}): ScenarioPlan {
  const file = fileURLToPath(new URL(`../../../scenarios/${name}.yaml`, import.meta.url));
  const read = readScenario(readFileSync(file, 'utf8'), file);
  assert.ok(read.ok, name);
  const patch = PATCHES.get(choice);
  const driver = DRIVERS.get(choice);
  const patches: readonly Patch[] = patch === undefined ? [] : [patch];
  const drivers = new Map<string, DriverVariant>(driver === undefined ? [] : [['*', driver]]);
  return planScenario(read.scenario, { ...AS_WRITTEN, parameters, patches, drivers });
}

function byStates(plan: ScenarioPlan, how: 'alike' | 'apart' = 'apart'): StateSearchResult {
  const symmetry = how === 'alike' ? symmetryOf(plan) : 'none';
  return searchStates(() => newScenarioRun(plan), {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: () => 'go on',
    ...(symmetry === 'none' ? {} : { symmetry }),
  });
}

function byExecutions(plan: ScenarioPlan) {
  return search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: () => 'go on',
  });
}

const COMPARED: readonly (readonly [scenario: string, choice: string])[] = [
  ['collect-flush-after-unlock', 'stock'],
  ['collect-flush-after-unlock', 'collect-flush-after-unlock'],
  ['erase-without-driver-lock', 'dmirror'],
  ['hole-two-winners', 'stock'],
  ['hole-two-winners', 'insert-ignores-pte-change'],
  ['hole-two-winners', 'map-losers'],
  ['museum/05-count-and-seq-both-needed', 'kvm'],
  ['museum/05-count-and-seq-both-needed', 'kvm-checks-count-only'],
  ['museum/05-count-and-seq-both-needed', 'kvm-checks-sequence-only'],
  ['museum/06-vma-lookup-before-seq', 'kvm-arm64'],
  ['museum/22-notifier-free-without-grace', 'stock'],
  ['museum/24-registration-vs-vma-lock-fault', 'stock'],
  ['museum/24-registration-vs-vma-lock-fault', 'register-skips-mapping-locks'],
  ['museum/27-memslot-elision-imbalance', 'kvm'],
  ['museum/27-memslot-elision-imbalance', 'kvm-memslots-change-midway'],
  ['museum/28-notifier-order-inversion', 'stock'],
  ['museum/28-notifier-order-inversion', 'list-before-tree'],
  ['madvise-before-map', 'dmirror'],
  ['madvise-before-map', 'corrected'],
  ['migrate-back-refault', 'move-sequence'],
  ['nonblock-unpaired-end', 'eagain-without-end'],
  ['page-lock-under-driver-lock', 'page-lock-under-driver-lock'],
  ['retry-ignored', 'skip-retry'],
  ['retry-ignored', 'drop-lock-before-map'],
  ['seed-zero-page', 'stock'],
  ['seed-zero-page', 'remove-second-invalidate'],
  ['seed-zero-page-fault', 'remove-second-invalidate'],
  ['valid-flag-aba', 'validity-is-boolean'],
];

for (const [scenario, choice] of COMPARED) {
  test(`${scenario} with ${choice}: a cache of states loses no outcome`, () => {
    const plan = planOf(scenario, choice);
    const [states, executions] = [byStates(plan), byExecutions(plan)];
    assert.equal(states.ended, 'complete');
    assert.equal(executions.ended, 'complete');
    // An execution that fails ends there, and what would race behind it is not seen; a search over states goes on.
    const more = [...states.outcomes.keys()].filter((one) => !executions.outcomes.has(one));
    if (executions.failures === 0) assert.deepEqual(more, []);
    const lost = [...executions.outcomes.keys()].filter((one) => !states.outcomes.has(one));
    assert.deepEqual(lost, []);
  });
}

const SHARED: readonly (readonly [scenario: string, choice: string, parameters?: Parameters])[] = [
  ['hole-two-winners', 'insert-ignores-pte-change'],
  ['seed-zero-page', 'remove-second-invalidate', { devices: 3 }],
  ['seed-zero-page-fault', 'remove-second-invalidate'],
];

for (const [scenario, choice, parameters] of SHARED) {
  test(`${scenario} with ${choice}: three searches that share what they know lose nothing`, () => {
    const plan = planOf(scenario, choice, parameters);
    const options = {
      stepsMax: stepsMaxOf(plan),
      counterexamples: 'all',
      goOn: () => 'go on' as const,
    } as const;
    for (const executions of [1, 7]) {
      const order = [0, 1, 2].map((search) => [search, executions] as const);
      const shared = inTurns(() => newScenarioRun(plan), options, { searches: 3, order });
      assert.deepEqual(shared.ends, [...byStates(plan).outcomes.keys()].sort());
    }
  });
}

test('two searches that share what they know do little twice', () => {
  const plan = planOf('seed-zero-page', 'stock', { devices: 3, migrators: 2 });
  const options = {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: () => 'go on' as const,
  } as const;
  const order = [[1, 1] as const];
  const { ends, executions } = inTurns(() => newScenarioRun(plan), options, { searches: 2, order });
  const alone = byStates(plan);
  assert.deepEqual(ends, [...alone.outcomes.keys()].sort());
  assert.ok(executions < alone.executions * 1.1, `${executions} and not ${alone.executions}`);
});

test('where the memory for states ends, the search goes on without, loses nothing and says so', () => {
  const plan = planOf('hole-two-winners', 'stock');
  const all = byStates(plan);
  const few = searchStates(() => newScenarioRun(plan), {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: () => 'go on',
    bytesMax: 0,
  });
  assert.ok(few.isFull && !all.isFull);
  assert.ok(few.states < all.states);
  assert.ok(few.executions > all.executions);
  assert.deepEqual([...few.outcomes.keys()].sort(), [...all.outcomes.keys()].sort());
  const { verdict, bound } = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 1e6,
    budgetSeconds: 600,
    seed: 1,
    depth: 1,
    statesBytesMax: 0,
    clock: () => 0,
    onProgress: () => undefined,
  });
  assert.equal(verdict, 'holds');
  assert.match(describeBound(bound), /; there was memory for \d+ states \(1 MB\), others were /);
});

const UNREAD: readonly (readonly [scenario: string, choice: string, parameters?: Parameters])[] = [
  ['hole-two-winners', 'stock'],
  ['seed-zero-page', 'stock', { devices: 2, migrators: 2 }],
  ['seed-zero-page', 'remove-second-invalidate', { devices: 2, migrators: 2 }],
];

for (const [scenario, choice, parameters] of UNREAD) {
  test(`${scenario} with ${choice}: brackets commute where no task looks at a sequence`, () => {
    const plan = planOf(scenario, choice, parameters);
    const sequences = new UnreadSequences();
    const unread = searchStates(() => newScenarioRun(plan, { sequences: 'unread' }), {
      stepsMax: stepsMaxOf(plan),
      counterexamples: 'all',
      goOn: () => 'go on',
      onStep: (step) => sequences.see(step),
    });
    assert.equal(sequences.state, 'unread');
    const full = byStates(plan);
    assert.deepEqual([...unread.outcomes.keys()].sort(), [...full.outcomes.keys()].sort());
    assert.ok(unread.states < full.states);
  });
}

test('a reader of a sequence is noticed, and so is a patch that keeps them', () => {
  const sequences = new UnreadSequences();
  const plan = planOf('seed-zero-page', 'stock');
  searchStates(() => newScenarioRun(plan, { sequences: 'unread' }), {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: ({ executions }) => (executions === 0 ? 'go on' : 'stop'),
    onStep: (step) => sequences.see(step),
  });
  assert.equal(sequences.state, 'read');
  assert.ok(mayGoUnread(plan));
  assert.ok(!mayGoUnread(planOf('valid-flag-aba', 'validity-is-boolean')));
});

test('of readers that are alike it does not matter which is which', () => {
  const plan = planOf('seed-zero-page', 'stock', { devices: 3 });
  const [apart, alike] = [byStates(plan), byStates(plan, 'alike')];
  assert.deepEqual([...alike.outcomes.keys()], [...apart.outcomes.keys()]);
  assert.ok(alike.states < apart.states);
});

/**
 * A change here means that somebody has moved a yield point or noted another access, or that the search has lost a
 * branch or found one.
 */
test('the numbers of executions and states are what they were', () => {
  const counted = (name: string, choice: string) => {
    const { executions, states } = byStates(planOf(name, choice));
    return [executions, states];
  };
  assert.deepEqual(counted('seed-zero-page', 'stock'), [15, 171]);
  assert.deepEqual(counted('seed-zero-page-fault', 'stock'), [21, 308]);
  assert.deepEqual(counted('seed-zero-page', 'remove-second-invalidate'), [10, 104]);
  assert.deepEqual(counted('hole-two-winners', 'stock'), [103, 986]);
  assert.deepEqual(counted('retry-ignored', 'dmirror'), [11, 75]);
});
