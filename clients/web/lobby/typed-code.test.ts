import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedCode } from './typed-code.ts';

test('a code is read however it is typed, spaced or pasted', () => {
  for (const text of [
    '8JFKD',
    '8jfkd',
    ' 8 j f k d ',
    '8JF-KD',
    'Code: 8JFKD',
    'http://192.168.1.7:7070/join/8JFKD',
    'https://lab.example/join/8jfkd?x=1',
    'http://192.168.1.7:7070/lab/8JFKD/stage',
    '８ＪＦＫＤ',
  ]) {
    assert.equal(typedCode(text), '8JFKD', text);
  }
});

test('the name of a lab stays what it is, and nothing stays nothing', () => {
  assert.equal(typedCode('my-first-lab'), 'my-first-lab');
  assert.equal(typedCode('http://h/lab/caf%C3%A9/stage'), 'café');
  assert.equal(typedCode('  '), '');
});
