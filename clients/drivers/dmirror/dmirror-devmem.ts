/**
 * Hands out the private memory of the device, adding chunks as it runs out.
 *
 * Models: dmirror_devmem_alloc_page(), dmirror_allocate_chunk() of lib/test_hmm.c (6.1).
 */
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { PageIndex, Pfn } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { addChunk, takeFreeFrame } from '../hardware/device-memory.ts';
import type { Dmirror } from './dmirror-state.ts';

/**
 * Takes a private frame for each of `pages`, adding a chunk when the list is empty.
 *
 * Returns: frames, referenced and locked, for the first pages; fewer than asked for if no chunk
 *          could be added.
 */
export function* allocDeviceFrames(dmirror: Dmirror, pages: readonly PageIndex[]): Task<Pfn[]> {
  const { api, memory } = dmirror;
  const frames: Pfn[] = [];
  while (frames.length < pages.length) {
    yield willWrite('dmirror_devmem_alloc_page.take', memory.freeListObject);
    for (const page of pages.slice(frames.length)) {
      const frame = takeFreeFrame(memory, page);
      if (frame === 'none') break;
      api.zoneDevicePageInit(frame);
      frames.push(frame);
    }
    if (frames.length < pages.length && !(yield* allocateChunk(dmirror)).ok) break;
  }
  return frames;
}

/** dmirror_allocate_chunk(). Returns: ENOMEM beyond the machine's limit. */
export function* allocateChunk(dmirror: Dmirror): Task<Result<void>> {
  const first = yield* dmirror.api.memremapPages(dmirror.memoryPages, dmirror.pgmapOwner);
  if (!first.ok) return first;
  yield willWrite('dmirror_allocate_chunk.add', dmirror.memory.freeListObject);
  addChunk(dmirror.memory, first.value, dmirror.memoryPages);
  return OK;
}
