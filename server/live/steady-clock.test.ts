import assert from 'node:assert/strict';
import { test } from 'node:test';
import { steadyClock } from './steady-clock.ts';

test('time passes as on the wall, but a gap counts as one tick', () => {
  let wall = 5;
  const clock = steadyClock(() => wall, 100);
  const at = (moment: number) => {
    wall = moment;
    return clock();
  };
  assert.deepEqual([at(5), at(6), at(105), at(205)], [5, 6, 105, 205]);
  assert.deepEqual([at(60_000), at(60_050), at(90_000)], [305, 355, 455]);
});
