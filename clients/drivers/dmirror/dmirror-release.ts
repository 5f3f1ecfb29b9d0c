/**
 * Gives all private memory of the device up, and takes back single frames that the kernel freed.
 *
 * Models: dmirror_device_remove_chunks(), dmirror_device_evict_chunk(), dmirror_devmem_free() of
 * lib/test_hmm.c (6.1).
 * The original evicts a chunk in one call; here it takes a batch a call, as a message has limits.
 * Leaves out: memunmap_pages() itself; frames of a removed chunk are never used again.
 */

import { migratePfnToPfn } from '../../../server/abi/migrate-pfn.ts';
import { enterLoop, keepOnly, wake } from '../../../server/task/context.ts';
import { type Task, waitUntil, willWrite } from '../../../server/task/task.ts';
import { type PageIndex, type Pfn, pageIndex, pfn } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import {
  type DeviceChunk,
  deviceFramesInUse,
  giveFrameBack,
  homeOfFrame,
  removeFreeFrames,
} from '../hardware/device-memory.ts';
import { copyToSystem } from './dmirror-migrate-back.ts';
import { DMIRROR_BATCH_PAGES, type Dmirror } from './dmirror-state.ts';

/** Pages that are locked just then are passed over, so an eviction is tried this often. */
export const EVICTION_PASSES_MAX = 8;

/**
 * Evicts every chunk. The next migration to the device adds a new one.
 *
 * Yields:  yes. Like the original, whose memunmap_pages() waits for the last reference, it waits
 *          while a page refuses to move.
 * Returns: ENOTCONN if the device is fenced.
 */
export function* dmirrorRelease(dmirror: Dmirror): Task<Result<void>> {
  const { context, memory } = dmirror;
  for (const chunk of memory.chunks.filter((each) => each.state === 'in-use')) {
    yield willWrite('dmirror_device_remove_chunks.remove', memory.freeListObject);
    removeFreeFrames(memory, chunk);
    enterLoop(context, memory.freeListObject);
    for (let pass = 0; pass < EVICTION_PASSES_MAX; pass += 1) {
      keepOnly(context, memory.freeListObject, `pass ${pass}`);
      const evicted = yield* evictChunk(dmirror, chunk);
      if (!evicted.ok) return evicted;
      if (deviceFramesInUse(memory, chunk) === 0) break;
    }
    yield waitUntil(
      'memunmap_pages.wait',
      memory.freeListObject,
      () => deviceFramesInUse(memory, chunk) === 0,
    );
  }
  return OK;
}

/** The page_free callback: the frame goes back to the list, unless its chunk is being removed. */
export function* dmirrorDevmemFree(dmirror: Dmirror, frame: Pfn): Task<void> {
  yield willWrite('dmirror_devmem_free.put', dmirror.memory.freeListObject);
  giveFrameBack(dmirror.memory, frame);
  wake(dmirror.context, dmirror.memory.freeListObject);
}

/** Frames that were never handed out cannot be in use, so the chunk ends where those begin. */
export function* evictChunk(dmirror: Dmirror, chunk: DeviceChunk): Task<Result<void>> {
  for (let at = 0; at < chunk.touched; at += DMIRROR_BATCH_PAGES) {
    const count = Math.min(DMIRROR_BATCH_PAGES, chunk.touched - at);
    const evicted = yield* evictFrames(dmirror, pfn(chunk.first + at), count);
    if (!evicted.ok) return evicted;
  }
  return OK;
}

function* evictFrames(dmirror: Dmirror, first: Pfn, count: number): Task<Result<void>> {
  const range = yield* dmirror.api.migrateDeviceRange(first, count);
  if (!range.ok) return range;
  const homes = range.value.src.map((src): PageIndex => {
    const frame = migratePfnToPfn(src);
    const home = frame === 'none' ? 'none' : homeOfFrame(dmirror.memory, frame);
    return home === 'none' ? pageIndex(0) : home;
  });
  const copied = yield* copyToSystem(dmirror, range.value.src, homes, leaveEntry);
  if (copied.ok) yield* dmirror.api.migrateDevicePages(range.value, copied.value);
  yield* dmirror.api.migrateDeviceFinalize(range.value);
  return copied.ok ? OK : copied;
}

/**
 * An eviction reaches the entry through the invalidation of the unmapping, which this device does
 * not ignore.
 */
function* leaveEntry(): Task<void> {
  // Nothing to do here.
}
