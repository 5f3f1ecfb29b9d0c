/**
 * A write to a page that is mapped without write permission: reuse it or copy it.
 * Source: mm/memory.c, do_wp_page(), wp_page_copy(), wp_page_reuse() (6.1).
 */

import { type Task, willWrite } from '../../task/task.ts';
import { pagesFrom } from '../../vocabulary/address.ts';
import type { CopyEnd, FaultOutcome, FaultRequest, Kernel, LockedPte } from '../kernel.ts';
import { copyPage } from '../memory/copy-page.ts';
import {
  getPage,
  hasFlag,
  PAGE_ANON,
  PAGE_ANON_EXCLUSIVE,
  PAGE_SWAPCACHE,
  refcount,
} from '../memory/frames.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { allocPage, putPage } from '../memory/page-references.ts';
import { pteObject } from '../memory/page-table.ts';
import {
  mkPte,
  PTE_DIRTY,
  PTE_NONE,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteIsZeroPage,
  ptePfn,
  pteWithFlags,
} from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { isShared } from '../memory/vma.ts';
import { mayWrite } from './vm-page-prot.ts';

/**
 * Holds: mmap_lock for read, and the PTE lock in `at`, which it releases. Yields: yes.
 * A reuse notifies no device: the frame stays. A copy does, in wpPageCopy().
 */
export function* doWpPage(k: Kernel, request: FaultRequest, at: LockedPte): Task<FaultOutcome> {
  const seen = lockedPte(at);
  if (pteIsZeroPage(seen)) {
    unlockPte(k, at);
    return yield* k.fn.wpPageCopy(k, request, seen);
  }
  const pfn = ptePfn(seen);
  if (isShared(request.vma)) {
    yield* k.fn.wpPageReuse(k, at);
    return 'done';
  }
  if (hasFlag(k.frames, pfn, PAGE_ANON) && (yield* k.fn.mayReuse(k, request, seen))) {
    yield* k.fn.wpPageReuse(k, at);
    return 'done';
  }
  getPage(k.frames, pfn, 1);
  unlockPte(k, at);
  return yield* k.fn.wpPageCopy(k, request, seen);
}

/** No other mapping has the page and no task holds a reference: it belongs to this mapping alone. */
export function* mayReuse(k: Kernel, request: FaultRequest, seen: Pte): Task<boolean> {
  const pfn = ptePfn(seen);
  if (hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE)) return true;
  const inSwapCache = hasFlag(k.frames, pfn, PAGE_SWAPCACHE) ? 1 : 0;
  if (refcount(k.frames, pfn) > 1 + inSwapCache) return false;
  yield willWrite('do_wp_page.trylock', pageLockObject(pfn));
  if (tryLockPage(k, pfn) === 'busy') return false;
  yield* k.fn.folioFreeSwap(k, pfn);
  const alone = refcount(k.frames, pfn) === 1;
  if (alone) k.fn.pageMoveAnonRmap(k, request.vma, pfn);
  unlockPage(k, pfn);
  return alone;
}

/** wp_page_reuse(). */
export function* wpPageReuse(k: Kernel, at: LockedPte): Task<void> {
  yield willWrite('wp_page_reuse.write', pteObject(at.mm.table, at.page));
  const write = mayWrite(at.vma) ? PTE_WRITE : 0;
  setLockedPte(k, at, pteWithFlags(lockedPte(at), PTE_YOUNG | PTE_DIRTY | write));
  unlockPte(k, at);
}

/**
 * Replaces a shared page, or the zero page, by a private copy. `seen` is the entry as it was; its page, unless
 * the zero page, carries a reference that this function drops.
 *
 * Holds: mmap_lock for read. Takes: callbacks' locks, then the PTE lock. Yields: yes.
 */
export function* wpPageCopy(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  const { mm, vma, page } = request;
  const old = pteIsZeroPage(seen) ? 'zero' : ptePfn(seen);
  const prepared = yield* k.fn.vmfAnonPrepare(k, request);
  const made = prepared === 'retry' ? 'none' : allocPage(k);
  if (made === 'none') {
    if (old !== 'zero') yield* putPage(k, old);
    return prepared === 'retry' ? 'retry' : 'oom';
  }
  if (old !== 'zero') yield* copyPage(k, old, made);
  const range = pagesFrom(page, 1);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  const at = yield* lockPte(k, 'wp_page_copy.ptl', mm, vma, page);
  const unchanged = lockedPte(at) === seen;
  if (unchanged) {
    // Clear, flush, set: no CPU may go on reading the old page once another can write the new one.
    yield willWrite('wp_page_copy.clear', pteObject(mm.table, page));
    setLockedPte(k, at, PTE_NONE);
    yield* k.fn.flushTlbNotify(k, mm, range);
    k.fn.pageAddNewAnonRmap(k, mm, vma, page, made);
    const write = mayWrite(vma) ? PTE_WRITE : 0;
    setLockedPte(k, at, mkPte(made, PTE_YOUNG | PTE_DIRTY | write));
    if (old !== 'zero') k.fn.pageRemoveRmap(k, old);
  }
  yield* k.fn.wpPageCopyEnd(k, at, {
    bracket: bracket.ok ? bracket.value : 'none',
    unused: unchanged ? old : made,
  });
  if (old !== 'zero') {
    if (unchanged) yield* k.fn.freeSwapCache(k, old);
    yield* putPage(k, old);
  }
  return 'done';
}

/**
 * The end of wp_page_copy(): the page that is not mapped any more, or not needed, loses its reference before the
 * bracket ends.
 *
 * Holds: the PTE lock in `at`, which it releases.
 */
export function* wpPageCopyEnd(k: Kernel, at: LockedPte, { bracket, unused }: CopyEnd): Task<void> {
  if (unused !== 'zero') yield* putPage(k, unused);
  unlockPte(k, at);
  if (bracket !== 'none') yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket);
}
