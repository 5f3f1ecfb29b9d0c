/**
 * swapoff(): swap space goes out of use. No slot is handed out any more, and what is in slots comes back: entry by
 * entry, in every process, without a fault. No device is told, since nothing was mapped there.
 *
 * Source: mm/swapfile.c, swapoff(), try_to_unuse(), unuse_mm(), unuse_pte() (6.1).
 * Differs: where Linux begins anew at once as long as slots are in use, it waits here until one of them has changed.
 * Leaves out: several swap devices, tmpfs in swap, the signal that ends it.
 */
import { touch } from '../../task/context.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, waitUntil, willRead, willWrite } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { lockCached, readIntoCache, type SwappedIn } from '../fault/swap-in.ts';
import { vmProt } from '../fault/vm-page-prot.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import { getPage, hasFlag, PAGE_SWAPCACHE } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import type { Vma } from '../memory/mm-types.ts';
import { lockPage, unlockPage } from '../memory/page-lock.ts';
import { putPage } from '../memory/page-references.ts';
import { nextCovered, pteObject, readPte } from '../memory/page-table.ts';
import {
  mkPte,
  type Pte,
  pteIsSwap,
  pteMarkedExclusive,
  pteModify,
  pteSwapSlot,
} from '../memory/pte.ts';
import { lockedPte, lockTable, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { SLOT_ALLOCATOR, slotAt, slotObject, slotText, swapFree } from '../memory/swap.ts';

/** The system call as events tell it: of root, in a process of its own. Returns what swapoff() does. */
export function* callSwapoff(k: Kernel): Task<Result<void>> {
  k.emit({ kind: 'call', function: 'swapoff', args: {} });
  const done = yield* k.fn.swapoff(k);
  k.emit({ kind: 'return', function: 'swapoff', result: done.ok ? 'OK' : done.errno });
  return done;
}

/** Returns: EINVAL if swap is off already, ENOMEM if some page finds no frame; then swap is in use again. */
export function* swapoff(k: Kernel): Task<Result<void>> {
  yield willWrite('swapoff.writeok', SLOT_ALLOCATOR);
  if (k.swap.state === 'off') return fail('EINVAL');
  k.swap.state = 'off';
  const unused = yield* k.fn.tryToUnuse(k);
  if (!unused.ok) {
    yield willWrite('swapoff.reinsert', SLOT_ALLOCATOR);
    k.swap.state = 'on';
  }
  return unused;
}

/**
 * try_to_unuse(): until no slot is in use. A child that is forked meanwhile stands behind its parent in the list, and
 * its entries are copied under the parent's mmap_lock, so it is met after it.
 *
 * Takes: mmap_lock of each process for read, page locks, PTE locks.
 */
export function* tryToUnuse(k: Kernel): Task<Result<void>> {
  for (;;) {
    const before = slotsInUse(k);
    if (before.size === 0) return OK;
    for (const mm of k.mms.values()) {
      if (k.fn.mmgetNotZero(k, mm) === 'gone') continue;
      const done = yield* unuseMm(k, mm);
      yield* k.fn.mmput(k, mm);
      if (done === 'oom') return fail('ENOMEM');
    }
    yield* freeCached(k);
    const [left] = [...slotsInUse(k)].filter(([number, text]) => before.get(number) === text);
    if (left === undefined) continue;
    const [number, text] = left;
    yield waitUntil(
      'try_to_unuse.retry',
      slotObject(number),
      () => slotText(k.swap, number) !== text,
    );
  }
}

function slotsInUse({ context, swap }: Kernel): Map<number, string> {
  const found = new Map<number, string>();
  touch(context, SLOT_ALLOCATOR, 'read');
  for (const number of swap.slots.keys()) {
    touch(context, slotObject(number), 'read');
    found.set(number, slotText(swap, number));
  }
  return found;
}

function* unuseMm(k: Kernel, mm: Mm): Task<'done' | 'oom'> {
  const held = yield* readLock(k.context, 'unuse_mm.mmap_lock', mm.mmapLock);
  let outcome: 'done' | 'oom' = 'done';
  for (const vma of mm.vmas.slice()) {
    if (vma.anonVma === 'none' || outcome === 'oom') continue;
    outcome = yield* unuseVma(k, mm, vma);
  }
  readUnlock(k.context, held);
  return outcome;
}

function* unuseVma(k: Kernel, mm: Mm, vma: Vma): Task<'done' | 'oom'> {
  const { end } = vma;
  for (let page = nextCovered(mm.table, vma.first, end); page < end; ) {
    yield willRead('unuse_pte_range.entry', pteObject(mm.table, page));
    const seen = readPte(mm.table, page);
    if (pteIsSwap(seen) && (yield* unuseEntry(k, mm, vma, page, seen)) === 'oom') return 'oom';
    page = nextCovered(mm.table, (page + 1) as PageIndex, end);
  }
  return 'done';
}

/** One turn of unuse_pte_range(): the page is locked before the entry is looked at again. */
function* unuseEntry(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
  seen: Pte,
): Task<'done' | 'oom'> {
  const slot = slotAt(k.swap, pteSwapSlot(seen));
  if (slot === 'none' || (slot.uses === 0 && slot.cached === 'none')) return 'done';
  let got: SwappedIn | 'oom' | 'gone';
  if (slot.cached !== 'none') got = yield* lockCached(k, slot);
  else if ((yield* k.fn.swapcachePrepare(k, slot)) === 'busy') return 'done';
  else got = readIntoCache(k, slot);
  // The next round finds what has changed.
  if (typeof got === 'string') return got === 'oom' ? 'oom' : 'done';
  const { pfn } = got;
  const table = yield* lockTable(k, 'unuse_pte.ptl', mm, page);
  if (typeof table !== 'string') yield* k.fn.unusePte(k, { mm, vma, page, ...table }, seen, pfn);
  yield* k.fn.folioFreeSwap(k, pfn);
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
  return 'done';
}

/**
 * unuse_pte(): the page takes the place of the swap entry, unless that has changed since it was seen. Not writable: a
 * write faults, and finds out whether the page may be written in place.
 *
 * Holds: the page lock, and the PTE lock in `at`, which it releases.
 */
export function* unusePte(k: Kernel, at: LockedPte, seen: Pte, pfn: Pfn): Task<void> {
  if (lockedPte(at) === seen) yield* mapUnused(k, at, seen, pfn);
  unlockPte(k, at);
}

/** The second half. Holds: the same, and keeps it. */
export function* mapUnused(k: Kernel, at: LockedPte, seen: Pte, pfn: Pfn): Task<void> {
  const { mm, vma, page } = at;
  yield willWrite('unuse_pte.set', pteObject(mm.table, page));
  getPage(k.frames, pfn, 1);
  const sharing = pteMarkedExclusive(seen) ? 'exclusive' : 'shared';
  k.fn.pageAddAnonRmap(k, mm, vma, page, pfn, sharing);
  setLockedPte(k, at, pteModify(mkPte(pfn, 0), vmProt(vma)));
  swapFree(k.swap, pteSwapSlot(seen));
}

/** Pages of the swap cache whose slots no entry names. */
function* freeCached(k: Kernel): Task<void> {
  for (const { number, cached } of [...k.swap.slots.values()]) {
    if (cached === 'none' || slotAt(k.swap, number) === 'none') continue;
    getPage(k.frames, cached, 1);
    yield* lockPage(k, 'try_to_unuse.lock_page', cached);
    if (hasFlag(k.frames, cached, PAGE_SWAPCACHE)) yield* k.fn.folioFreeSwap(k, cached);
    unlockPage(k, cached);
    yield* putPage(k, cached);
  }
}
