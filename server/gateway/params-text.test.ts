import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuestionParams } from '../protocol/server-questions.ts';
import { pageIndex } from '../vocabulary/address.ts';
import { seq } from '../vocabulary/seq.ts';
import { ParamsText } from './params-text.ts';

const PARAMS: QuestionParams['invalidate'] = {
  subscription: 7,
  mm: 0,
  range: { first: pageIndex(16), end: pageIndex(17) },
  event: 'clear',
  owner: 'none',
  blocking: 'blockable',
  seq: seq(3),
};

test('the text is that of JSON.stringify, whatever was asked before', () => {
  const texts = new ParamsText();
  const changes: Partial<QuestionParams['invalidate']>[] = [
    {},
    { subscription: 8 },
    { mm: 1 },
    { range: { first: pageIndex(16), end: pageIndex(18) } },
    { range: { first: pageIndex(15), end: pageIndex(17) } },
    { event: 'unmap' },
    { owner: 'gpu "0"' },
    { blocking: 'non-blockable' },
    { seq: seq(5) },
  ];
  for (const change of [...changes, ...changes.toReversed()]) {
    const params = { ...PARAMS, ...change };
    assert.equal(texts.of('invalidate', params), JSON.stringify(params));
    assert.equal(texts.of('release', {}), '{}');
    assert.equal(texts.of('invalidate', { page: 1 }), '{"page":1}');
  }
});
