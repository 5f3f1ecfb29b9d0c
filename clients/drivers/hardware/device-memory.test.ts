import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTaskContext } from '../../../server/task/context.ts';
import { pageIndex, pfn } from '../../../server/vocabulary/address.ts';
import { pageOfU64, ZERO_CONTENTS } from '../../../server/vocabulary/page-contents.ts';
import {
  addChunk,
  deviceFramesInUse,
  giveFrameBack,
  newDeviceMemory,
  ownsFrame,
  readDeviceFrame,
  removeFreeFrames,
  takeFreeFrame,
  writeDeviceFrame,
} from './device-memory.ts';

const PAGE = pageIndex(7);

test('frames are handed out once, the last to come back first, until the chunks are used up', () => {
  const memory = newDeviceMemory(0, newTaskContext());
  assert.equal(takeFreeFrame(memory, PAGE), 'none');
  addChunk(memory, pfn(100), 2);
  assert.equal(takeFreeFrame(memory, PAGE), 100);
  assert.equal(takeFreeFrame(memory, PAGE), 101);
  assert.equal(takeFreeFrame(memory, PAGE), 'none');
  giveFrameBack(memory, pfn(100));
  assert.equal(takeFreeFrame(memory, PAGE), 100);
  addChunk(memory, pfn(500), 1);
  assert.equal(takeFreeFrame(memory, PAGE), 500);
  assert.deepEqual(
    [99, 100, 101, 102, 500].map((frame) => ownsFrame(memory, pfn(frame))),
    [false, true, true, false, true],
  );
});

test('a frame is zero when it is handed out, whatever it held before', () => {
  const memory = newDeviceMemory(0, newTaskContext());
  addChunk(memory, pfn(100), 1);
  takeFreeFrame(memory, PAGE);
  writeDeviceFrame(memory, pfn(100), pageOfU64(5n));
  assert.deepEqual(readDeviceFrame(memory, pfn(100)), pageOfU64(5n));
  giveFrameBack(memory, pfn(100));
  writeDeviceFrame(memory, pfn(100), pageOfU64(6n));
  takeFreeFrame(memory, PAGE);
  assert.deepEqual(readDeviceFrame(memory, pfn(100)), ZERO_CONTENTS);
});

test('of a chunk that is removed no frame is handed out, not even one that comes back', () => {
  const memory = newDeviceMemory(0, newTaskContext());
  addChunk(memory, pfn(100), 3);
  addChunk(memory, pfn(200), 1);
  takeFreeFrame(memory, PAGE);
  takeFreeFrame(memory, PAGE);
  giveFrameBack(memory, pfn(101));
  const chunk = memory.chunks[0];
  assert.ok(chunk !== undefined);
  removeFreeFrames(memory, chunk);
  assert.equal(deviceFramesInUse(memory, chunk), 1);
  giveFrameBack(memory, pfn(100));
  assert.equal(deviceFramesInUse(memory, chunk), 0);
  assert.equal(takeFreeFrame(memory, PAGE), 200);
  assert.equal(takeFreeFrame(memory, PAGE), 'none');
});
