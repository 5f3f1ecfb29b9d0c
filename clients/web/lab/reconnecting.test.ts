import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES } from '../../../server/protocol/close-codes.ts';
import type { ClosedWhy } from '../../sdk/connection-state.ts';
import {
  NOT_IN_YET,
  nextStatus,
  PAGE_RETRY_LAST_MS,
  type SessionStatus,
  type StatusEvent,
} from './reconnecting.ts';

const LOST: ClosedWhy = { why: 'lost', code: 1006, text: '' };
const UNREACHABLE: ClosedWhy = { why: 'unreachable', code: 1006, text: '' };

function refused(code: string): ClosedWhy {
  const refusal = {
    errno: 'ENOENT' as const,
    code,
    path: '',
    bound: '',
    remedy: '',
    certainty: 'definite' as const,
    message: '',
  };
  return { why: 'refused', refusal };
}

function closed(why: ClosedWhy): StatusEvent {
  return { event: 'closed', closed: why, sentence: 'why' };
}

function after(events: readonly StatusEvent[], from: SessionStatus = NOT_IN_YET): SessionStatus {
  return events.reduce(nextStatus, from);
}

const GREETED: StatusEvent = { event: 'greeted', session: 'fresh', fenced: false };

test('the first session has nothing to tell', () => {
  assert.deepEqual(after([GREETED]), { state: 'live', told: '' });
});

test('a lost connection that is resumed says that the same session goes on', () => {
  assert.equal(after([GREETED, { event: 'lost' }]).state, 'away');
  const back = after([GREETED, { event: 'lost' }, { event: 'resumed' }]);
  assert.match(back.state === 'live' ? back.told : '', /same session goes on/);
});

test('after a restart of the server a new session begins, and says what is gone', () => {
  const again = after([GREETED, closed(LOST), { event: 'retry' }, GREETED]);
  assert.match(again.state === 'live' ? again.told : '', /new session/);
});

test('a server that stays away is asked again and again, at growing distances up to a bound', () => {
  let status = after([GREETED, closed(LOST)]);
  let before = 0;
  for (let turn = 0; turn < 12; turn += 1) {
    assert.ok(status.state === 'waiting');
    assert.ok(status.waitMs >= before && status.waitMs <= PAGE_RETRY_LAST_MS);
    before = status.waitMs;
    status = after([{ event: 'retry' }, closed(UNREACHABLE)], status);
  }
  assert.equal(before, PAGE_RETRY_LAST_MS);
});

test('a newcomer is refused a name that is taken; a client that was in before waits for it', () => {
  assert.equal(after([closed(refused('name-taken'))]).state, 'refused');
  assert.equal(after([closed(refused('no-such-lab'))]).state, 'refused');
  const before = [GREETED, closed(LOST), { event: 'retry' }] as const;
  assert.equal(after([...before, closed(refused('name-taken'))]).state, 'waiting');
  assert.equal(after([...before, closed(refused('bad-resume'))]).state, 'waiting');
  assert.equal(after([...before, closed(refused('lab-full'))]).state, 'refused');
  const gone = after([...before, closed(refused('no-such-lab'))]);
  assert.deepEqual(gone.state === 'refused' ? gone.code : gone.state, 'lab-lost');
});

test('a closed lab is not a lost one, and a client that was sent out does not come back by itself', () => {
  for (const reason of ['lab-closed', 'dismissed'] as const) {
    const { code } = CLOSE_CODES[reason];
    const over = after([GREETED, closed({ why: 'lost', code, text: reason })]);
    assert.deepEqual(over.state === 'refused' ? over.code : over.state, reason);
  }
});
