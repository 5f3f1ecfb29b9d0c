/**
 * A first touch of a file or of shared memory. Source: mm/memory.c, do_read_fault(), do_cow_fault(),
 * do_shared_fault(); mm/shmem.c, shmem_fault() (6.1).
 *
 * Leaves out: fault-around, but for what it does without asking: a read maps a page of the file where the OOM reaper
 * may have taken a private copy of it. Also page_mkwrite and writeback.
 */

import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { FaultOutcome, FaultRequest, Kernel } from '../kernel.ts';
import { isStable } from '../memory/address-space-stability.ts';
import { copyPage } from '../memory/copy-page.ts';
import { getPage, PAGE_DIRTY, PAGE_FILE, PAGE_LRU, setFlag, setMapping } from '../memory/frames.ts';
import type { MemoryFile } from '../memory/mm-types.ts';
import { lockPage, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { allocPage, putPage } from '../memory/page-references.ts';
import { pteObject } from '../memory/page-table.ts';
import { mkPte, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, pteModify, pteNone } from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { isShared, linearIndex } from '../memory/vma.ts';
import { mayWrite, vmProt } from './vm-page-prot.ts';

/** Two files may bear one name, which costs an explorer some time and nothing else. */
export function cacheName({ id }: MemoryFile): number {
  return id % 1_024;
}

/** What the page of a file at `offset` is called when tasks conflict on which it is. */
export function cacheObject(file: MemoryFile, offset: number): ObjectId {
  return objectId('page_cache', cacheName(file), offset);
}

/**
 * shmem_fault(): the page at `offset`, made of zeros if it is not there yet, with a reference and locked: while it
 * migrates, nothing maps it again.
 *
 * Takes: the page lock. Yields: yes.
 */
export function* shmemFault(
  k: Kernel,
  file: MemoryFile,
  offset: number,
): Task<Pfn | 'beyond-end' | 'oom'> {
  if (offset >= file.sizePages) return 'beyond-end';
  for (;;) {
    yield willWrite('shmem_getpage.lookup', cacheObject(file, offset));
    const found = file.pages.get(offset);
    if (found === undefined) break;
    getPage(k.frames, found, 1);
    yield* lockPage(k, 'shmem_getpage.lock_page', found);
    touch(k.context, cacheObject(file, offset), 'read');
    if (file.pages.get(offset) === found) return found;
    // It was taken out of the file meanwhile.
    unlockPage(k, found);
    yield* putPage(k, found);
  }
  const made = allocPage(k);
  if (made === 'none') return 'oom';
  tryLockPage(k, made);
  setFlag(k.frames, made, PAGE_FILE | PAGE_LRU);
  setMapping(k.frames, made, file.id, offset);
  file.pages.set(offset, made);
  getPage(k.frames, made, 1);
  return made;
}

/**
 * Holds: mmap_lock for read. Takes: the page lock, the PTE lock. Yields: yes.
 * Returns: 'sigbus' beyond the end of the file.
 */
export function* doFault(k: Kernel, request: FaultRequest): Task<FaultOutcome> {
  const { vma, page, access } = request;
  if (vma.file === 'none') return 'sigbus';
  if (access === 'write' && !isShared(vma)) return yield* k.fn.doCowFault(k, request);
  const cached = yield* shmemFault(k, vma.file, linearIndex(vma, page));
  if (cached === 'beyond-end') return 'sigbus';
  if (cached === 'oom') return 'oom';
  const outcome = yield* k.fn.finishFault(k, request, cached);
  unlockPage(k, cached);
  if (outcome !== 'done') yield* putPage(k, cached);
  return outcome === 'lost' ? 'done' : outcome;
}

/**
 * finish_fault(): maps the page of the file itself, which is locked. 'lost' if another fault was faster: then, and
 * where it fails, the reference on the page is still the caller's.
 */
export function* finishFault(
  k: Kernel,
  request: FaultRequest,
  cached: Pfn,
): Task<FaultOutcome | 'lost'> {
  const { mm, vma, page, access } = request;
  // A read, too, may look for what was a copy.
  if (!(isShared(vma) || isStable(k, mm))) return 'sigbus';
  const at = yield* lockPte(k, 'finish_fault.ptl', mm, vma, page);
  if (!pteNone(lockedPte(at))) {
    unlockPte(k, at);
    return 'lost';
  }
  yield willWrite('finish_fault.install', pteObject(mm.table, page));
  const written = access === 'write' ? PTE_DIRTY | (mayWrite(vma) ? PTE_WRITE : 0) : 0;
  k.fn.pageAddFileRmap(k, cached);
  const fresh = pteModify(mkPte(cached, PTE_YOUNG), vmProt(vma));
  setLockedPte(k, at, ((fresh | written) >>> 0) as typeof fresh);
  if (access === 'write') setFlag(k.frames, cached, PAGE_DIRTY);
  unlockPte(k, at);
  return 'done';
}

/** do_cow_fault(): a private write gets a copy at once. Nothing was mapped, so no device is notified. */
export function* doCowFault(k: Kernel, request: FaultRequest): Task<FaultOutcome> {
  const { mm, vma, page } = request;
  if (vma.file === 'none') return 'sigbus';
  if ((yield* k.fn.vmfAnonPrepare(k, request)) === 'retry') return 'retry';
  const made = allocPage(k);
  if (made === 'none') return 'oom';
  const cached = yield* shmemFault(k, vma.file, linearIndex(vma, page));
  if (cached === 'beyond-end' || cached === 'oom') {
    yield* putPage(k, made);
    return cached === 'oom' ? 'oom' : 'sigbus';
  }
  yield* copyPage(k, cached, made);
  // What looks empty may have been a copy. finish_fault() asks before it takes the PTE lock.
  if (!isStable(k, mm)) {
    unlockPage(k, cached);
    yield* putPage(k, cached);
    yield* putPage(k, made);
    return 'sigbus';
  }
  const at = yield* lockPte(k, 'do_cow_fault.ptl', mm, vma, page);
  const empty = pteNone(lockedPte(at));
  if (empty) {
    yield willWrite('do_cow_fault.install', pteObject(mm.table, page));
    k.fn.pageAddNewAnonRmap(k, mm, vma, page, made);
    const write = mayWrite(vma) ? PTE_WRITE : 0;
    setLockedPte(k, at, mkPte(made, PTE_YOUNG | PTE_DIRTY | write));
  }
  unlockPte(k, at);
  unlockPage(k, cached);
  yield* putPage(k, cached);
  if (!empty) yield* putPage(k, made);
  return 'done';
}
