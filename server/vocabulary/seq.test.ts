import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOdd, seq } from './seq.ts';

test('a sequence is odd while a range is being invalidated', () => {
  assert.deepEqual(
    [1, 2, 3, 2 ** 40 + 1].map((value) => isOdd(seq(value))),
    [true, false, true, true],
  );
});
