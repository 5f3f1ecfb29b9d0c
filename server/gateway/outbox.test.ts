import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RANGE_PAGES_MAX } from '../abi/limits.ts';
import {
  OUTBOX_BYTES_MAX,
  REPLAY_ALL_BYTES_MAX,
  REPLAY_BYTES_MAX,
  REPLAY_FRAMES_MAX,
} from '../protocol/limits.ts';
import { fitsOutbox, Outbox } from './outbox.ts';

function filled(frames: readonly string[]): Outbox {
  const outbox = new Outbox({ all: 0 });
  for (const frame of frames) {
    outbox.next();
    outbox.keep(frame);
  }
  return outbox;
}

test('what was not acknowledged is sent again, in order', () => {
  const outbox = filled(['a', 'b', 'c']);
  assert.deepEqual(outbox.after(0), ['a', 'b', 'c']);
  assert.deepEqual(outbox.after(2), ['c']);
  assert.deepEqual(outbox.after(3), []);
  outbox.acknowledge(2);
  assert.deepEqual(outbox.after(2), ['c']);
  assert.equal(outbox.after(1), 'too-old');
});

test('a client cannot have what was never sent', () => {
  assert.equal(filled(['a']).after(2), 'too-old');
  const outbox = filled(['a']);
  outbox.acknowledge(99);
  assert.deepEqual(outbox.after(1), []);
});

test('what is kept is bounded in frames and in bytes; the oldest go first', () => {
  const many = filled(Array.from({ length: REPLAY_FRAMES_MAX + 5 }, (_, at) => `${at}`));
  assert.equal(many.keptFrames, REPLAY_FRAMES_MAX);
  assert.equal(many.after(4), 'too-old');
  assert.equal(many.after(5).at(0), '5');
  const big = filled(['x'.repeat(REPLAY_BYTES_MAX), 'y']);
  assert.equal(big.keptFrames, 1);
  assert.equal(filled(['x'.repeat(REPLAY_BYTES_MAX + 1)]).keptFrames, 0);
});

test('it agrees with a list of all frames, whatever is sent and acknowledged', () => {
  const step = fc.oneof(fc.constant('send' as const), fc.integer({ min: 0, max: 700 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 700 }), (steps) => {
      const outbox = new Outbox({ all: 0 });
      const all: string[] = [];
      let acknowledged = 0;
      for (const one of steps) {
        if (one === 'send') {
          outbox.next();
          all.push(`${all.length}`);
          outbox.keep(all.at(-1) ?? '');
        } else {
          outbox.acknowledge(one);
          acknowledged = Math.max(acknowledged, Math.min(one, all.length));
        }
      }
      assert.deepEqual(outbox.after(acknowledged), all.slice(acknowledged));
      if (acknowledged > 0) assert.equal(outbox.after(acknowledged - 1), 'too-old');
    }),
    { numRuns: 100, seed: 4 },
  );
});

test('the cap on waiting bytes counts the frame that is about to be sent', () => {
  assert.equal(fitsOutbox(OUTBOX_BYTES_MAX - 2, 'ab'), true);
  assert.equal(fitsOutbox(OUTBOX_BYTES_MAX - 2, 'abc'), false);
});

test('what all sessions keep is bounded too; each still keeps more than the longest answer', () => {
  const shared = { all: 0 };
  const page = 'x'.repeat(REPLAY_BYTES_MAX);
  const outboxes = Array.from({ length: REPLAY_ALL_BYTES_MAX / REPLAY_BYTES_MAX }, () => {
    const outbox = new Outbox(shared);
    outbox.next();
    outbox.keep(page);
    return outbox;
  });
  const late = new Outbox(shared);
  const answer = 'x'.repeat(RANGE_PAGES_MAX * 4_098 + 1_000);
  for (let at = 0; at < 3; at += 1) {
    late.next();
    late.keep(answer);
  }
  assert.equal(late.keptFrames, 1);
  outboxes[0]?.forget();
  assert.equal(shared.all, REPLAY_ALL_BYTES_MAX - REPLAY_BYTES_MAX + answer.length);
});
