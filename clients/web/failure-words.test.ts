import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTP_ERROR_CODES } from '../../server/protocol/http-errors.ts';
import { failureWords } from './failure-words.ts';

test('no refusal of the server says a route or a field to a person, and each says something', () => {
  for (const { meaning: message, remedy } of Object.values(HTTP_ERROR_CODES)) {
    const words = failureWords({ message, what: 'body.token: the token is damaged', remedy });
    assert.doesNotMatch(words, /\b(GET|POST|DELETE)\b|\/api|body\./, words);
    assert.match(words, /the token is damaged/);
    assert.notEqual(failureWords({ message, what: '', remedy }), '');
  }
});
