/** A first touch of private anonymous memory. Source: mm/memory.c, do_anonymous_page() (6.1). */
import { type Task, willWrite } from '../../task/task.ts';
import type { FaultOutcome, FaultRequest, Kernel, LockedPte } from '../kernel.ts';
import { isStable } from '../memory/address-space-stability.ts';
import { allocPage, putPage } from '../memory/page-references.ts';
import { pteObject } from '../memory/page-table.ts';
import {
  mkPte,
  mkZeroPte,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pteModify,
  pteNone,
} from '../memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { handleUserfault, userfaultfdMissing } from '../memory/userfault.ts';
import { vmProt } from './vm-page-prot.ts';

/**
 * A read maps the shared zero page, a write a fresh page of zeros. No notifier: nothing was mapped before.
 *
 * Holds: mmap_lock for read, or the lock of the mapping. Takes: the PTE lock. Returns: 'oom' when frames ran out;
 * 'sigbus' once the OOM reaper was here; 'retry' as vmfAnonPrepare().
 */
export function* doAnonymousPage(k: Kernel, request: FaultRequest): Task<FaultOutcome> {
  const { mm, vma, page, access } = request;
  // What the mapping allows is asked before the PTE lock: the lock on the mapping keeps it so.
  if (access === 'read') {
    const zero = pteModify(mkZeroPte(), { ...vmProt(vma), write: false });
    const at = yield* lockPte(k, 'do_anonymous_page.ptl', mm, vma, page);
    // Another fault may have filled the slot since it was read without the lock.
    const empty = pteNone(lockedPte(at));
    const stable = isStable(k, mm);
    if (empty && stable && userfaultfdMissing(k, mm, page)) return userfault(k, request, at);
    if (empty && stable) {
      yield willWrite('do_anonymous_page.zero', pteObject(mm.table, page));
      setLockedPte(k, at, zero);
    }
    unlockPte(k, at);
    return empty && !stable ? 'sigbus' : 'done';
  }
  if ((yield* k.fn.vmfAnonPrepare(k, request)) === 'retry') return 'retry';
  const pfn = allocPage(k);
  if (pfn === 'none') return 'oom';
  const fresh = mkPte(pfn, PTE_YOUNG | (vma.prot === 'rw' ? PTE_WRITE | PTE_DIRTY : 0));
  const at = yield* lockPte(k, 'do_anonymous_page.ptl', mm, vma, page);
  const empty = pteNone(lockedPte(at));
  if (!(empty && isStable(k, mm))) {
    unlockPte(k, at);
    yield* putPage(k, pfn);
    return empty ? 'sigbus' : 'done';
  }
  if (userfaultfdMissing(k, mm, page)) {
    const outcome = userfault(k, request, at);
    yield* putPage(k, pfn);
    return outcome;
  }
  yield willWrite('do_anonymous_page.install', pteObject(mm.table, page));
  k.fn.pageAddNewAnonRmap(k, mm, vma, page, pfn);
  setLockedPte(k, at, fresh);
  unlockPte(k, at);
  return 'done';
}

/** Lets go of the lock in `at`. */
function userfault(k: Kernel, request: FaultRequest, at: LockedPte): FaultOutcome {
  const outcome = handleUserfault(k, request);
  unlockPte(k, at);
  return outcome;
}
