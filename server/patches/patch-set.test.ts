import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jointName, namesIn, STOCK_NAME } from './joint-name.ts';
import { clashOf, patchesIn } from './patch-set.ts';
import { PATCHES } from './patches.ts';

const A = 'remove-second-invalidate';
const B = 'validity-is-boolean';

test('several patches have one name, each once, and stock is none of them', () => {
  assert.equal(jointName([]), STOCK_NAME);
  assert.equal(jointName([STOCK_NAME, A]), A);
  assert.equal(jointName([A, `${B} + ${A}`]), `${A} + ${B}`);
  assert.deepEqual([namesIn(STOCK_NAME), namesIn(`${A} + ${B}`)], [[], [A, B]]);
});

test('a joint name means its patches in order, or names the first that is unknown', () => {
  assert.deepEqual(patchesIn(`${B} + ${A}`), [PATCHES.get(B), PATCHES.get(A)]);
  assert.deepEqual(patchesIn(`${A} + mine`), { unknown: 'mine' });
});

test('two patches that override one function do not go together: both are named, and the function', () => {
  const shipped = [...PATCHES.values()].filter(({ id }) => id === A || id === B);
  assert.equal(clashOf(shipped), 'none');
  const clash = clashOf([...shipped, { ...(PATCHES.get(A) as (typeof shipped)[0]), id: 'mine' }]);
  assert.match(
    clash,
    /^EINVAL: the patches remove-second-invalidate and mine both override \w+\(\)/,
  );
});
