import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNever, invariant, KernelBug } from './invariant.ts';

test('a broken invariant names its rule, says it and gives the facts', () => {
  assert.throws(
    () => invariant(false, 'LK3', { outer: 'ptl', wanted: 'mmap_lock' }),
    (error) => {
      assert.ok(error instanceof KernelBug);
      assert.equal(error.rule, 'LK3');
      assert.deepEqual(error.facts, { outer: 'ptl', wanted: 'mmap_lock' });
      assert.equal(
        error.message,
        '[LK3] locks nest in LOCK_ORDER: {"outer":"ptl","wanted":"mmap_lock"}',
      );
      return true;
    },
  );
});

test('an invariant that holds says nothing', () => {
  invariant(true, 'LK3', {});
});

test('a case that cannot be is reported with its value', () => {
  assert.throws(() => assertNever({ state: 'new' } as never), /unreachable case: {"state":"new"}/);
});
