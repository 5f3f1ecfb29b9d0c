import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import {
  type ConnectionEvent,
  type ConnectionState,
  nextConnection,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
} from './connection-state.ts';

const begin = { purpose: 'begin', failures: 0, giveUpAt: 100 } as const;
const attached: ConnectionState = { state: 'attached', graceMs: 1_000, onLoss: 'resume' };
const lostAt = (at: number, code = 1006): ConnectionEvent => ({
  event: 'lost',
  code,
  text: '',
  at,
});

function play(from: ConnectionState, ...events: ConnectionEvent[]): ConnectionState {
  return events.reduce(nextConnection, from);
}

test('a connection opens, greets and is attached', () => {
  const state = play(
    { state: 'connecting', attempt: begin },
    { event: 'opened' },
    { event: 'greeted', graceMs: 1_000, onLoss: 'resume' },
  );
  assert.deepEqual(state, attached);
});

test('a lost session is tried again until its grace period is over, then it is lost', () => {
  const away = play(attached, lostAt(50));
  assert.deepEqual(away, {
    state: 'away',
    attempt: { purpose: 'resume', failures: 0, giveUpAt: 1_050 },
    waitMs: RETRY_FIRST_MS,
  });
  const again = play(away, { event: 'retry' }, lostAt(1_049));
  assert.equal(again.state, 'away');
  const over = play(again, { event: 'retry' }, lostAt(1_050));
  assert.deepEqual(over, { state: 'closed', closed: { why: 'lost', code: 1006, text: '' } });
});

test('a server that never answered is unreachable, not lost', () => {
  const first = play({ state: 'connecting', attempt: begin }, lostAt(99));
  assert.equal(first.state, 'away');
  const over = play(first, { event: 'retry' }, lostAt(100));
  assert.deepEqual(over, {
    state: 'closed',
    closed: { why: 'unreachable', code: 1006, text: '' },
  });
});

test('the wait between attempts doubles up to a bound', () => {
  let state: ConnectionState = { state: 'connecting', attempt: { ...begin, giveUpAt: 1e9 } };
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    state = play(state, lostAt(0));
    if (state.state === 'away') waits.push(state.waitMs);
    state = play(state, { event: 'retry' });
  }
  assert.equal(waits[0], 2 * RETRY_FIRST_MS);
  assert.equal(waits[1], 4 * RETRY_FIRST_MS);
  assert.equal(waits.at(-1), RETRY_LAST_MS);
});

test('closings that mean it are final', () => {
  for (const reason of ['superseded', 'expired', 'bad-frame', 'too-many-refusals'] as const) {
    assert.equal(play(attached, lostAt(0, CLOSE_CODES[reason].code)).state, 'closed', reason);
  }
  for (const reason of ['going', 'heartbeat-lost', 'seq-gap', 'too-slow'] as const) {
    assert.equal(play(attached, lostAt(0, CLOSE_CODES[reason].code)).state, 'away', reason);
  }
});

test('a server that goes for good is not waited for', () => {
  const code = CLOSE_CODES.going.code;
  const closed = play(attached, { event: 'going' }, lostAt(0, code));
  assert.deepEqual(closed, { state: 'closed', closed: { why: 'lost', code, text: '' } });
});

test('whoever asked to give up does not come back', () => {
  assert.equal(play({ ...attached, onLoss: 'give-up' }, lostAt(0)).state, 'closed');
});

test('nothing happens to a closed connection', () => {
  const closed = play(attached, { event: 'ended' });
  assert.equal(play(closed, lostAt(5), { event: 'retry' }, { event: 'opened' }), closed);
});
