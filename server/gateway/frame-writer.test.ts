import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrames, FrameWriter, plainText } from './frame-writer.ts';
import type { Frame } from './outbox.ts';

const hex = (...frames: Frame[]) => encodeFrames(frames).toString('hex');

test('frames are laid out as RFC 6455 says', () => {
  assert.equal(hex('Hello'), '810548656c6c6f');
  assert.equal(hex(Uint8Array.of(1, 2)), '82020102');
  assert.equal(hex('é'), '8102c3a9');
  assert.equal(hex('', 'a'), '8100810161');
  assert.match(hex('x'.repeat(125)), /^817d7878/);
  assert.match(hex('x'.repeat(126)), /^817e007e7878/);
  assert.match(hex('x'.repeat(65_535)), /^817effff7878/);
  assert.match(hex(new Uint8Array(65_536)), /^827f00000000000100000000/);
});

test('lengths are those of the bytes, whatever the text', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 4 }),
      (texts) => {
        let at = 0;
        const buffer = encodeFrames(texts);
        for (const text of texts) {
          const short = buffer[at + 1] ?? 0;
          const length = short < 126 ? short : buffer.readUInt16BE(at + 2);
          at += short < 126 ? 2 : 4;
          assert.equal(buffer.toString('utf8', at, at + length), Buffer.from(text).toString());
          at += length;
        }
        assert.equal(at, buffer.length);
      },
    ),
    { numRuns: 200, seed: 6 },
  );
});

test('ASCII frames are the same bytes as text as they are as a buffer; others have no text', () => {
  const lengths = [0, 1, 125, 126, 127, 255, 256, 4_000, 65_535];
  const frames = lengths.map((length) => 'x\u007f\u0000"'.repeat(length).slice(0, length));
  for (const some of [...frames.map((frame) => [frame]), frames, []]) {
    const text = plainText(some);
    assert.equal(Buffer.from(text, 'latin1').toString('hex'), hex(...some));
  }
  assert.equal(plainText(['a', 'é']), 'not plain');
  assert.equal(plainText(['a', Uint8Array.of(1)]), 'not plain');
  assert.equal(plainText(['x'.repeat(65_536)]), 'not plain');
});

test('what was gathered is written once, and counts as waiting until then', () => {
  const socket = new PassThrough();
  const writer = new FrameWriter(socket);
  assert.equal(writer.add('ab'), 'first');
  assert.equal(writer.add('c'), 'later');
  assert.equal(writer.bytesWaiting, 3);
  writer.flush();
  assert.equal(socket.read().toString('hex'), '81026162810163');
  assert.equal(writer.bytesWaiting, 0);
  writer.flush();
  assert.equal(socket.read(), null);
  assert.equal(writer.add('d'), 'first');
});

test('text beyond ASCII is written as UTF-8', () => {
  const socket = new PassThrough();
  const writer = new FrameWriter(socket);
  writer.add('a');
  writer.add('é');
  writer.flush();
  assert.equal(socket.read().toString('hex'), '8101618102c3a9');
});

test('a socket that is gone takes nothing', () => {
  const socket = new PassThrough();
  const writer = new FrameWriter(socket);
  writer.add('a');
  socket.destroy();
  writer.flush();
  assert.equal(writer.bytesWaiting, 0);
});
