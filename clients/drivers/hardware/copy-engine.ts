/** The private memory of a device from a driver's side: frames taken and given back, pages copied in and out. */
import type { MmId } from '../../../server/abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_WRITE,
  type MigratePfn,
  migratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../server/abi/migrate-pfn.ts';
import { wake } from '../../../server/task/context.ts';
import { type Task, willRead, willWrite } from '../../../server/task/task.ts';
import {
  type PageIndex,
  type PageRange,
  type Pfn,
  pageIndex,
} from '../../../server/vocabulary/address.ts';
import { OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { type PageContents, ZERO_CONTENTS } from '../../../server/vocabulary/page-contents.ts';
import {
  addChunk,
  deviceFrameObject,
  giveFrameBack,
  ownsFrame,
  readDeviceFrame,
  takeFreeFrame,
  writeDeviceFrame,
} from './device-memory.ts';
import type { Gpu } from './gpu.ts';

/** memremap_pages(). Returns: ENOMEM beyond the machine's limit. */
export function* addMemory(gpu: Gpu): Task<Result<void>> {
  const first = yield* gpu.api.memremapPages(gpu.memoryPages, gpu.pgmapOwner);
  if (!first.ok) return first;
  yield willWrite('vram.add', gpu.memory.freeListObject);
  addChunk(gpu.memory, first.value, gpu.memoryPages);
  return OK;
}

/** The page_free callback. */
export function* freeFrame(gpu: Gpu, frame: Pfn): Task<void> {
  yield willWrite('vram.put', gpu.memory.freeListObject);
  giveFrameBack(gpu.memory, frame);
  wake(gpu.context, gpu.memory.freeListObject);
}

/**
 * A private frame for each source that may migrate, filled with a copy, or with zeros where there is no page yet.
 * `emptyWritable`: whether a page that is not there yet is to be writable.
 *
 * Returns: one destination a page, MIGRATE_PFN_NONE where nothing is to move or memory ran out. On failure the frames
 *          are given back.
 */
export function* copyToDevice(
  gpu: Gpu,
  sources: readonly MigratePfn[],
  first: PageIndex,
  emptyWritable: 'writable' | 'read-only',
): Task<Result<MigratePfn[]>> {
  const dst = sources.map(() => MIGRATE_PFN_NONE);
  for (const [at, src] of sources.entries()) {
    if (!migratePfnHas(src, MIGRATE_PFN_MIGRATE)) continue;
    const source = migratePfnToPfn(src);
    // It is here already.
    if (source !== 'none' && ownsFrame(gpu.memory, source)) continue;
    const page = pageIndex(first + at);
    const frame = yield* takeFrame(gpu, page);
    if (frame === 'none') break;
    const filled = yield* fill(gpu, page, source, frame);
    if (!filled.ok) {
      yield* gpu.api.putDevicePage(frame);
      yield* giveBack(gpu, dst);
      return filled;
    }
    const writable =
      migratePfnHas(src, MIGRATE_PFN_WRITE) || (source === 'none' && emptyWritable === 'writable');
    dst[at] = migratePfn(frame, writable ? MIGRATE_PFN_WRITE : 0);
  }
  return ok(dst);
}

/** The other way: a system frame for each private source that may migrate. Returns: as copyToDevice(). */
export function* copyToSystem(
  gpu: Gpu,
  sources: readonly MigratePfn[],
  first: PageIndex,
): Task<Result<MigratePfn[]>> {
  const dst = sources.map(() => MIGRATE_PFN_NONE);
  for (const [at, src] of sources.entries()) {
    const source = migratePfnToPfn(src);
    if (source === 'none' || !migratePfnHas(src, MIGRATE_PFN_MIGRATE)) continue;
    const frames = yield* gpu.api.allocPages(1);
    if (!frames.ok) break;
    const [frame] = frames.value as [Pfn];
    const page = pageIndex(first + at);
    const read = yield* readPrivate(gpu, page, source);
    const written = read.ok ? yield* gpu.api.dmaWrite([{ page, pfn: frame }], [read.value]) : read;
    if (!written.ok) {
      yield* gpu.api.putDevicePage(frame);
      yield* giveBack(gpu, dst);
      return written;
    }
    dst[at] = migratePfn(frame, migratePfnHas(src, MIGRATE_PFN_WRITE) ? MIGRATE_PFN_WRITE : 0);
  }
  return ok(dst);
}

function* readPrivate(gpu: Gpu, page: PageIndex, source: Pfn): Task<Result<PageContents>> {
  if (!ownsFrame(gpu.memory, source)) {
    const read = yield* gpu.api.dmaRead([{ page, pfn: source }]);
    return read.ok ? ok(read.value[0] ?? ZERO_CONTENTS) : read;
  }
  yield willRead('copy_engine.to_system', deviceFrameObject(gpu.memory, source));
  return ok(readDeviceFrame(gpu.memory, source));
}

/** Puts the destinations of a migration that is given up. */
export function* giveBack({ api }: Gpu, dst: readonly MigratePfn[]): Task<void> {
  for (const entry of dst) {
    const frame = migratePfnToPfn(entry);
    if (frame !== 'none') yield* api.putDevicePage(frame);
  }
}

function* takeFrame(gpu: Gpu, page: PageIndex): Task<Pfn | 'none'> {
  for (;;) {
    yield willWrite('vram.take', gpu.memory.freeListObject);
    const frame = takeFreeFrame(gpu.memory, page);
    if (frame !== 'none') {
      gpu.api.zoneDevicePageInit(frame);
      return frame;
    }
    const added = yield* addMemory(gpu);
    if (!added.ok) return 'none';
  }
}

function* fill(gpu: Gpu, page: PageIndex, source: Pfn | 'none', frame: Pfn): Task<Result<void>> {
  let contents: PageContents = ZERO_CONTENTS;
  if (source !== 'none') {
    const read = yield* gpu.api.dmaRead([{ page, pfn: source }]);
    if (!read.ok) return read;
    contents = read.value[0] ?? ZERO_CONTENTS;
  }
  yield willWrite('copy_engine.to_device', deviceFrameObject(gpu.memory, frame));
  writeDeviceFrame(gpu.memory, frame, contents);
  return OK;
}

/**
 * Brings private pages of a range back to system memory: setup, copy, pages, finalize. For a CPU's fault `faultPage` is
 * its page, else 'none'.
 *
 * Holds: mmap_lock of `mm` for read. Yields: yes.
 * Returns: as migrate_vma_setup(); ENOMEM without a frame. That a page has stayed is no failure.
 */
export function* migrateHome(
  gpu: Gpu,
  mm: MmId,
  range: PageRange,
  faultPage: Pfn | 'none',
): Task<Result<void>> {
  const { api } = gpu;
  const setup = yield* api.migrateVmaSetup({ mm, range, select: 'device-private', faultPage });
  if (!setup.ok) return setup;
  const copied = yield* copyToSystem(gpu, setup.value.src, range.first);
  if (copied.ok) yield* api.migrateVmaPages(setup.value, copied.value);
  yield* api.migrateVmaFinalize(setup.value);
  return copied.ok ? OK : copied;
}
