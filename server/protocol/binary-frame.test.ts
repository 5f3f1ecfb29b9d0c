import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pageContents } from '../vocabulary/page-contents.ts';
import { decodeBinaryFrame, encodeBinaryFrame } from './binary-frame.ts';

const page = fc.uint8Array({ maxLength: 4096 }).map((bytes) => pageContents(new Uint8Array(bytes)));

test('what is encoded is decoded again', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.array(page, { maxLength: 5 }),
      (json, pages) => {
        assert.deepEqual(decodeBinaryFrame(encodeBinaryFrame(json, pages)), { json, pages });
      },
    ),
    { numRuns: 200, seed: 2 },
  );
});

test('no frame of bytes makes the decoder throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (frame) => {
      const decoded = decodeBinaryFrame(frame);
      assert.ok('bound' in decoded || decoded.pages.every((one) => one.length <= 4096));
    }),
    { numRuns: 2000, seed: 3 },
  );
});

test('every truncation is refused or loses whole pages only', () => {
  const frame = encodeBinaryFrame('{}', [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
  const kept = Array.from({ length: frame.length }, (_, end) => {
    const decoded = decodeBinaryFrame(frame.subarray(0, end));
    return 'bound' in decoded ? 'refused' : decoded.pages.length;
  });
  const refused = (count: number) => Array.from({ length: count }, () => 'refused');
  assert.deepEqual(kept, [...refused(6), 0, ...refused(4), 1, ...refused(2)]);
});

test('a page is cut to its canonical form, and never longer than a page', () => {
  const frame = encodeBinaryFrame('{}', [Uint8Array.of(7, 0, 0)]);
  const decoded = decodeBinaryFrame(frame);
  assert.ok(!('bound' in decoded));
  assert.deepEqual(decoded.pages, [Uint8Array.of(7)]);
  assert.deepEqual(decodeBinaryFrame(encodeBinaryFrame('{}', [new Uint8Array(4097)])), {
    bound: 'at most 4096 bytes in page 0',
  });
});
