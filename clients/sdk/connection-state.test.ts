import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import { localRefusal } from './call-refusal.ts';
import {
  type ConnectionEvent,
  type ConnectionState,
  nextConnection,
  type OnLoss,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
} from './connection-state.ts';

const begin = {
  purpose: 'begin',
  failures: 0,
  giveUpAt: 100,
  nameFreeAt: 0,
  onLoss: 'resume',
} as const;
const attached = attachedWith('resume');
const greeted: ConnectionEvent = { event: 'greeted', graceMs: 1_000, comeBackMs: 5_000 };

function attachedWith(onLoss: OnLoss): ConnectionState {
  return { state: 'attached', graceMs: 1_000, comeBackMs: 5_000, onLoss, session: 'kept' };
}

function refusedAt(at: number, code: string): ConnectionEvent {
  return { event: 'hello-refused', refusal: localRefusal('EAGAIN', code, '', ''), at };
}

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
  const state = play({ state: 'connecting', attempt: begin }, { event: 'opened' }, greeted);
  assert.deepEqual(state, attached);
});

test('a client goes where another server has the lab, whatever time it was given, and not for ever', () => {
  let state: ConnectionState = { state: 'connecting', attempt: begin };
  let moves = 0;
  do {
    state = play(state, { event: 'retry' }, { event: 'opened' }, refusedAt(200, 'moved'));
    moves += 1;
  } while (state.state === 'away');
  assert.equal(state.state, 'closed');
  assert.equal(moves, 9);
});

test('a client that was in before waits for a lab that has no server just now', () => {
  for (const code of ['stalled', 'restoring', 'moved']) {
    const again = play(attached, lostAt(50), { event: 'retry' }, { event: 'opened' });
    assert.equal(play(again, refusedAt(100, code)).state, 'away', code);
  }
});

test('a lost session is tried again for as long as that is wanted, then it is lost', () => {
  const away = play(attached, lostAt(50));
  assert.deepEqual(away, {
    state: 'away',
    attempt: {
      purpose: 'resume',
      failures: 0,
      giveUpAt: 5_050,
      nameFreeAt: 1_050,
      onLoss: 'resume',
    },
    waitMs: RETRY_FIRST_MS,
  });
  const again = play(away, { event: 'retry' }, lostAt(5_049));
  assert.equal(again.state, 'away');
  const over = play(again, { event: 'retry' }, lostAt(5_050));
  assert.deepEqual(over, { state: 'closed', closed: { why: 'lost', code: 1006, text: '' } });
});

/** Of a client that comes back and is refused. */
function refusedAgain(onLoss: OnLoss, at: number, ...codes: readonly string[]): ConnectionState {
  let state = play(attachedWith(onLoss), lostAt(0));
  for (const code of codes) {
    state = play(state, { event: 'retry' }, { event: 'opened' }, refusedAt(at, code));
  }
  return state;
}

test('a refusal that passes by itself is waited out, any other is the end', () => {
  for (const code of ['going', 'restoring', 'under-pressure', 'lab-full', 'insufficient-storage']) {
    assert.equal(refusedAgain('resume', 10, code, code).state, 'away', code);
  }
  for (const code of ['bad-resume', 'no-such-lab', 'lab-damaged', 'bad-params', 'name-taken']) {
    assert.equal(refusedAgain('resume', 10, code).state, 'closed', code);
  }
  assert.equal(refusedAgain('resume', 5_000, 'restoring').state, 'closed');
});

test('who wants to be in the lab begins a session of its own where the old one is gone', () => {
  for (const code of ['bad-resume', 'resume-too-old']) {
    const fresh = refusedAgain('rejoin', 10, code);
    assert.equal(fresh.state === 'away' && fresh.attempt.purpose, 'rejoin');
  }
  // The old one may have the name until its grace is over; after that it is another's.
  assert.equal(refusedAgain('rejoin', 999, 'bad-resume', 'name-taken').state, 'away');
  assert.equal(refusedAgain('rejoin', 1_000, 'bad-resume', 'name-taken').state, 'closed');
  const expired = play(attachedWith('rejoin'), lostAt(0, CLOSE_CODES.expired.code));
  assert.equal(expired.state === 'away' && expired.attempt.purpose, 'rejoin');
  const going = lostAt(0, CLOSE_CODES.going.code);
  const rejoins = attachedWith('rejoin');
  const ended = play(rejoins, { event: 'going', server: 'for-now' }, going);
  assert.equal(ended.state === 'away' && ended.attempt.purpose, 'rejoin');
  assert.equal(play(rejoins, { event: 'going', server: 'for-good' }, going).state, 'closed');
});

test('a name that our own unanswered hello may have taken is waited for', () => {
  const connecting: ConnectionState = { state: 'connecting', attempt: begin };
  const opened = play(connecting, { event: 'opened' }, refusedAt(1, 'name-taken'));
  assert.equal(opened.state, 'closed');
  const unanswered = play(connecting, { event: 'opened' }, lostAt(1), { event: 'retry' });
  assert.equal(play(unanswered, { event: 'opened' }, refusedAt(2, 'name-taken')).state, 'away');
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
  for (const reason of [
    'superseded',
    'expired',
    'too-many-refusals',
    'lab-closed',
    'dismissed',
  ] as const) {
    assert.equal(play(attached, lostAt(0, CLOSE_CODES[reason].code)).state, 'closed', reason);
  }
  for (const reason of ['going', 'heartbeat-lost', 'seq-gap', 'too-slow'] as const) {
    assert.equal(play(attached, lostAt(0, CLOSE_CODES[reason].code)).state, 'away', reason);
  }
});

test('a server that goes for good is not waited for', () => {
  const code = CLOSE_CODES.going.code;
  const closed = play(attached, { event: 'going', server: 'for-now' }, lostAt(0, code));
  assert.deepEqual(closed, { state: 'closed', closed: { why: 'lost', code, text: '' } });
});

test('whoever asked to give up does not come back', () => {
  assert.equal(play(attachedWith('give-up'), lostAt(0)).state, 'closed');
});

test('nothing happens to a closed connection', () => {
  const closed = play(attached, { event: 'ended' });
  assert.equal(play(closed, lostAt(5), { event: 'retry' }, { event: 'opened' }), closed);
});
