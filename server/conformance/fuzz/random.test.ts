import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRandom } from './random.ts';

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

test('neighbouring seeds have nothing in common', () => {
  const firsts = Array.from({ length: 256 }, (_, seed) => newRandom(seed).below(2));
  const changes = firsts.filter((bit, at) => at > 0 && bit !== firsts[at - 1]).length;
  assert.ok(changes > 96 && changes < 160, `${changes} of 255 differ from the one before`);
});
