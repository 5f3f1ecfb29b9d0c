import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beganAgain } from './began-again.ts';

test('a client that has missed events is told how many, and one that has missed none nothing', () => {
  assert.equal(beganAgain({ last: 9, n: 9, session: 'over' }), '');
  assert.match(beganAgain({ last: 9, n: 12, session: 'over' }), /^3 events .* from event 12\.$/);
});

test('a lab that lost its memory with the server says how to get it back, one that was restarted does not', () => {
  assert.match(beganAgain({ last: 9, n: 0, session: 'over' }), /from its scenario .*--restore/);
  const restarted = beganAgain({ last: 9, n: 4, session: 'same' });
  assert.match(restarted, /^The lab began anew/);
  assert.doesNotMatch(restarted, /server/);
});
