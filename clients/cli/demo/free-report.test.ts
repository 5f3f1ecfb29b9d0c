import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { type FreeResult, freeAnswer, freeExit, freeTable } from './free-report.ts';
import { SEED_PATCH } from './seed-race.ts';
import { newFreeCounts } from './seed-race-free.ts';

function result(patch: string, counts: object, reported = 0): FreeResult {
  const raced = { ...newFreeCounts(), rounds: 100, racingReads: 300 };
  return { patch, variant: 'zero', counts: { ...raced, ...counts }, reported };
}

const clean = result('stock', {});
const stale = result(SEED_PATCH, { violations: 3, stalePages: 3 }, 9);

test('stock clean and the patched kernel stale: as expected', () => {
  assert.equal(freeExit([clean, stale]), EXIT.OK);
  assert.equal(freeAnswer([clean, stale], 'stock'), 'holds');
  assert.equal(freeAnswer([clean, stale], SEED_PATCH), 'broken');
});

test('anything wrong on the stock kernel is a counterexample', () => {
  assert.equal(freeExit([result('stock', { violations: 1 }), stale]), EXIT.BROKEN);
  assert.equal(freeExit([result('stock', { lostWrites: 1 }), stale]), EXIT.BROKEN);
  assert.equal(freeExit([result('stock', {}, 1), stale]), EXIT.BROKEN);
});

test('a race that did not happen, or did not show, is never a pass', () => {
  assert.equal(freeExit([result('stock', { racingReads: 0 }), stale]), EXIT.UNKNOWN);
  assert.equal(freeExit([clean, result(SEED_PATCH, {})]), EXIT.UNKNOWN);
});

test('the table shows rounds, share, lost writes and what the oracles said', () => {
  assert.deepEqual(freeTable([clean, stale]).split('\n'), [
    'kernel                    from  stale rounds          lost writes  oracle reports',
    'stock                     zero  0 of 100      0.00 %  0            0',
    'remove-second-invalidate  zero  3 of 100      3.00 %  0            9',
  ]);
});
