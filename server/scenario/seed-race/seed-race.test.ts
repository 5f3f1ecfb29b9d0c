import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAsExpected, runSeedRace, SEED_PATCH, SEED_SCENARIOS } from './seed-race.ts';
import { newDirectWorld } from './seed-race-direct.fixture.ts';

for (const scenario of SEED_SCENARIOS) {
  test(`${scenario}: the stock kernel holds`, async () => {
    const verdict = await runSeedRace(scenario, 'stock', newDirectWorld);
    assert.equal(verdict.verdict, 'holds', verdict.seen);
    assert.deepEqual(verdict.violations, []);
  });
}

for (const scenario of ['seed-zero-page', 'seed-empty-entry'] as const) {
  test(`${scenario}: without the second invalidation dev1 reads a stale zero`, async () => {
    const verdict = await runSeedRace(scenario, SEED_PATCH, newDirectWorld);
    assert.equal(verdict.seen, 'dev1 reads 0x0 where dev0 wrote 0x2a');
    assert.equal(verdict.verdict, 'broken');
    assert.ok(isAsExpected(verdict), 'an oracle tells it with both histories');
  });
}

test('two-migrators: exactly one wins even without the second invalidation', async () => {
  const verdict = await runSeedRace('two-migrators', SEED_PATCH, newDirectWorld);
  assert.equal(verdict.verdict, 'holds', verdict.seen);
  assert.equal(verdict.seen, 'dev0 got OK, dev1 got ENOENT; the page of the loser was freed');
});

test('a patch that nobody knows is refused', async () => {
  await assert.rejects(runSeedRace('seed-zero-page', 'no-such', newDirectWorld), RangeError);
});
