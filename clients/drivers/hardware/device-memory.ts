/**
 * The private memory of one device: frames that only this device and its peers can reach, in
 * chunks from memremap_pages().
 *
 * Models: the backing pages, the free list and the chunks of lib/test_hmm.c (6.1).
 * Leaves out: devmem_lock (two tasks that both find the list empty each add a chunk, as in the
 * original) and the list's spinlock (taking a frame is one atomic step here).
 */
import type { PeerMemory } from '../../../server/abi/device-api.ts';
import { type TaskContext, touch } from '../../../server/task/context.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import { type Task, willRead, willWrite } from '../../../server/task/task.ts';
import { type PageIndex, type Pfn, pfn } from '../../../server/vocabulary/address.ts';
import { OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { type PageContents, ZERO_CONTENTS } from '../../../server/vocabulary/page-contents.ts';

/** A struct dmirror_chunk: frames [first, first + count). */
export interface DeviceChunk {
  readonly first: Pfn;
  readonly count: number;
  /** 'removed': its frames do not go back to the free list. */
  state: 'in-use' | 'removed';
  /** Frames from the front that were handed out at least once. */
  touched: number;
}

interface PrivateFrame {
  contents: PageContents;
  /** The page it was allocated for. mremap() may have moved it since. */
  readonly page: PageIndex;
}

export interface DeviceMemory {
  readonly deviceNumber: number;
  /** Every access to a frame is noted here for an explorer. */
  readonly context: TaskContext;
  /**
   * Guards nothing: names the free list for the explorer and for waiters. No frame has number 0.
   */
  readonly freeListObject: ObjectId;
  readonly chunks: DeviceChunk[];
  /** Frames that came back, last in first out. */
  readonly freed: Pfn[];
  readonly frames: Map<Pfn, PrivateFrame>;
}

export function newDeviceMemory(deviceNumber: number, context: TaskContext): DeviceMemory {
  return {
    deviceNumber,
    context,
    freeListObject: objectId('device_memory', deviceNumber, 0),
    chunks: [],
    freed: [],
    frames: new Map(),
  };
}

/** The object that accesses to a private frame conflict on. */
export function deviceFrameObject(memory: DeviceMemory, frame: Pfn): ObjectId {
  return objectId('device_memory', memory.deviceNumber, frame);
}

export function addChunk(memory: DeviceMemory, first: Pfn, count: number): void {
  memory.chunks.push({ first, count, state: 'in-use', touched: 0 });
}

/** True if `frame` is, or was, memory of this device. */
export function ownsFrame(memory: DeviceMemory, frame: Pfn): boolean {
  return chunkOf(memory, frame) !== 'none';
}

/**
 * Takes a free frame for `page`, or 'none' if the chunks are used up. Announce a write of
 * freeListObject before.
 */
export function takeFreeFrame(memory: DeviceMemory, page: PageIndex): Pfn | 'none' {
  const frame = memory.freed.pop() ?? untouchedFrame(memory);
  if (frame === 'none') return frame;
  touch(memory.context, deviceFrameObject(memory, frame), 'write');
  memory.frames.set(frame, { contents: ZERO_CONTENTS, page });
  return frame;
}

/**
 * Takes back a frame that lost its last reference. Announce a write of freeListObject before; wake
 * it after.
 */
export function giveFrameBack(memory: DeviceMemory, frame: Pfn): void {
  // A stale access may come before or after.
  touch(memory.context, deviceFrameObject(memory, frame), 'write');
  memory.frames.delete(frame);
  const chunk = chunkOf(memory, frame);
  if (chunk !== 'none' && chunk.state === 'in-use') memory.freed.push(frame);
}

/**
 * From here on no frame of `chunk` is handed out any more. Announce a write of freeListObject
 * before.
 */
export function removeFreeFrames(memory: DeviceMemory, chunk: DeviceChunk): void {
  chunk.state = 'removed';
  const kept = memory.freed.filter((frame) => !holds(chunk, frame));
  memory.freed.splice(0, memory.freed.length, ...kept);
}

/** Frames that came back. 'unknown' once chunks are given up: their frames do not come back. */
export function freeFrames({ chunks, freed }: DeviceMemory): readonly Pfn[] | 'unknown' {
  return chunks.every(({ state }) => state === 'in-use') ? freed.slice() : 'unknown';
}

/** How many frames of `chunk` are in use. */
export function deviceFramesInUse(memory: DeviceMemory, chunk: DeviceChunk): number {
  let count = 0;
  for (const frame of memory.frames.keys()) if (holds(chunk, frame)) count += 1;
  return count;
}

/**
 * A frame that is not in use reads as zeros: a stale access finds no old data, and harms the owner that
 * has it next.
 */
export function readDeviceFrame(memory: DeviceMemory, frame: Pfn): PageContents {
  touch(memory.context, deviceFrameObject(memory, frame), 'read');
  return memory.frames.get(frame)?.contents ?? ZERO_CONTENTS;
}

/** A write to a frame that is not in use is lost, as everything in a freed frame is. */
export function writeDeviceFrame(memory: DeviceMemory, frame: Pfn, contents: PageContents): void {
  touch(memory.context, deviceFrameObject(memory, frame), 'write');
  const found = memory.frames.get(frame);
  if (found !== undefined) found.contents = contents;
}

/** What peers reach of it: no lock of the driver stands before that. */
export function peerMemoryOf(memory: DeviceMemory): PeerMemory {
  return {
    read: (frame) => peerRead(memory, frame),
    write: (frame, contents) => peerWrite(memory, frame, contents),
  };
}

function* peerRead(memory: DeviceMemory, frame: Pfn): Task<Result<PageContents>> {
  yield willRead('peer.read', deviceFrameObject(memory, frame));
  return ok(readDeviceFrame(memory, frame));
}

function* peerWrite(memory: DeviceMemory, frame: Pfn, contents: PageContents): Task<Result<void>> {
  yield willWrite('peer.write', deviceFrameObject(memory, frame));
  writeDeviceFrame(memory, frame, contents);
  return OK;
}

/** The page that `frame` was allocated for, or 'none' if it is not in use. */
export function homeOfFrame(memory: DeviceMemory, frame: Pfn): PageIndex | 'none' {
  touch(memory.context, deviceFrameObject(memory, frame), 'read');
  return memory.frames.get(frame)?.page ?? 'none';
}

function untouchedFrame(memory: DeviceMemory): Pfn | 'none' {
  for (const chunk of memory.chunks) {
    if (chunk.state === 'in-use' && chunk.touched < chunk.count) {
      const frame = pfn(chunk.first + chunk.touched);
      chunk.touched += 1;
      return frame;
    }
  }
  return 'none';
}

function chunkOf(memory: DeviceMemory, frame: Pfn): DeviceChunk | 'none' {
  for (const chunk of memory.chunks) if (holds(chunk, frame)) return chunk;
  return 'none';
}

function holds(chunk: DeviceChunk, frame: Pfn): boolean {
  return frame >= chunk.first && frame < chunk.first + chunk.count;
}
