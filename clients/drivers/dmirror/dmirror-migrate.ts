/**
 * Moves system memory to the device, and the memory of devices that share its owner.
 *
 * Models: dmirror_migrate_to_device(), dmirror_migrate_alloc_and_copy(),
 * dmirror_migrate_finalize_and_map() of lib/test_hmm.c (6.1).
 * Leaves out: coherent device memory, huge pages.
 */

import type { DmaTarget, MigrateVma, VmaView } from '../../../server/abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_WRITE,
  type MigratePfn,
  migratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../server/abi/migrate-pfn.ts';
import { assertHeld, type Held } from '../../../server/task/lock.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import {
  type PageIndex,
  type PageRange,
  type Pfn,
  pageIndex,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { type PageContents, ZERO_CONTENTS } from '../../../server/vocabulary/page-contents.ts';
import { deviceFrameObject, ownsFrame, writeDeviceFrame } from '../hardware/device-memory.ts';
import { entryObject, setEntry } from '../hardware/device-page-table.ts';
import { type DmirrorCopied, dmirrorReadMapped } from './dmirror-access.ts';
import { allocDeviceFrames } from './dmirror-devmem.ts';
import {
  type CommittedMigration,
  type Dmirror,
  nextBatch,
  withDriverLock,
  withMmapReadLock,
} from './dmirror-state.ts';

/**
 * Migrates `range` and reads it back through the device page table, without faulting.
 *
 * Takes:   mmap_lock for read, and driver_lock under it.
 * Returns: EINVAL at the first page without a readable mapping, with what lies before it migrated;
 *          ENOENT if some page has no entry at the end. OK does not prove that anything migrated:
 *          older entries serve as well.
 */
export function* dmirrorMigrateToDevice(
  dmirror: Dmirror,
  range: PageRange,
): Task<Result<DmirrorCopied>> {
  const migrated = yield* migrateRangeToDevice(dmirror, range);
  return migrated.ok ? yield* dmirrorReadMapped(dmirror, range) : migrated;
}

/** The same without reading back. */
export function migrateRangeToDevice(dmirror: Dmirror, range: PageRange): Task<Result<void>> {
  return migrateEachVma(dmirror, range, (part, vma) => migratePartToDevice(dmirror, part, vma));
}

/**
 * Walks the mappings of `range` under mmap_lock and hands each part of at most DMIRROR_BATCH_PAGES
 * to `migrate`.
 *
 * Takes:   mmap_lock for read.
 * Returns: the first failure; EINVAL at a hole or at a mapping that cannot be read.
 */
export function migrateEachVma(
  dmirror: Dmirror,
  range: PageRange,
  migrate: (part: PageRange, vma: VmaView) => Task<Result<void>>,
): Task<Result<void>> {
  return withMmapReadLock(dmirror, () => migrateParts(dmirror, range, migrate));
}

function* migrateParts(
  dmirror: Dmirror,
  range: PageRange,
  migrate: (part: PageRange, vma: VmaView) => Task<Result<void>>,
): Task<Result<void>> {
  if (dmirror.mm === 'gone') return fail('EINVAL');
  for (let first = range.first; first < range.end; ) {
    const found = yield* dmirror.api.findVma(first);
    if (!found.ok && found.errno !== 'ENOENT') return found;
    if (!found.ok || found.value.range.first > first || found.value.prot === 'none') {
      return fail('EINVAL');
    }
    const part = nextBatch(first, pageIndex(Math.min(range.end, found.value.range.end)));
    const migrated = yield* migrate(part, found.value);
    if (!migrated.ok) return migrated;
    first = part.end;
  }
  return OK;
}

/**
 * Enters the pages whose MIGRATE flag survived the commit.
 *
 * Holds: mmap_lock and the migrating pages' locks. Takes: driver_lock.
 */
export function mapMigrated(dmirror: Dmirror, migration: CommittedMigration): Task<void> {
  return withDriverLock(dmirror, 'dmirror_migrate_finalize_and_map.lock', (held) =>
    mapUnderLock(held, dmirror, migration),
  );
}

function* mapUnderLock(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  migration: CommittedMigration,
): Task<void> {
  for (let at = 0; at < migration.src.length; at += 1) {
    const src = migration.src[at] ?? MIGRATE_PFN_NONE;
    const dst = migration.dst[at] ?? MIGRATE_PFN_NONE;
    if (!migratePfnHas(src, MIGRATE_PFN_MIGRATE)) continue;
    yield* mapDestination(held, dmirror, pageIndex(migration.range.first + at), dst);
  }
}

/**
 * Enters `dst`, with the write mark if it carries WRITE; does nothing if it names no page. Holds:
 * driver_lock.
 */
export function* mapDestination(
  held: Held<'driver_lock'>,
  dmirror: Dmirror,
  page: PageIndex,
  dst: MigratePfn,
): Task<void> {
  const pfn = migratePfnToPfn(dst);
  if (pfn === 'none') return;
  yield willWrite('dmirror_migrate_finalize_and_map.map', entryObject(dmirror.pageTable, page));
  assertHeld(held, dmirror.lock);
  const access = migratePfnHas(dst, MIGRATE_PFN_WRITE) ? 'write' : 'read';
  setEntry(dmirror.pageTable, page, { state: 'mapped', pfn, access });
}

function* migratePartToDevice(
  dmirror: Dmirror,
  range: PageRange,
  vma: VmaView,
): Task<Result<void>> {
  const setup = yield* dmirror.api.migrateVmaSetup({
    mm: dmirror.api.mm,
    range,
    select: dmirror.pgmapOwner === undefined ? 'system' : 'system+private',
    faultPage: 'none',
  });
  if (!setup.ok) return setup;
  const copied = yield* allocAndCopy(dmirror, setup.value, range, vma);
  if (!copied.ok) {
    yield* dmirror.api.migrateVmaFinalize(setup.value);
    return copied;
  }
  const dst = copied.value;
  const src = yield* dmirror.api.migrateVmaPages(setup.value, dst);
  yield* dmirror.fn.mapMigrated(dmirror, { range, src, dst });
  yield* dmirror.api.migrateVmaFinalize(setup.value);
  return OK;
}

/** A source that may migrate, and the private frame that is to take it. */
interface Move {
  readonly at: number;
  readonly page: PageIndex;
  readonly source: Pfn | 'none';
  readonly frame: Pfn;
}

/**
 * Allocates a private frame for each source that may migrate, and fills it: with a copy, or with
 * zeros where there is no page yet.
 *
 * Returns: one destination a page; MIGRATE_PFN_NONE where nothing is to move or private memory ran
 *          out. On failure the frames are given back.
 */
export function* allocAndCopy(
  dmirror: Dmirror,
  migrate: MigrateVma,
  range: PageRange,
  vma: VmaView,
): Task<Result<MigratePfn[]>> {
  const moves = yield* allocMoves(dmirror, migrate, range);
  const filled = yield* fillFrames(dmirror, moves);
  if (!filled.ok) {
    for (const move of moves) yield* dmirror.api.putDevicePage(move.frame);
    return filled;
  }
  const dst = migrate.src.map(() => MIGRATE_PFN_NONE);
  for (const { at, source, frame } of moves) {
    const src = migrate.src[at] ?? MIGRATE_PFN_NONE;
    const writable =
      migratePfnHas(src, MIGRATE_PFN_WRITE) || (source === 'none' && vma.prot === 'rw');
    dst[at] = migratePfn(frame, writable ? MIGRATE_PFN_WRITE : 0);
  }
  return ok(dst);
}

function* allocMoves(dmirror: Dmirror, migrate: MigrateVma, range: PageRange): Task<Move[]> {
  const wanted: Omit<Move, 'frame'>[] = [];
  for (const [at, src] of migrate.src.entries()) {
    if (!migratePfnHas(src, MIGRATE_PFN_MIGRATE)) continue;
    const source = migratePfnToPfn(src);
    // It is here already. Without a shared owner private pages were not selected.
    if (source !== 'none' && ownsFrame(dmirror.memory, source)) continue;
    wanted.push({ at, page: pageIndex(range.first + at), source });
  }
  const frames = yield* allocDeviceFrames(
    dmirror,
    wanted.map((move) => move.page),
  );
  const moves: Move[] = [];
  for (const [at, frame] of frames.entries()) {
    const move = wanted[at];
    if (move !== undefined) moves.push({ ...move, frame });
  }
  return moves;
}

function* fillFrames(dmirror: Dmirror, moves: readonly Move[]): Task<Result<void>> {
  const targets: DmaTarget[] = [];
  for (const { page, source } of moves) {
    if (source !== 'none') targets.push({ page, pfn: source });
  }
  let copies: readonly PageContents[] = [];
  if (targets.length > 0) {
    const read = yield* dmirror.api.dmaRead(targets);
    if (!read.ok) return read;
    copies = read.value;
  }
  let copied = 0;
  for (const { source, frame } of moves) {
    let contents = ZERO_CONTENTS;
    if (source !== 'none') {
      contents = copies[copied] ?? ZERO_CONTENTS;
      copied += 1;
    }
    yield willWrite(
      'dmirror_migrate_alloc_and_copy.copy',
      deviceFrameObject(dmirror.memory, frame),
    );
    writeDeviceFrame(dmirror.memory, frame, contents);
  }
  return OK;
}
