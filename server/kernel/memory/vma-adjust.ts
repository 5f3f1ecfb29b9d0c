/**
 * Changes of the mapping list that walks of the reverse map must not see halfway. Source: mm/mmap.c, __vma_adjust(),
 * vma_link(), __split_vma(), detach_vmas_to_be_unmapped(), unlink_file_vma(); kernel/fork.c, dup_mmap() (6.1).
 *
 * Everything here but unlink_file_vma() holds mmap_lock for writing.
 */
import { touch } from '../../task/context.ts';
import { type HeldForWrite, writeLock, writeUnlock } from '../../task/rwsem.ts';
import type { Task } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { insertIntoAnonVma, removeFromAnonVma, rootOf } from './anon-vma.ts';
import { touchMappings } from './memory-file.ts';
import { detachedObject, type Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import { findVmaPosition, linearIndex, vmaLookup } from './vma.ts';
import type { VmaAdjustment } from './vma-changes.ts';
import {
  intervalTreeInsert,
  intervalTreeInsertAfter,
  intervalTreeRemove,
} from './vma-interval-tree.ts';

/**
 * __vma_adjust(): new bounds under both locks of the reverse map, so that a walk meets each page in one mapping, with
 * the rights of that mapping. A mapping whose bounds change goes into the trees anew, behind those that begin alike.
 *
 * Takes: i_mmap_rwsem of the file, the anon_vma lock, both for writing. Yields: where there is any of them.
 */
export function* vmaAdjust(k: Kernel, mm: Mm, adjustment: VmaAdjustment): Task<void> {
  const { vma, next, removed, insert, importer, exporter } = adjustment;
  for (const one of [vma, next, insert, ...removed]) {
    if (one !== 'none') yield* k.fn.vmaStartWrite(k, mm, one);
  }
  if (exporter !== 'none' && exporter.anonVma !== 'none' && importer.anonVma === 'none') {
    importer.anonVma = exporter.anonVma;
    yield* k.fn.anonVmaClone(k, importer, exporter);
  }
  const fileHeld = yield* iMmapLockWrite(k, vma);
  if (insert !== 'none') insertIntoFile(insert);
  const anonHeld = yield* anonVmaLock(k, vma, next);
  const moving = next === 'none' ? [vma] : [vma, next];
  if (anonHeld !== 'none') for (const one of moving) removeFromAnonVmas(one);
  for (const one of moving) removeFromFile(one);
  setBounds(vma, adjustment.first, adjustment.end);
  if (next !== 'none') setBounds(next, adjustment.end, next.end);
  for (const one of moving.toReversed()) insertIntoFile(one);
  const vmas = mm.vmasToChange;
  // Which pages are locked with them.
  touch(k.context, mm.vmaLocks.object, 'write');
  for (const one of removed) {
    removeFromFile(one);
    vmas.splice(vmas.indexOf(one), 1);
    one.life = 'detached';
  }
  if (insert !== 'none') vmas.splice(findVmaPosition(vmas, insert.first), 0, insert);
  if (anonHeld !== 'none') {
    for (const one of moving) insertIntoAnonVmas(one);
    writeUnlock(k.context, anonHeld);
  }
  if (fileHeld !== 'none') writeUnlock(k.context, fileHeld);
  for (const one of removed) {
    yield* k.fn.unlinkAnonVmas(k, one);
    yield* k.fn.vmAreaFree(k, mm, one);
  }
}

/** Linear indices stay with their pages. */
function setBounds(vma: Vma, first: PageIndex, end: PageIndex): void {
  vma.pgoff += first - vma.first;
  vma.first = first;
  vma.end = end;
}

function* iMmapLockWrite(k: Kernel, { file }: Vma): Task<HeldForWrite | 'none'> {
  if (file === 'none') return 'none';
  return yield* writeLock(k.context, 'vma_adjust.i_mmap_lock', file.iMmapRwsem);
}

function* anonVmaLock(k: Kernel, vma: Vma, next: Vma | 'none'): Task<HeldForWrite | 'none'> {
  const ofNext = next === 'none' ? 'none' : next.anonVma;
  const anonVma = vma.anonVma === 'none' ? ofNext : vma.anonVma;
  if (anonVma === 'none') return 'none';
  return yield* writeLock(k.context, 'vma_adjust.anon_vma_lock', rootOf(anonVma).rwsem);
}

function removeFromAnonVmas(vma: Vma): void {
  for (const anonVma of vma.chain) removeFromAnonVma(anonVma, vma);
}

function insertIntoAnonVmas(vma: Vma): void {
  for (const anonVma of vma.chain) insertIntoAnonVma(anonVma, vma);
}

function insertIntoFile(vma: Vma): void {
  if (vma.file === 'none') return;
  touchMappings(vma.file, 'write');
  intervalTreeInsert(vma.file.vmas, vma);
}

function removeFromFile(vma: Vma): void {
  if (vma.file === 'none') return;
  touchMappings(vma.file, 'write');
  intervalTreeRemove(vma.file.vmas, vma);
}

/**
 * split_vma(): makes `page` a boundary; the new mapping is the half that __split_vma() allocates.
 *
 * Takes: what vmaAdjust() takes. Returns: the upper half.
 */
export function* splitVma(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
  made: 'below' | 'above',
): Task<Vma> {
  const half: Vma = {
    ...vma,
    chain: [],
    first: made === 'below' ? vma.first : page,
    end: made === 'below' ? page : vma.end,
    pgoff: made === 'below' ? vma.pgoff : linearIndex(vma, page),
  };
  yield* k.fn.anonVmaClone(k, half, vma);
  yield* k.fn.vmaAdjust(k, mm, {
    vma,
    first: made === 'below' ? page : vma.first,
    end: made === 'below' ? vma.end : page,
    next: 'none',
    removed: [],
    insert: half,
    importer: vma,
    exporter: 'none',
  });
  return made === 'below' ? vma : half;
}

/** vma_link(): a new mapping enters the list, and the tree of its file. Takes: i_mmap_rwsem for writing. */
export function* linkVma(k: Kernel, mm: Mm, vma: Vma): Task<void> {
  yield* k.fn.vmaStartWrite(k, mm, vma);
  const held = yield* iMmapLockWrite(k, vma);
  insertIntoFile(vma);
  insertIntoList(mm, vma);
  if (held !== 'none') writeUnlock(k.context, held);
}

function insertIntoList(mm: Mm, vma: Vma): void {
  const vmas = mm.vmasToChange;
  vmas.splice(findVmaPosition(vmas, vma.first), 0, vma);
}

/** What dup_mmap() does for one mapping: the copy stands in its file's tree directly behind its original. */
export function* linkForkedVma(k: Kernel, child: Mm, vma: Vma, original: Vma): Task<void> {
  const { file } = vma;
  if (file !== 'none') {
    const held = yield* writeLock(k.context, 'dup_mmap.i_mmap_lock', file.iMmapRwsem);
    touchMappings(file, 'write');
    intervalTreeInsertAfter(file.vmas, vma, original);
    writeUnlock(k.context, held);
  }
  insertIntoList(child, vma);
}

/** The mappings leave the list: no look-up finds them any more, and walks of the reverse map still do. */
export function takeOutOfList(k: Kernel, mm: Mm, gone: readonly Vma[]): void {
  remove(mm.vmasToChange, gone);
  touch(k.context, detachedObject(mm.id), 'write');
  for (const vma of gone) {
    vma.life = 'detached';
    mm.detached.push(vma);
  }
  mm.detached.sort((a, b) => a.first - b.first);
}

/** One pass: there may be as many as a lab has. */
function remove(vmas: Vma[], gone: readonly Vma[]): void {
  const leaving = new Set(gone);
  let kept = 0;
  for (const vma of vmas) {
    if (leaving.has(vma)) continue;
    vmas[kept] = vma;
    kept += 1;
  }
  vmas.length = kept;
}

/** remove_vma(): nothing is left of them. Takes: what vm_area_free() takes. */
export function* removeVmas(k: Kernel, mm: Mm, gone: readonly Vma[]): Task<void> {
  for (const vma of gone) yield* k.fn.vmAreaFree(k, mm, vma);
  touch(k.context, detachedObject(mm.id), 'write');
  remove(mm.detached, gone);
}

/** The mapping that has or had the entry of `page`: one that munmap() is taking away counts until it is done. */
export function vmaOfEntry(k: Kernel, mm: Mm, page: PageIndex): Vma | 'none' {
  const vma = vmaLookup(mm.vmas, page);
  if (vma !== 'none') return vma;
  touch(k.context, detachedObject(mm.id), 'read');
  return vmaLookup(mm.detached, page);
}

/** unlink_file_vma(): the mapping leaves the tree of its file. Takes: i_mmap_rwsem for writing. */
export function* unlinkFileVma(k: Kernel, vma: Vma): Task<void> {
  if (vma.file === 'none') return;
  const held = yield* writeLock(k.context, 'unlink_file_vma.i_mmap_lock', vma.file.iMmapRwsem);
  removeFromFile(vma);
  writeUnlock(k.context, held);
}
