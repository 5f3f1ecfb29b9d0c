import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DELAYED_BYTES_MAX, DelayLine } from './delay-line.ts';

const LONG_MS = 60_000;

test('what is held back goes in the order in which it came, though the delay has become shorter', async () => {
  const line = new DelayLine();
  const gone: string[] = [];
  line.add(1, () => gone.push('at once'));
  assert.deepEqual(gone, ['at once']);
  line.ms = 20;
  line.add(1, () => gone.push('late'));
  line.ms = 0;
  const done = new Promise<void>((resolve) => {
    line.add(1, () => {
      gone.push('behind it');
      resolve();
    });
  });
  assert.deepEqual(gone, ['at once']);
  // The line's own timer keeps no process alive; a test must.
  const alive = setInterval(() => undefined, 1_000);
  await done;
  clearInterval(alive);
  assert.deepEqual(gone, ['at once', 'late', 'behind it']);
  line.add(1, () => gone.push('at once again'));
  assert.equal(gone.at(-1), 'at once again');
});

test('a source that sends more than a line holds is asked to wait, until it has room', () => {
  const states: string[] = [];
  const line = new DelayLine((state) => states.push(state));
  line.ms = LONG_MS;
  line.add(DELAYED_BYTES_MAX, () => undefined);
  assert.deepEqual(states, []);
  line.add(1, () => undefined);
  assert.deepEqual(states, ['full']);
  assert.equal(line.bytesWaiting, DELAYED_BYTES_MAX + 1);
  line.flush();
  assert.deepEqual(states, ['full', 'not full']);
  assert.equal(line.bytesWaiting, 0);
});
