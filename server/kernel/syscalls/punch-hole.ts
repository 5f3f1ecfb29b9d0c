/**
 * Taking pages out of a file: MADV_REMOVE, which punches a hole into tmpfs. Whoever maps them loses them first, by the
 * reverse map; what nothing maps any more is not told to anybody when it goes.
 *
 * Source: mm/madvise.c (madvise_remove), mm/shmem.c (shmem_fallocate, shmem_undo_range), mm/truncate.c
 * (truncate_inode_folio), mm/memory.c (unmap_mapping_pages) (6.1).
 * Leaves out: the lock of the inode; faults that wait until the hole is there; pages that are under writeback.
 */
import { touch } from '../../task/context.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { type PageRange, pageIndex } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { cacheObject } from '../fault/do-fault.ts';
import { findMm, type Kernel } from '../kernel.ts';
import { getPage } from '../memory/frames.ts';
import { touchMappings } from '../memory/memory-file.ts';
import type { Mm } from '../memory/mm.ts';
import type { FilePages, MemoryFile, Vma } from '../memory/mm-types.ts';
import { lockPage, unlockPage } from '../memory/page-lock.ts';
import { putPage } from '../memory/page-references.ts';
import { findVma, isShared, linearIndex } from '../memory/vma.ts';
import { pageMapped } from '../rmap/rmap.ts';
import { gatherBatch } from './zap-page-range.ts';

/**
 * Takes: mmap_lock for reading, which it drops while it takes pages away. Yields: yes.
 * Returns: EINVAL for memory without a file, EACCES for what is not shared and writable, ENOMEM for holes.
 */
export function* madviseRemove(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  let gaps = false;
  for (let page = range.first; page < range.end; ) {
    const held = yield* readLock(k.context, 'madvise_remove.mmap_lock', mm.mmapLock);
    const found = findVma(mm.vmas, page);
    readUnlock(k.context, held);
    if (found === 'none' || found.first >= range.end) return fail('ENOMEM');
    if (found.file === 'none') return fail('EINVAL');
    if (!isShared(found) || found.prot !== 'rw') return fail('EACCES');
    gaps ||= found.first > page;
    const first = found.first > page ? found.first : page;
    const end = found.end < range.end ? found.end : range.end;
    const from = linearIndex(found, first);
    yield* k.fn.shmemPunchHole(k, found.file, { first: from, end: from + (end - first) });
    page = end;
  }
  return gaps ? fail('ENOMEM') : OK;
}

/** shmem_fallocate(FALLOC_FL_PUNCH_HOLE). Holds: nothing. Takes: i_mmap_rwsem, page locks. */
export function* shmemPunchHole(k: Kernel, file: MemoryFile, pages: FilePages): Task<void> {
  yield* k.fn.unmapMappingPages(k, file, pages);
  for (let offset = pages.first; offset < pages.end; offset += 1) {
    yield* k.fn.truncateInodeFolio(k, file, offset);
  }
}

/**
 * Takes entries of these pages out of every page table, each in a bracket of its own; copies of private mappings stay.
 *
 * Takes: i_mmap_rwsem for reading, PTE locks, callbacks' locks.
 */
export function* unmapMappingPages(k: Kernel, file: MemoryFile, pages: FilePages): Task<void> {
  const held = yield* readLock(k.context, 'unmap_mapping_pages.i_mmap_lock', file.iMmapRwsem);
  touchMappings(file, 'read');
  for (const vma of file.vmas.slice()) {
    const range = rangeIn(vma, pages);
    const mm = findMm(k, vma.mm);
    if (range === 'none' || mm === undefined) continue;
    const batch = gatherBatch(k, mm, 'stay');
    const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
      event: 'clear',
      range,
      owner: 'none',
      blocking: 'blockable',
    });
    yield* k.fn.unmapPageRange(k, mm, vma, range, batch);
    if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
    yield* k.fn.finishBatch(k, mm, range, batch);
  }
  readUnlock(k.context, held);
}

/** The page leaves the file; it is freed when nobody holds it any more. Takes: the page lock, i_mmap_rwsem. */
export function* truncateInodeFolio(k: Kernel, file: MemoryFile, offset: number): Task<void> {
  yield willWrite('shmem_undo_range.lookup', cacheObject(file, offset));
  const pfn = file.pages.get(offset);
  if (pfn === undefined) return;
  getPage(k.frames, pfn, 1);
  yield* lockPage(k, 'shmem_undo_range.lock_page', pfn);
  // A fault may have mapped it again since the unmapping; with the page locked none does.
  if (pageMapped(k, pfn))
    yield* k.fn.unmapMappingPages(k, file, { first: offset, end: offset + 1 });
  touch(k.context, cacheObject(file, offset), 'write');
  const ours = file.pages.get(offset) === pfn;
  if (ours) {
    k.emit({ kind: 'call', function: 'truncate_inode_folio', args: { file: file.id, offset } });
    file.pages.delete(offset);
    k.emit({ kind: 'return', function: 'truncate_inode_folio', result: 'OK' });
  }
  unlockPage(k, pfn);
  if (ours) yield* putPage(k, pfn);
  yield* putPage(k, pfn);
}

/** Where `vma` maps these pages. */
function rangeIn(vma: Vma, { first, end }: FilePages): PageRange | 'none' {
  const base = linearIndex(vma, vma.first);
  const from = Math.max(vma.first, vma.first + first - base);
  const to = Math.min(vma.end, vma.first + end - base);
  return from < to ? { first: pageIndex(from), end: pageIndex(to) } : 'none';
}
