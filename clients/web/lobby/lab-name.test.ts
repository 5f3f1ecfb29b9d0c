import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labName } from './lab-name.ts';

test('any letters become a name that a lab takes, and none become none', () => {
  for (const [text, name] of [
    ['José', 'Jose'],
    ['Ana María', 'Ana-Maria'],
    ['Øystein', 'Oystein'],
    ['  gpu7 ', 'gpu7'],
    ['-x-', 'x'],
    ['李明', ''],
    ['', ''],
  ]) {
    assert.equal(labName(text ?? ''), name);
  }
});
