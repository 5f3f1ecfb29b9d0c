import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRandom, xoshiro128 } from './random.ts';

test('xoshiro128** gives the numbers of its reference implementation', () => {
  const next = xoshiro128([1, 2, 3, 4]);
  const first = Array.from({ length: 10 }, next);
  assert.deepEqual(
    first,
    [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ],
  );
});

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number) => {
    const random = newRandom(seed);
    return Array.from({ length: 20 }, () => random.below(1_000));
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('numbers stay below their end and reach all of it', () => {
  const random = newRandom(1);
  const seen = new Set(Array.from({ length: 1_000 }, () => random.below(7)));
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(random.below(1), 0);
  assert.equal(random.pick(['only']), 'only');
});
