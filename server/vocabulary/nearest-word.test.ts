import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from './nearest-word.ts';

const PATCHES = ['remove-second-invalidate', 'collect-drops-dirty', 'collect-flush-after-unlock'];

test('a few wrong letters, or the only word that begins so', () => {
  assert.equal(nearestWord('collect-drop-dirty', PATCHES), 'collect-drops-dirty');
  assert.equal(nearestWord('remove-second', PATCHES), 'remove-second-invalidate');
  assert.equal(nearestWord('collect', PATCHES), 'none');
  assert.equal(nearestWord('', ['stock']), 'none');
});
