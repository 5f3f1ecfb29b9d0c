/**
 * userfaultfd: whoever touches a missing page of a range that is registered waits until a monitor has filled it.
 *
 * Source: fs/userfaultfd.c (handle_userfault), mm/userfaultfd.c (mfill_atomic) (6.1).
 * Differs: the range is registered, not the mapping. Leaves out: write protection, minor faults, UFFDIO_MOVE and
 * UFFDIO_ZEROPAGE, unregistering, what the monitor reads: it knows what to fill.
 */
import { touch, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { MM_PARTS } from '../../task/object-owners.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, waitUntil, willWrite } from '../../task/task.ts';
import { contains, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import { fail, OK, type Result } from '../../vocabulary/errno.ts';
import { firstWord, pageOfU64 } from '../../vocabulary/page-contents.ts';
import type { FaultOutcome, FaultRequest, Kernel } from '../kernel.ts';
import { setContents } from './frames.ts';
import type { Mm } from './mm.ts';
import { allocPage, putPage } from './page-references.ts';
import { pteObject } from './page-table.ts';
import { mkPte, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, pteNone } from './pte.ts';
import { lockedPte, lockPte, unlockPte } from './pte-lock.ts';
import { setLockedPte } from './set-pte.ts';
import { isAnonymous, vmaLookup } from './vma.ts';

/** What ranges and waits are called when tasks conflict on them. */
export function userfaultObject(mm: number): ObjectId {
  return objectId('mm', mm, MM_PARTS.userfaults);
}

/** As text, to compare states. */
export function userfaultsText({ userfaults: { ranges, waits } }: Mm): string {
  const registered = ranges.map(({ first, end }) => `${first}-${end}`);
  return `${registered.join()} ${waits.map(({ page, state }) => `${page} ${state}`).join()}`;
}

/** UFFDIO_REGISTER, for missing pages. */
export function* userfaultfdRegister(mm: Mm, range: PageRange): Task<void> {
  yield willWrite('userfaultfd_register.range', userfaultObject(mm.id));
  mm.userfaults.ranges.push(range);
}

/** userfaultfd_missing(). */
export function userfaultfdMissing(k: Kernel, mm: Mm, page: PageIndex): boolean {
  touch(k.context, userfaultObject(mm.id), 'read');
  return mm.userfaults.ranges.some((range) => contains(range, page));
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
export function* mfillAtomicCopy(
  k: Kernel,
  mm: Mm,
  page: PageIndex,
  word: bigint,
): Task<Result<void>> {
  const held = yield* readLock(k.context, 'mfill_atomic.mmap_lock', mm.mmapLock);
  const filled = yield* fill(k, mm, page, word);
  readUnlock(k.context, held);
  if (filled.ok) wakeUserfaults(k, mm, page);
  return filled;
}

function* fill(k: Kernel, mm: Mm, page: PageIndex, word: bigint): Task<Result<void>> {
  const vma = vmaLookup(mm.vmas, page);
  if (vma === 'none' || !isAnonymous(vma) || !userfaultfdMissing(k, mm, page)) {
    return fail('ENOENT');
  }
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
  const writable = vma.prot === 'rw' ? PTE_WRITE : 0;
  setLockedPte(k, at, mkPte(pfn, PTE_YOUNG | PTE_DIRTY | writable));
  // Whoever reads the page from here on sees it: it is a write of the monitor's.
  const value = firstWord(contents);
  k.emit({ kind: 'cpu-access', mm: mm.id, page, pfn, mode: 'write', value });
  unlockPte(k, at);
  return OK;
}

function wakeUserfaults(k: Kernel, mm: Mm, page: PageIndex): void {
  for (const wait of mm.userfaults.waits) if (wait.page === page) wait.state = 'woken';
  wake(k.context, userfaultObject(mm.id));
}
