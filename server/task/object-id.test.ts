import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PAGES_MAX } from '../vocabulary/address.ts';
import { describeObject, OBJECT_KINDS, objectId, objectName } from './object-id.ts';

test('an id names its kind, owner and index, and nothing else has the same id', () => {
  const owner = fc.integer({ min: 0, max: 1023 });
  const index = fc.integer({ min: 0, max: 2 ** 36 - 1 });
  fc.assert(
    fc.property(fc.constantFrom(...OBJECT_KINDS), owner, index, (kind, who, at) => {
      const id = objectId(kind, who, at);
      assert.ok(Number.isSafeInteger(id));
      assert.deepEqual(objectName(id), { kind, owner: who, index: at });
    }),
    { seed: 1 },
  );
});

test('a page index of the highest page fits', () => {
  const id = objectId('user', 1023, PAGES_MAX - 1);
  assert.ok(Number.isSafeInteger(id));
  assert.equal(objectName(id).index, PAGES_MAX - 1);
});

test('a trace prints kind, owner and index', () => {
  assert.equal(describeObject(objectId('pte', 0, 0x100200)), 'pte(0, 0x100200)');
});
