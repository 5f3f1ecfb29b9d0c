import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO_NUMBER, type Errno, fail, OK, ok } from './errno.ts';

test('a failure carries its errno, and one errno is one object', () => {
  for (const errno of Object.keys(ERRNO_NUMBER) as Errno[]) {
    assert.deepEqual(fail(errno), { ok: false, errno });
    assert.equal(fail(errno), fail(errno));
  }
});

test('no two errnos share a number', () => {
  const numbers = Object.values(ERRNO_NUMBER);
  assert.equal(new Set(numbers).size, numbers.length);
});

test('success carries its value', () => {
  assert.deepEqual(ok(3), { ok: true, value: 3 });
  assert.equal(OK.ok, true);
});
