import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatedCampaign, simulate } from './simulation.fixture.ts';

const FREE: SimulatedCampaign = {
  units: Array.from({ length: 1_000 }, () => 10),
  workers: 1,
  batch: 1,
  roundTripMs: 0,
  redisMs: { take: 0, done: 0, batch: 0 },
  stragglers: { share: 0, times: 1 },
};

test('where nothing costs anything but units, workers share them evenly', () => {
  for (const workers of [1, 10, 1_000]) {
    const { ms, efficiency } = simulate({ ...FREE, workers });
    assert.equal(ms, 10_000 / workers);
    assert.ok(Math.abs(efficiency - 1) < 1e-9);
  }
});

test('a worker alone waits for Redis twice for each unit and once for each batch', () => {
  const redisMs = { take: 1, done: 2, batch: 5 };
  const { ms, redisBusy } = simulate({ ...FREE, batch: 10, roundTripMs: 3, redisMs });
  const perUnit = 3 + 1 + 10 + 3 + 2;
  assert.equal(ms, 1_000 * perUnit + 100 * (3 + 5));
  assert.ok(Math.abs(redisBusy - (1_000 * 3 + 101 * 5) / ms) < 1e-9);
});

test('Redis serves one after the other: with many workers it is what takes the time', () => {
  const redisMs = { take: 1, done: 1, batch: 0 };
  const { ms, redisBusy } = simulate({ ...FREE, workers: 1_000, redisMs });
  assert.ok(ms >= 2_000 && redisBusy > 0.99);
});

test('batches that are too large leave workers without any, and slow ones keep the others waiting', () => {
  const large = simulate({ ...FREE, workers: 100, batch: 100 });
  assert.equal(large.ms, 1_000);
  assert.ok(large.efficiency < 0.11 && large.tail > 0.99);
  const slow = simulate({ ...FREE, workers: 10, batch: 10, stragglers: { share: 0.1, times: 10 } });
  const even = simulate({ ...FREE, workers: 10, batch: 1, stragglers: { share: 0.1, times: 10 } });
  assert.ok(slow.ms > even.ms);
});
