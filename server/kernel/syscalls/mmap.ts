/** mmap(2) and munmap(2). Source: mm/mmap.c (6.1). */
import type { MmapRequest } from '../../abi/cpu-api.ts';
import { readUnlock, writeLock } from '../../task/rwsem.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { PAGES_MAX, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { isAlive, type Kernel, nextId, type UnmappedRegion } from '../kernel.ts';
import { newMemoryFile } from '../memory/memory-file.ts';
import { type Mm, vmaListObject } from '../memory/mm.ts';
import type { MemoryFile, Vma } from '../memory/mm-types.ts';
import { mmapWriteDowngrade, mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { newVma, vmaLookup, vmasIn } from '../memory/vma.ts';
import { linkVma, removeVmas, takeOutOfList } from '../memory/vma-adjust.ts';
import { unmappedRegion } from './unmap-region.ts';

/**
 * mmap() with MAP_FIXED_NOREPLACE.
 *
 * Takes: mmap_lock for writing. Yields: yes.
 * Returns: EEXIST on overlap; EINVAL for a file mapping without a file, and in a process that has exited meanwhile;
 * ENOMEM beyond the address space.
 */
export function* mmap(k: Kernel, mm: Mm, request: MmapRequest): Task<Result<void>> {
  const { range, prot, kind } = request;
  if (range.end > PAGES_MAX) return fail('ENOMEM');
  const held = yield* writeLock(k.context, 'mmap.mmap_lock', mm.mmapLock);
  // Another thread may have ended the process: what is mapped now would never be unmapped.
  const result = isAlive(k, mm) ? yield* k.fn.mmapRegion(k, mm, request) : fail('EINVAL');
  mmapWriteUnlock(k.context, mm, held);
  if (result.ok) {
    k.emit({
      kind: 'vma',
      mm: mm.id,
      first: range.first,
      end: range.end,
      change: `mmap ${kind}`,
      prot,
    });
  }
  return result;
}

/** mmap_region(). Holds: mmap_lock for writing. */
export function* mmapRegion(k: Kernel, mm: Mm, request: MmapRequest): Task<Result<void>> {
  const { range, prot, kind } = request;
  if (vmasIn(mm.vmas, range).length > 0) return fail('EEXIST');
  const backing = backingOf(k, request);
  if (backing === 'missing') return fail('EINVAL');
  const shape = {
    prot,
    kind,
    file: backing.file,
    accounted: prot === 'rw' && (kind === 'anon-private' || kind === 'file-private'),
  };
  const { pgoff } = backing;
  const wish = { range, shape, pgoff, anonVma: 'none' } as const;
  if ((yield* k.fn.mmapExpand(k, mm, wish)) === 'expanded') return OK;
  yield* linkVma(k, mm, newVma({ mm: mm.id, ...range, ...shape, pgoff, anonVma: 'none' }));
  return OK;
}

function backingOf(
  k: Kernel,
  request: MmapRequest,
): { readonly file: MemoryFile | 'none'; readonly pgoff: number } | 'missing' {
  const { range, kind } = request;
  switch (kind) {
    case 'anon-private':
      return { file: 'none', pgoff: range.first };
    case 'anon-shared': {
      // A tmpfs file of its own (shmem_zero_setup).
      const file = newMemoryFile(k.context, nextId(k), range.end - range.first);
      k.files.set(file.id, file);
      return { file, pgoff: 0 };
    }
    case 'file-private':
    case 'file-shared': {
      const file = k.files.get(request.file ?? -1);
      return file === undefined ? 'missing' : { file, pgoff: request.offset ?? 0 };
    }
  }
}

/**
 * munmap(): takes the mappings of `range` away, whole or in part. Nothing mapped there is a success. Once nobody finds
 * the mappings any more the rest is done beside whoever holds mmap_lock for reading.
 *
 * Takes: mmap_lock for writing, then for reading, and what unmapRegion() takes. Yields: yes.
 */
export function* munmap(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  const held = yield* writeLock(k.context, 'munmap.mmap_lock', mm.mmapLock);
  const vmas = yield* k.fn.detachVmas(k, mm, range);
  if (vmas.length === 0) {
    mmapWriteUnlock(k.context, mm, held);
    return OK;
  }
  const region = unmappedRegion(mm, vmas, range);
  const reader = mmapWriteDowngrade(k.context, mm, held);
  yield* k.fn.unmapRegion(k, mm, region);
  yield* removeMappings(k, mm, region);
  readUnlock(k.context, reader);
  return OK;
}

/** do_munmap(), which has mmap_lock for writing to the end: the caller goes on with it. */
export function* doMunmap(k: Kernel, mm: Mm, range: PageRange): Task<void> {
  const vmas = yield* k.fn.detachVmas(k, mm, range);
  if (vmas.length === 0) return;
  const region = unmappedRegion(mm, vmas, range);
  yield* k.fn.unmapRegion(k, mm, region);
  yield* removeMappings(k, mm, region);
}

/** The first half: no look-up finds the mappings of `range` any more. Holds: mmap_lock for writing. */
export function* detachVmas(k: Kernel, mm: Mm, range: PageRange): Task<readonly Vma[]> {
  const vmas = yield* gatherVmas(k, mm, range);
  if (vmas.length === 0) return [];
  // Until now a fault finds them, and fails to lock them.
  yield willWrite('detach_vmas_to_be_unmapped.remove', vmaListObject(mm.id));
  takeOutOfList(k, mm, vmas);
  return vmas;
}

/** vms_gather_munmap_vmas(): the mappings of `range`, split at its borders, and locked. */
export function* gatherVmas(k: Kernel, mm: Mm, range: PageRange): Task<readonly Vma[]> {
  if (vmasIn(mm.vmas, range).length === 0) return [];
  const vmas = yield* splitAround(k, mm, range);
  for (const vma of vmas) yield* k.fn.vmaStartWrite(k, mm, vma);
  return vmas;
}

/** Nothing is left of them. */
export function* removeMappings(k: Kernel, mm: Mm, { vmas, range }: UnmappedRegion): Task<void> {
  yield* removeVmas(k, mm, vmas);
  const { first, end } = range;
  k.emit({ kind: 'vma', mm: mm.id, first, end, change: 'munmap', prot: 'none' });
}

/** Splits mappings so that `range` begins and ends at boundaries. Returns the mappings inside. */
function* splitAround(k: Kernel, mm: Mm, range: PageRange): Task<Vma[]> {
  yield* splitAt(k, mm, range.first, 'above');
  yield* splitAt(k, mm, range.end, 'below');
  return vmasIn(mm.vmas, range);
}

function* splitAt(k: Kernel, mm: Mm, page: PageIndex, made: 'below' | 'above'): Task<void> {
  const vma = vmaLookup(mm.vmas, page);
  if (vma !== 'none' && vma.first < page) yield* k.fn.splitVma(k, mm, vma, page, made);
}
