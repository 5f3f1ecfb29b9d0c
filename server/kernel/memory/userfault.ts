/**
 * userfaultfd: whoever touches a missing page of a range that is registered waits until a monitor has filled it.
 *
 * Source: fs/userfaultfd.c (handle_userfault), mm/userfaultfd.c (mfill_atomic) (6.1).
 * Differs: the range is registered, not the mapping. Leaves out: write protection, minor faults, what the monitor
 * reads: it knows what to fill. UFFDIO_MOVE is in userfault-move.ts.
 */
import { touch, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { MM_PARTS } from '../../task/object-owners.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, waitUntil, willWrite } from '../../task/task.ts';
import {
  contains,
  overlaps,
  type PageIndex,
  type PageRange,
  pagesFrom,
  withoutRange,
  withRange,
} from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { firstWord, pageOfU64 } from '../../vocabulary/page-contents.ts';
import type { FaultOutcome, FaultRequest, Kernel } from '../kernel.ts';
import { setContents } from './frames.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import { allocPage, putPage } from './page-references.ts';
import { pteObject } from './page-table.ts';
import { mkPte, mkZeroPte, PTE_DIRTY, PTE_YOUNG, pteModify, pteNone } from './pte.ts';
import { lockedPte, lockPte, unlockPte } from './pte-lock.ts';
import { setLockedPte } from './set-pte.ts';
import { isAnonymous, vmaLookup } from './vma.ts';

/** Of one address space. In Linux each is a mapping, of which there are so many at most (max_map_count). */
const RANGES_MAX = 1_024;

/** What ranges and waits are called when tasks conflict on them. */
export function userfaultObject(mm: number): ObjectId {
  return objectId('mm', mm, MM_PARTS.userfaults);
}

/** As text, to compare states. */
export function userfaultsText({ userfaults: { ranges, waits } }: Mm): string {
  const registered = ranges.map(({ first, end }) => `${first}-${end}`);
  return `${registered.join()} ${waits.map(({ page, state }) => `${page} ${state}`).join()}`;
}

/** UFFDIO_REGISTER, for missing pages. Returns: ENOMEM beyond RANGES_MAX. */
export function* userfaultfdRegister(mm: Mm, range: PageRange): Task<Result<void>> {
  yield willWrite('userfaultfd_register.range', userfaultObject(mm.id));
  return register(mm, withRange(mm.userfaults.ranges, range));
}

/** UFFDIO_UNREGISTER: those who wait find nobody to wait for. Returns: as userfaultfdRegister(). */
export function* userfaultfdUnregister(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  yield willWrite('userfaultfd_unregister.range', userfaultObject(mm.id));
  const done = register(mm, withoutRange(mm.userfaults.ranges, range));
  if (done.ok) wakeUserfaults(k, mm, range);
  return done;
}

function register({ userfaults: { ranges } }: Mm, now: readonly PageRange[]): Result<void> {
  if (now.length > RANGES_MAX) return fail('ENOMEM');
  ranges.splice(0, ranges.length, ...now);
  return OK;
}

/** UFFDIO_WAKE. */
export function* userfaultfdWake(k: Kernel, mm: Mm, range: PageRange): Task<Result<void>> {
  yield willWrite('userfaultfd_wake.waits', userfaultObject(mm.id));
  wakeUserfaults(k, mm, range);
  return OK;
}

/** userfaultfd_missing(). */
export function userfaultfdMissing(k: Kernel, mm: Mm, page: PageIndex): boolean {
  return isRegistered(k, mm, pagesFrom(page, 1));
}

/** Some page of `pages` is. */
export function isRegistered(k: Kernel, mm: Mm, pages: PageRange): boolean {
  touch(k.context, userfaultObject(mm.id), 'read');
  return mm.userfaults.ranges.some((range) => overlaps(range, pages));
}

/**
 * handle_userfault(), up to the wait: for that the caller lets go of mmap_lock and calls waitForMonitor(). One that
 * may not let go of it is refused.
 *
 * Holds: the PTE lock, under which the page was found missing, so that whoever fills it comes behind.
 */
export function handleUserfault(k: Kernel, { mm, page, retry }: FaultRequest): FaultOutcome {
  if (retry !== 'allowed') return 'sigbus';
  touch(k.context, userfaultObject(mm.id), 'write');
  mm.userfaults.waits.push({ page, task: k.context.current.id, state: 'waits' });
  return 'userfault';
}

/** The wait of the running task, if a fault of its came to one; whether it did. Holds: not mmap_lock. */
export function* waitForMonitor(k: Kernel, mm: Mm): Task<boolean> {
  const { waits } = mm.userfaults;
  const own = waits.find(({ task }) => task === k.context.current.id);
  if (own === undefined) return false;
  yield waitUntil('handle_userfault.wait', userfaultObject(mm.id), () => own.state === 'woken');
  touch(k.context, userfaultObject(mm.id), 'write');
  waits.splice(waits.indexOf(own), 1);
  return true;
}

/**
 * UFFDIO_COPY of one page that begins with `word`, and the wake of those who wait for it. ENOENT outside of what is
 * registered, EEXIST where something is mapped: then nobody is woken.
 *
 * Takes: mmap_lock for read, the PTE lock.
 */
export function mfillAtomicCopy(
  k: Kernel,
  mm: Mm,
  page: PageIndex,
  word: bigint,
): Task<Result<void>> {
  return mfillAtomic(k, mm, page, (vma) => fillWithCopy(k, mm, vma, page, word));
}

/** UFFDIO_ZEROPAGE of one page. Takes and returns what mfillAtomicCopy() does. */
export function mfillAtomicZeropage(k: Kernel, mm: Mm, page: PageIndex): Task<Result<void>> {
  return mfillAtomic(k, mm, page, (vma) => fillWithZeroPage(k, mm, vma, page));
}

function* mfillAtomic(
  k: Kernel,
  mm: Mm,
  page: PageIndex,
  fill: (vma: Vma) => Task<Result<void>>,
): Task<Result<void>> {
  const held = yield* readLock(k.context, 'mfill_atomic.mmap_lock', mm.mmapLock);
  const vma = vmaLookup(mm.vmas, page);
  const registered = vma !== 'none' && isAnonymous(vma) && userfaultfdMissing(k, mm, page);
  const filled = registered ? yield* fill(vma) : fail('ENOENT');
  readUnlock(k.context, held);
  if (filled.ok) wakeUserfaults(k, mm, pagesFrom(page, 1));
  return filled;
}

function* fillWithCopy(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
  word: bigint,
): Task<Result<void>> {
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  const pfn = allocPage(k);
  if (pfn === 'none') return fail('ENOMEM');
  const contents = pageOfU64(word);
  setContents(k.frames, pfn, contents);
  const at = yield* lockPte(k, 'mfill_atomic_pte_copy.ptl', mm, vma, page);
  if (!pteNone(lockedPte(at))) {
    unlockPte(k, at);
    yield* putPage(k, pfn);
    return fail('EEXIST');
  }
  yield willWrite('mfill_atomic_pte_copy.install', pteObject(mm.table, page));
  k.fn.pageAddNewAnonRmap(k, mm, vma, page, pfn);
  const prot = { none: vma.prot === 'none', write: vma.prot === 'rw' };
  setLockedPte(k, at, pteModify(mkPte(pfn, PTE_YOUNG | PTE_DIRTY), prot));
  // Whoever reads the page from here on sees it: it is a write of the monitor's.
  const value = firstWord(contents);
  k.emit({ kind: 'cpu-access', mm: mm.id, page, pfn, mode: 'write', value });
  unlockPte(k, at);
  return OK;
}

function* fillWithZeroPage(k: Kernel, mm: Mm, vma: Vma, page: PageIndex): Task<Result<void>> {
  const at = yield* lockPte(k, 'mfill_atomic_pte_zeropage.ptl', mm, vma, page);
  const missing = pteNone(lockedPte(at));
  if (missing) {
    yield willWrite('mfill_atomic_pte_zeropage.install', pteObject(mm.table, page));
    setLockedPte(k, at, pteModify(mkZeroPte(), { none: vma.prot === 'none', write: false }));
  }
  unlockPte(k, at);
  return missing ? OK : fail('EEXIST');
}

function wakeUserfaults(k: Kernel, mm: Mm, range: PageRange): void {
  for (const wait of mm.userfaults.waits) if (contains(range, wait.page)) wait.state = 'woken';
  wake(k.context, userfaultObject(mm.id));
}
