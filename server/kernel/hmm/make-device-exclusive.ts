/**
 * make_device_exclusive_range(): takes pages away from the CPU so that a device may do atomics on them.
 * Source: mm/rmap.c (6.1), with the later rule that exclusive entries keep the mapcount (series of 2025-01-29).
 */
import type { DeviceOwner } from '../../abi/device-api.ts';
import { type Task, willWrite } from '../../task/task.ts';
import { type PageIndex, type PageRange, type Pfn, pagesFrom } from '../../vocabulary/address.ts';
import { ok, type Result } from '../../vocabulary/errno.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import { compoundHead } from '../memory/compound-page.ts';
import { hasFlag, PAGE_ANON, PAGE_COMPOUND, PAGE_DIRTY, setFlag } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { putPage } from '../memory/page-references.ts';
import { pteObject } from '../memory/page-table.ts';
import {
  mkDeviceExclusive,
  PTE_NONE,
  pteDirty,
  pteIsZeroPage,
  ptePfn,
  ptePresent,
  pteWrite,
} from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { vmaLookup } from '../memory/vma.ts';

/**
 * Faults the whole range for writing, then converts each anonymous page. Frames come locked and referenced; the
 * caller gives them back. The answer is shorter than the range if a later page could not be faulted.
 *
 * Holds: mmap_lock for read. Yields: yes. Returns: EFAULT if the first page could not be faulted.
 */
export function* makeDeviceExclusiveRange(
  k: Kernel,
  mm: Mm,
  owner: DeviceOwner,
  range: PageRange,
): Task<Result<(Pfn | 'none')[]>> {
  const got = yield* k.fn.getUserPages(k, mm, range, 'write', 'get');
  if (!got.ok) return got;
  const made: (Pfn | 'none')[] = [];
  for (const [index, pfn] of got.value.entries()) {
    const page = (range.first + index) as PageIndex;
    if (!k.fn.mayMakeExclusive(k, pfn)) {
      yield* putPage(k, pfn);
      made.push('none');
      continue;
    }
    yield willWrite('make_device_exclusive_range.trylock_page', pageLockObject(pfn));
    if (tryLockPage(k, pfn) === 'busy') {
      yield* putPage(k, pfn);
      made.push('none');
    } else if (yield* makeExclusive(k, mm, owner, page, pfn)) made.push(pfn);
    else {
      unlockPage(k, pfn);
      yield* putPage(k, pfn);
      made.push('none');
    }
  }
  return ok(made);
}

/** A part of a huge page that is not its first is passed over (PageTail): drivers get EBUSY. */
export function mayMakeExclusive(k: Kernel, pfn: Pfn): boolean {
  return !hasFlag(k.frames, pfn, PAGE_COMPOUND) || pfn === compoundHead(k, pfn);
}

/** page_make_device_exclusive(): true if the entry at `page` was present and writable and is exclusive now. */
function* makeExclusive(
  k: Kernel,
  mm: Mm,
  owner: DeviceOwner,
  page: PageIndex,
  pfn: Pfn,
): Task<boolean> {
  if (!hasFlag(k.frames, pfn, PAGE_ANON)) return false;
  const vma = vmaLookup(mm.vmas, page);
  if (vma === 'none') return false;
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'exclusive',
    range: pagesFrom(page, 1),
    owner,
    blocking: 'blockable',
  });
  yield* k.fn.splitHugePmd(k, mm, page);
  const at = yield* lockPte(k, 'make_device_exclusive.ptl', mm, vma, page);
  const seen = lockedPte(at);
  const fits = ptePresent(seen) && !pteIsZeroPage(seen) && ptePfn(seen) === pfn && pteWrite(seen);
  if (fits) yield* k.fn.pageMakeDeviceExclusiveOne(k, at, pfn);
  unlockPte(k, at);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  return fits;
}

/** page_make_device_exclusive_one(): the entry, which maps `pfn` for writing. Holds: the PTE lock of `at`. */
export function* pageMakeDeviceExclusiveOne(k: Kernel, at: LockedPte, pfn: Pfn): Task<void> {
  const { mm, page } = at;
  yield willWrite('make_device_exclusive.clear', pteObject(mm.table, page));
  const pte = lockedPte(at);
  setLockedPte(k, at, PTE_NONE);
  yield* k.fn.flushTlbRange(k, mm, pagesFrom(page, 1));
  if (pteDirty(pte)) setFlag(k.frames, pfn, PAGE_DIRTY);
  // The reference and the mapcount of the old entry stay with the new one.
  setLockedPte(k, at, mkDeviceExclusive(pfn, 'writable'));
}
