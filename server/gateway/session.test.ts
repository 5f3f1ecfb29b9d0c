import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PONGS_MISSED_MAX, REFUSALS_MAX } from '../protocol/limits.ts';
import { nextSession, SESSION_BEGUN, type Session, type SessionEvent } from './session.ts';

const AWAY: Session = { state: 'away', since: 100, why: 'lost' };
const OVER: Session = { state: 'over', why: 'left' };

function after(session: Session, ...events: SessionEvent[]): Session {
  return events.reduce(nextSession, session);
}

test('a lost connection can be resumed until the grace is over', () => {
  assert.deepEqual(after(SESSION_BEGUN, { event: 'lost', at: 100 }), AWAY);
  assert.equal(after(AWAY, { event: 'tick', at: 149, graceMs: 50 }), AWAY);
  assert.deepEqual(after(AWAY, { event: 'tick', at: 150, graceMs: 50 }), {
    state: 'over',
    why: 'expired',
  });
  assert.equal(after(AWAY, { event: 'resumed' }), SESSION_BEGUN);
});

test('a client that leaves, or a server that closes, ends the session wherever it is', () => {
  for (const session of [SESSION_BEGUN, AWAY]) {
    assert.deepEqual(after(session, { event: 'left' }), OVER);
    assert.deepEqual(after(session, { event: 'closed', reason: 'going' }), {
      state: 'over',
      why: 'going',
    });
  }
});

test('what is over stays over', () => {
  const events: SessionEvent[] = [
    { event: 'resumed' },
    { event: 'lost', at: 1 },
    { event: 'refused' },
    { event: 'tick', at: 1e9, graceMs: 1 },
    { event: 'closed', reason: 'going' },
  ];
  for (const event of events) assert.equal(nextSession(OVER, event), OVER);
});

test('refusals count only in a row', () => {
  const refusals: SessionEvent[] = Array.from({ length: REFUSALS_MAX }, () => ({
    event: 'refused',
  }));
  const tired = after(SESSION_BEGUN, ...refusals);
  assert.equal(tired.state, 'attached');
  assert.deepEqual(after(tired, { event: 'refused' }), { state: 'over', why: 'too-many-refusals' });
  assert.equal(after(tired, { event: 'served' }, ...refusals).state, 'attached');
});

test('a peer that misses its pongs is lost, one that sends one is not', () => {
  const pings: SessionEvent[] = Array.from({ length: PONGS_MISSED_MAX }, () => ({
    event: 'pinged',
    at: 7,
  }));
  const quiet = after(SESSION_BEGUN, ...pings);
  assert.equal(quiet.state, 'attached');
  assert.deepEqual(after(quiet, { event: 'pinged', at: 7 }), {
    state: 'away',
    since: 7,
    why: 'heartbeat-lost',
  });
  assert.equal(after(quiet, { event: 'pong' }, ...pings).state, 'attached');
});

test('an interrupted session remembers why', () => {
  const event: SessionEvent = { event: 'interrupted', reason: 'too-slow', at: 3 };
  assert.deepEqual(after(SESSION_BEGUN, event), { state: 'away', since: 3, why: 'too-slow' });
  assert.equal(after(AWAY, event), AWAY);
});
