import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentIds } from './recent-ids.ts';

test('the last ids are known, older ones are forgotten', () => {
  const recent = new RecentIds<number>(3);
  for (const id of [1, 2, 3, 4]) recent.add(id);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((id) => recent.has(id)),
    [false, true, true, true, false],
  );
});
