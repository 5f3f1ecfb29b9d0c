import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentFrames } from './sent-frames.ts';

function sent(count: number, framesMax = 100, bytesMax = 1_000): SentFrames {
  const frames = new SentFrames(framesMax, bytesMax);
  for (let at = 1; at <= count; at += 1) frames.keep(frames.nextSeq(), `frame ${at}`);
  return frames;
}

test('what the server lacks is sent again, in order', () => {
  assert.deepEqual(sent(4).after(2), ['frame 3', 'frame 4']);
  assert.deepEqual(sent(4).after(4), []);
});

test('what the server has is forgotten', () => {
  const frames = sent(4);
  frames.forget(3);
  assert.equal(frames.kept, 1);
  assert.deepEqual(frames.after(3), ['frame 4']);
});

test('over the bound the oldest are dropped, and a resume that needs them is refused', () => {
  assert.equal(sent(5, 3).after(1), 'too-old');
  assert.deepEqual(sent(5, 3).after(2), ['frame 3', 'frame 4', 'frame 5']);
  assert.deepEqual(sent(5, 100, 14).after(3), ['frame 4', 'frame 5']);
  assert.equal(sent(5, 100, 14).after(2), 'too-old');
});

test('a server that claims frames which were never sent is not believed', () => {
  assert.equal(sent(2).after(3), 'too-old');
});

test('memory stays bounded over many frames', () => {
  const frames = sent(10_000, 8);
  assert.equal(frames.kept, 8);
  assert.deepEqual(frames.after(9_999), ['frame 10000']);
});
