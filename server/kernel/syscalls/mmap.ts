/** mmap(2) and munmap(2). Source: mm/mmap.c (6.1). */
import type { MmapRequest } from '../../abi/cpu-api.ts';
import { writeLock } from '../../task/rwsem.ts';
import type { Task } from '../../task/task.ts';
import { PAGES_MAX, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { isAlive, type Kernel, nextId } from '../kernel.ts';
import { newMemoryFile } from '../memory/memory-file.ts';
import type { Mm } from '../memory/mm.ts';
import type { MemoryFile, Vma } from '../memory/mm-types.ts';
import { mmapWriteUnlock } from '../memory/mmap-lock.ts';
import { newVma, vmaLookup, vmasIn } from '../memory/vma.ts';
import { linkVma, removeVma } from '../memory/vma-adjust.ts';

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
 * munmap(): takes the mappings of `range` away, whole or in part. Nothing mapped there is a success.
 *
 * Takes: mmap_lock for writing, and what zapping takes. Yields: yes.
 */
export function* munmap(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  const held = yield* writeLock(k.context, 'munmap.mmap_lock', mm.mmapLock);
  yield* doMunmap(k, mm, range);
  mmapWriteUnlock(k.context, mm, held);
  return OK;
}

/** Holds: mmap_lock for writing. */
export function* doMunmap(k: Kernel, mm: Mm, range: PageRange): Task<void> {
  if (vmasIn(mm.vmas, range).length === 0) return;
  const vmas = yield* splitAround(k, mm, range);
  for (const vma of vmas) yield* k.fn.vmaStartWrite(k, mm, vma);
  yield* k.fn.zapPageRange(k, mm, range, 'unmap');
  for (const vma of vmas) yield* removeVma(k, mm, vma);
  k.emit({
    kind: 'vma',
    mm: mm.id,
    first: range.first,
    end: range.end,
    change: 'munmap',
    prot: 'none',
  });
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
