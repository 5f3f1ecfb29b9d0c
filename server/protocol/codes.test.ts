import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES } from './close-codes.ts';
import { CODE_OF_ERRNO, ERROR_CODES } from './error-codes.ts';
import { kernelRefusal, refusalText, refuse, rpcError } from './refusal.ts';

test('no two error codes share a number, no two close codes either', () => {
  const numbers = Object.values(ERROR_CODES).map((entry) => entry.jsonrpc);
  assert.equal(new Set(numbers).size, numbers.length);
  const closes = Object.values(CLOSE_CODES).map((entry) => entry.code);
  assert.equal(new Set(closes).size, closes.length);
  assert.ok(closes.every((code) => code >= 4000 && code <= 4999));
});

test('close reasons fit a WebSocket close frame', () => {
  for (const reason of Object.keys(CLOSE_CODES)) assert.ok(Buffer.byteLength(reason) <= 123);
});

test('the error of the wire carries errno, word, path, bound, remedy and whether it happened', () => {
  const error = rpcError(refuse('bad-params', 'params.page', 'a whole number'));
  assert.deepEqual(error, {
    code: -32602,
    message: 'params.page: expected a whole number',
    data: {
      errno: 'EINVAL',
      code: 'bad-params',
      path: 'params.page',
      bound: 'a whole number',
      remedy: ERROR_CODES['bad-params'].remedy,
      definite: true,
    },
  });
});

test('an errno of the kernel keeps its name under every word', () => {
  for (const errno of Object.keys(CODE_OF_ERRNO) as (keyof typeof CODE_OF_ERRNO)[]) {
    const refusal = kernelRefusal(errno, 'params.range');
    assert.equal(refusal.errno, errno);
    assert.match(refusalText(refusal), new RegExp(`^params.range: ${errno}: `));
  }
});
