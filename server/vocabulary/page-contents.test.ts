import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PAGE_SIZE } from './address.ts';
import {
  pageContents,
  pageOfU64,
  readU64,
  sameContents,
  writeU64,
  ZERO_CONTENTS,
} from './page-contents.ts';

const offset = fc.integer({ min: 0, max: PAGE_SIZE / 8 - 1 }).map((at) => at * 8);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test('a page of zeros takes no bytes, however it came about', () => {
  assert.equal(pageContents(new Uint8Array(PAGE_SIZE)).length, 0);
  assert.equal(pageOfU64(0n).length, 0);
  assert.ok(sameContents(writeU64(pageOfU64(7n), 0, 0n), ZERO_CONTENTS));
});

test('more than a page is refused', () => {
  assert.throws(() => pageContents(new Uint8Array(PAGE_SIZE + 1)), RangeError);
  assert.equal(pageContents(new Uint8Array(PAGE_SIZE).fill(1)).length, PAGE_SIZE);
});

test('a u64 is read back where it was written, little-endian, and nowhere else', () => {
  assert.deepEqual([...pageOfU64(0x0102n)], [2, 1]);
  assert.equal(
    readU64(writeU64(ZERO_CONTENTS, PAGE_SIZE - 8, 2n ** 64n - 1n), 4088),
    2n ** 64n - 1n,
  );
  fc.assert(
    fc.property(offset, u64, offset, u64, (at, value, other, before) => {
      const page = writeU64(writeU64(ZERO_CONTENTS, other, before), at, value);
      assert.equal(readU64(page, at), value);
      if (other !== at) assert.equal(readU64(page, other), before);
    }),
    { seed: 1 },
  );
});

test('a write makes a new page and leaves the old one as it was', () => {
  const before = pageOfU64(1n);
  const after = writeU64(before, 0, 2n);
  assert.equal(readU64(before, 0), 1n);
  assert.equal(readU64(after, 0), 2n);
});

test('the form is canonical: equal values give equal bytes', () => {
  fc.assert(
    fc.property(offset, u64, u64, (at, value, detour) => {
      const direct = writeU64(ZERO_CONTENTS, at, value);
      const around = writeU64(writeU64(ZERO_CONTENTS, at, detour), at, value);
      assert.ok(sameContents(direct, around));
      assert.equal(sameContents(direct, writeU64(direct, at, value ^ 1n)), false);
    }),
    { seed: 1 },
  );
});
