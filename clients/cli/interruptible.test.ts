import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptible } from './interruptible.ts';

test('what is not interrupted returns what it returns, and throws what it throws', () => {
  assert.equal(
    interruptible(() => 7),
    7,
  );
  assert.throws(
    () =>
      interruptible(() => {
        throw new RangeError('mine');
      }),
    RangeError,
  );
});

test('Ctrl-C ends what would never return to the event loop', () => {
  const answer = interruptible(() => {
    process.kill(process.pid, 'SIGINT');
    for (;;);
  });
  assert.equal(answer, 'interrupted');
});
