/**
 * A world that is gone goes with the next collection of the young heap. Some functions get a place or a hidden class in
 * the old heap, and all that they reach stays until a full collection: accessors of an object literal, a function that
 * is assigned to a member in the statement that makes it, a generator function made for each world. The explorer
 * builds a world for each execution: it was half of its time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { AS_WRITTEN, planScenario } from './scenario-plan.ts';
import { newScenarioRun } from './scenario-world.ts';
import { shippedScenario } from './shipped-scenarios.ts';

const WARM = 300;
const WORLDS = 200;
/** What compiling leaves, and the like. One world is 60 kB. */
const BYTES_A_WORLD_MAX = 6_000;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (how: { type: 'minor' | 'major' }) => void;

for (const driver of ['dmirror', 'corrected']) {
  test(`worlds with ${driver} are young when they die`, () => {
    const scenario = shippedScenario('seed-zero-page-fault');
    assert.ok(scenario !== 'none');
    const variant = DRIVERS.get(driver);
    assert.ok(variant !== undefined);
    const plan = planScenario(scenario, { ...AS_WRITTEN, drivers: new Map([['*', variant]]) });
    const play = (times: number) => {
      for (let at = 0; at < times; at += 1) newScenarioRun(plan).scheduler.run(() => 0, 1_000);
    };
    play(WARM);
    gc({ type: 'major' });
    const before = getHeapStatistics().used_heap_size;
    play(WORLDS);
    // What is young survives one.
    gc({ type: 'minor' });
    gc({ type: 'minor' });
    const kept = (getHeapStatistics().used_heap_size - before) / WORLDS;
    assert.ok(kept < BYTES_A_WORLD_MAX, `${Math.round(kept)} bytes a world are left`);
  });
}
