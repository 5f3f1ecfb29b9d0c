/**
 * Moves private pages of the device back to system memory: on request, or because a CPU touched
 * one.
 *
 * Models: dmirror_migrate_to_system(), dmirror_devmem_fault(),
 * dmirror_devmem_fault_alloc_and_copy() of lib/test_hmm.c (6.1). As there, the entry is erased
 * before the copy but without the driver lock, so a device write that has looked up the entry
 * already can land in the frame after it was copied.
 */

import type { DeviceFault, DmaTarget } from '../../../server/abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_VALID,
  MIGRATE_PFN_WRITE,
  type MigratePfn,
  migratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../server/abi/migrate-pfn.ts';
import { type Task, willRead, willWrite } from '../../../server/task/task.ts';
import {
  type PageIndex,
  type PageRange,
  type Pfn,
  pageIndex,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { PageContents } from '../../../server/vocabulary/page-contents.ts';
import { deviceFrameObject, ownsFrame, readDeviceFrame } from '../hardware/device-memory.ts';
import { dropEntry, entryObject } from '../hardware/device-page-table.ts';
import { migrateEachVma } from './dmirror-migrate.ts';
import type { Dmirror } from './dmirror-state.ts';

export interface DmirrorMigratedToSystem {
  /** Pages that migrated. */
  readonly cpages: number;
}

/**
 * Takes:   mmap_lock for read.
 * Returns: EINVAL at the first page without a readable mapping, with what lies before it migrated.
 */
export function* dmirrorMigrateToSystem(
  dmirror: Dmirror,
  range: PageRange,
): Task<Result<DmirrorMigratedToSystem>> {
  const so = { cpages: 0 };
  const migrated = yield* migrateEachVma(dmirror, range, (part) =>
    migratePartBack(dmirror, part, so),
  );
  return migrated.ok ? ok({ cpages: so.cpages }) : migrated;
}

function* migratePartBack(
  dmirror: Dmirror,
  part: PageRange,
  so: { cpages: number },
): Task<Result<void>> {
  const moved = yield* migrateBack(dmirror, dmirror.api.mm, part, 'none');
  if (!moved.ok) return moved;
  so.cpages += moved.value;
  return OK;
}

/**
 * The migrate_to_ram callback: brings back the one page that a CPU, another device or a pin faulted
 * on.
 *
 * Holds:   mmap_lock of the faulting mm for read (the caller does); it may be another mm than the
 *          mirrored one.
 * Returns: EINVAL if the migration could not be set up. A page that did not move is no failure: the
 *          fault is taken again.
 */
export function* dmirrorDevmemFault(dmirror: Dmirror, fault: DeviceFault): Task<Result<void>> {
  const moved = yield* migrateBack(dmirror, fault.mm, pagesFrom(fault.page, 1), fault.pfn);
  return moved.ok ? OK : moved;
}

function* migrateBack(
  dmirror: Dmirror,
  mm: number,
  range: PageRange,
  faultPage: Pfn | 'none',
): Task<Result<number>> {
  const setup = yield* dmirror.api.migrateVmaSetup({
    mm,
    range,
    select: 'device-private',
    faultPage,
  });
  if (!setup.ok) return setup;
  const homes = setup.value.src.map((_, at) => pageIndex(range.first + at));
  const copied = yield* copyToSystem(dmirror, setup.value.src, homes, dmirror.fn.eraseEntry);
  if (!copied.ok) {
    yield* dmirror.api.migrateVmaFinalize(setup.value);
    return copied;
  }
  const src = yield* dmirror.api.migrateVmaPages(setup.value, copied.value);
  yield* dmirror.api.migrateVmaFinalize(setup.value);
  return ok(
    src.filter((entry) => migratePfnHas(entry, MIGRATE_PFN_VALID | MIGRATE_PFN_MIGRATE)).length,
  );
}

/** Drops the entry of `page`, so that the device stops using the frame before it is copied. */
export function* eraseEntry(dmirror: Dmirror, page: PageIndex): Task<void> {
  yield willWrite(
    'dmirror_devmem_fault_alloc_and_copy.erase',
    entryObject(dmirror.pageTable, page),
  );
  dropEntry(dmirror.pageTable, page);
}

/** A private frame that may migrate, and the system frame that is to take it. */
interface Move {
  readonly at: number;
  readonly page: PageIndex;
  readonly source: Pfn;
  readonly frame: Pfn;
}

/**
 * Allocates a system frame for each private source that may migrate, and copies it.
 *
 * Returns: one destination a page, MIGRATE_PFN_NONE where nothing is to move or frames ran out. On
 *          failure the frames are given back.
 */
export function* copyToSystem(
  dmirror: Dmirror,
  sources: readonly MigratePfn[],
  pages: readonly PageIndex[],
  beforeCopy: (dmirror: Dmirror, page: PageIndex) => Task<void>,
): Task<Result<MigratePfn[]>> {
  const moves = yield* allocMoves(dmirror, sources, pages);
  const targets: DmaTarget[] = [];
  const contents: PageContents[] = [];
  for (const { page, source, frame } of moves) {
    yield* beforeCopy(dmirror, page);
    yield willRead(
      'dmirror_devmem_fault_alloc_and_copy.copy',
      deviceFrameObject(dmirror.memory, source),
    );
    targets.push({ page, pfn: frame });
    contents.push(readDeviceFrame(dmirror.memory, source));
  }
  if (targets.length > 0) {
    const written = yield* dmirror.api.dmaWrite(targets, contents);
    if (!written.ok) {
      for (const move of moves) yield* dmirror.api.putDevicePage(move.frame);
      return written;
    }
  }
  const dst = sources.map(() => MIGRATE_PFN_NONE);
  for (const { at, frame } of moves) {
    const writable = migratePfnHas(sources[at] ?? MIGRATE_PFN_NONE, MIGRATE_PFN_WRITE);
    dst[at] = migratePfn(frame, writable ? MIGRATE_PFN_WRITE : 0);
  }
  return ok(dst);
}

function* allocMoves(
  dmirror: Dmirror,
  sources: readonly MigratePfn[],
  pages: readonly PageIndex[],
): Task<Move[]> {
  const wanted: Omit<Move, 'frame'>[] = [];
  for (const [at, src] of sources.entries()) {
    const source = migratePfnToPfn(src);
    const page = pages[at];
    if (source === 'none' || page === undefined) continue;
    if (!(migratePfnHas(src, MIGRATE_PFN_MIGRATE) && ownsFrame(dmirror.memory, source))) continue;
    wanted.push({ at, page, source });
  }
  const frames = yield* allocSystemFrames(dmirror, wanted.length);
  const moves: Move[] = [];
  for (const [at, frame] of frames.entries()) {
    const move = wanted[at];
    if (move !== undefined) moves.push({ ...move, frame });
  }
  return moves;
}

/** As many of `count` locked system frames as there are: all at once, else one by one. */
function* allocSystemFrames(dmirror: Dmirror, count: number): Task<readonly Pfn[]> {
  if (count === 0) return [];
  const all = yield* dmirror.api.allocPages(count);
  if (all.ok) return all.value;
  const frames: Pfn[] = [];
  while (frames.length < count) {
    const one = yield* dmirror.api.allocPages(1);
    if (!one.ok) break;
    frames.push(...one.value);
  }
  return frames;
}
