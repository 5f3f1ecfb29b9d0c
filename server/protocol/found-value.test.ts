import assert from 'node:assert/strict';
import { test } from 'node:test';
import { briefly, partOf } from './found-value.ts';

test('a path leads to the part of a value, or to nothing', () => {
  const value = { range: { first: 3 }, targets: [{ pfn: 7 }] };
  assert.equal(partOf(value, ''), value);
  assert.equal(partOf(value, '.range.first'), 3);
  assert.equal(partOf(value, '.targets[0].pfn'), 7);
  for (const path of ['.range.end', '.targets[1].pfn', '.range.first.more', '.constructor'])
    assert.equal(partOf(value, path), undefined, path);
});

test('what came is told in few characters', () => {
  assert.deepEqual([1.5, 'x', null, undefined, [1, 2], {}].map(briefly), [
    '1.5',
    '"x"',
    'null',
    'nothing',
    'an array of 2',
    'an object',
  ]);
  assert.ok(briefly('x'.repeat(1_000_000)).length < 60);
});
