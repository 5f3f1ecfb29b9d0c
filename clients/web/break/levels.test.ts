import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../../../server/patches/patches.ts';
import { DEFAULT_DRIVER } from '../../../server/scenario/instances.ts';
import { shippedScenario } from '../../../server/scenario/shipped-scenarios.ts';
import { CONTRACT_ORACLE } from '../../../server/vocabulary/rules.ts';
import { DRIVERS } from '../../drivers/catalogue/drivers.ts';
import { play } from './game.ts';
import { DRIVERS as DRIVERS_OF_LEVELS } from './level-drivers.ts';
import { PATCHES as PATCHES_OF_LEVELS } from './level-patches.ts';
import { planOfLevel } from './level-plan.ts';
import { LEVELS } from './levels.ts';
import { allWays, canStillBreak, parOf } from './ways.ts';

const goOn = () => 'go on' as const;

for (const level of LEVELS) {
  const scenario = shippedScenario(level.scenario);
  assert.ok(scenario !== 'none', level.scenario);
  const plan = planOfLevel(level, scenario, 'bug');

  test(`${level.scenario}: its par is the fewest switches that break it`, () => {
    const found = parOf(plan, level.par);
    assert.ok(typeof found === 'object', String(found));
    assert.equal(found.switches, level.par);
    for (const way of found.ways) {
      const game = play(plan, way);
      assert.equal(game.state, 'broken');
      assert.equal(game.switches, level.par);
    }
  });
}

test('the page has the drivers and patches of its levels, as they ship', () => {
  for (const { bug } of LEVELS) {
    if (bug.kind === 'patch') assert.equal(PATCHES_OF_LEVELS.get(bug.name), PATCHES.get(bug.name));
    if (bug.kind === 'driver') assert.equal(DRIVERS_OF_LEVELS.get(bug.name), DRIVERS.get(bug.name));
  }
  assert.equal(DRIVERS_OF_LEVELS.get(DEFAULT_DRIVER), DRIVERS.get(DEFAULT_DRIVER));
});

test('no level asks about the contract of drivers, which the page does not have', () => {
  for (const level of LEVELS) {
    const scenario = shippedScenario(level.scenario);
    assert.ok(scenario !== 'none');
    for (const kernel of ['bug', 'right'] as const) {
      assert.ok(!planOfLevel(level, scenario, kernel).oracles.has(CONTRACT_ORACLE), level.scenario);
    }
  }
});

test('a game follows from its choices, and a lost one says that nothing can fail any more', () => {
  const level = LEVELS.find(({ scenario }) => scenario === 'seed-zero-page');
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(level !== undefined && scenario !== 'none');
  const plan = planOfLevel(level, scenario, 'bug');
  assert.deepEqual(play(plan, ['migrator0']).moves, play(plan, ['migrator0']).moves);
  assert.equal(canStillBreak(plan, play(plan, ['migrator0']).choices, goOn), 'yes');
  // The reader that has read before the migration began will lose its mirror, and reads no more.
  let lost = play(plan, ['reader0']);
  while (lost.ready.includes('reader0')) {
    lost = play(plan, [...lost.moves.map(({ actor }) => actor), 'reader0']);
  }
  assert.equal(canStillBreak(plan, lost.choices, goOn), 'no');
  assert.deepEqual(
    allWays(
      plan,
      lost.moves.map(({ actor }) => actor),
      level.par,
    ),
    [],
  );
});

test('on the stock kernel the seed race cannot be won', () => {
  const level = LEVELS.find(({ scenario }) => scenario === 'seed-zero-page');
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(level !== undefined && scenario !== 'none');
  assert.equal(canStillBreak(planOfLevel(level, scenario, 'right'), [], goOn), 'no');
});
