/**
 * khugepaged by itself, on files: it comes without being asked, finds a block whose pages can be one huge page, and
 * takes the tables of small entries away from every process that maps the block; the next touch maps what it finds.
 *
 * Source: mm/khugepaged.c (khugepaged_scan_mm_slot, collapse_file, retract_page_tables) (6.1; of 6.5 the second half).
 * Differs: the pages stay where they are and may be mapped small again; any block of a file counts as huge, once
 * nothing maps it. Leaves out: anonymous memory.
 */
import { touch } from '../../task/context.ts';
import { unlock } from '../../task/lock.ts';
import { readLock, readUnlock, tryWriteLock, writeLock, writeUnlock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { cacheObject } from '../fault/do-fault.ts';
import { findMm, type Kernel } from '../kernel.ts';
import { getPage } from '../memory/frames.ts';
import { touchMappings } from '../memory/memory-file.ts';
import type { Mm } from '../memory/mm.ts';
import type { FilePages, MemoryFile, Vma } from '../memory/mm-types.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { putPage } from '../memory/page-references.ts';
import { lockTable } from '../memory/pte-lock.ts';
import { newTlbBatch } from '../memory/tlb-batch.ts';
import { addressInVma, linearIndex, vmaLookup } from '../memory/vma.ts';
import { hasAnonVma } from '../rmap/anon-vma-chain.ts';
import { pageMapped } from '../rmap/rmap.ts';
import { dropLockedTable } from './madvise-collapse.ts';

/**
 * khugepaged_scan_mm_slot(): the whole blocks of `range`.
 *
 * Takes: mmap_lock for reading, while it looks. Returns: EINVAL if a block cannot be.
 */
export function* khugepagedScan(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  const size = k.ptrsPerPte;
  let refused = false;
  for (
    let block = Math.ceil(range.first / size);
    block < Math.floor(range.end / size);
    block += 1
  ) {
    const first = (block * size) as PageIndex;
    const held = yield* readLock(k.context, 'khugepaged_scan_mm_slot.mmap_lock', mm.mmapLock);
    const vma = vmaLookup(mm.vmas, first);
    const file = vma === 'none' || vma.end < first + size ? 'none' : vma.file;
    const from = vma === 'none' ? 0 : linearIndex(vma, first);
    readUnlock(k.context, held);
    const done =
      file === 'none'
        ? 'refused'
        : yield* k.fn.collapseFile(k, file, { first: from, end: from + size });
    if (done === 'refused') refused = true;
  }
  return refused ? fail('EINVAL') : OK;
}

/**
 * collapse_file(): all pages of the block are locked, so that no fault maps them, and unmapped everywhere; then the
 * tables go.
 *
 * Holds: nothing. Takes: page locks that are free, i_mmap_rwsem, PTE locks, callbacks' locks.
 */
export function* collapseFile(
  k: Kernel,
  file: MemoryFile,
  pages: FilePages,
): Task<'collapsed' | 'refused'> {
  const locked: Pfn[] = [];
  const batch = newTlbBatch();
  let whole = true;
  for (let offset = pages.first; whole && offset < pages.end; offset += 1) {
    yield willWrite('collapse_file.lookup', cacheObject(file, offset));
    const pfn = file.pages.get(offset);
    whole = pfn !== undefined && tryLockPage(k, pfn) === 'locked';
    if (pfn === undefined || !whole) break;
    touch(k.context, pageLockObject(pfn), 'write');
    getPage(k.frames, pfn, 1);
    locked.push(pfn);
    if (pageMapped(k, pfn)) yield* k.fn.tryToUnmap(k, pfn, batch);
    whole = !pageMapped(k, pfn);
  }
  yield* k.fn.tryToUnmapFlush(k, batch);
  if (whole) yield* k.fn.retractPageTables(k, file, pages);
  for (const pfn of locked) {
    unlockPage(k, pfn);
    yield* putPage(k, pfn);
  }
  return whole ? 'collapsed' : 'refused';
}

/**
 * retract_page_tables(): of every mapping of the block. A private one with an anon_vma may have pages of its own in its
 * table, and keeps it. Whoever is in an address space keeps khugepaged out: it does not wait for mmap_lock.
 *
 * Takes: i_mmap_rwsem for writing, mmap_lock for writing where it is free.
 */
export function* retractPageTables(k: Kernel, file: MemoryFile, pages: FilePages): Task<void> {
  const held = yield* writeLock(k.context, 'retract_page_tables.i_mmap_lock', file.iMmapRwsem);
  for (const { mm, vma, block } of mappedBlocks(k, file, pages)) {
    yield willWrite('retract_page_tables.trylock', mm.mmapLock.object);
    const mmHeld = tryWriteLock(k.context, mm.mmapLock);
    if (mmHeld === 'busy') continue;
    if (!hasAnonVma(k, mm, vma)) yield* k.fn.collapseAndFreePmd(k, mm, block);
    mmapWriteUnlock(k.context, mm, mmHeld);
  }
  writeUnlock(k.context, held);
}

/**
 * The same since 6.5, without mmap_lock: others may be in the address space, and find the table gone. So whether the
 * mapping has an anon_vma is asked once more under the lock of the table.
 *
 * Takes: i_mmap_rwsem for reading, PTE locks, callbacks' locks.
 */
export function* retractWithoutMmapLock(k: Kernel, file: MemoryFile, pages: FilePages): Task<void> {
  const held = yield* readLock(k.context, 'retract_page_tables.i_mmap_lock_read', file.iMmapRwsem);
  for (const { mm, vma, block } of mappedBlocks(k, file, pages)) {
    if (hasAnonVma(k, mm, vma)) continue;
    const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
      event: 'clear',
      range: block,
      owner: 'none',
      blocking: 'blockable',
    });
    const table = yield* lockTable(k, 'retract_page_tables.ptl', mm, block.first);
    let dropped = false;
    if (typeof table !== 'string') {
      dropped = !hasAnonVma(k, mm, vma);
      if (dropped) yield* dropLockedTable(k, mm, block, table);
      unlock(k.context, table.held);
    }
    if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
    if (dropped) yield* k.fn.freePageTable(k, mm, block);
  }
  readUnlock(k.context, held);
}

interface MappedBlock {
  readonly mm: Mm;
  readonly vma: Vma;
  readonly block: PageRange;
}

/** Where all of the block is mapped, by one table. Holds: i_mmap_rwsem. */
function mappedBlocks(k: Kernel, file: MemoryFile, pages: FilePages): MappedBlock[] {
  touchMappings(file, 'read');
  const found: MappedBlock[] = [];
  for (const vma of file.vmas) {
    const first = addressInVma(vma, pages.first);
    const mm = findMm(k, vma.mm);
    if (first === 'none' || mm === undefined || first % k.ptrsPerPte !== 0) continue;
    const end = (first + k.ptrsPerPte) as PageIndex;
    if (vma.end >= end) found.push({ mm, vma, block: { first, end } });
  }
  return found;
}
