/**
 * handle_mm_fault(): one step towards what the access needs. The caller tries the access again afterwards.
 *
 * Source: mm/memory.c (6.1). Leaves out: NUMA hints, memory cgroups.
 */
import { type Task, willRead, willWrite } from '../../task/task.ts';
import type { FaultOutcome, FaultRequest, Kernel } from '../kernel.ts';
import { findPtePage, isHuge, pteObject, readPte } from '../memory/page-table.ts';
import {
  PTE_DIRTY,
  PTE_YOUNG,
  pteNone,
  ptePresent,
  pteWithFlags,
  pteWrite,
} from '../memory/pte.ts';
import { lockedPte, lockTable, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { isAnonymous } from '../memory/vma.ts';
import { mayBeHuge } from './do-huge-pmd.ts';

/**
 * Holds: mmap_lock for read, or the lock of the mapping (FAULT_FLAG_VMA_LOCK).
 * Takes: page locks, the PTE lock, and what callbacks take. Yields: yes.
 * Returns: 'done' also if nothing had to be done, or another task was faster.
 */
export function* handleMmFault(k: Kernel, request: FaultRequest): Task<FaultOutcome> {
  const { mm, vma, page, access } = request;
  yield willRead('handle_pte_fault.read', pteObject(mm.table, page));
  if (isHuge(mm.table, page)) {
    const seen = readPte(mm.table, page);
    return ptePresent(seen)
      ? yield* k.fn.doHugePmd(k, request)
      : yield* k.fn.doSwapPage(k, request, seen);
  }
  if (mayBeHuge(k, mm, vma, page) && findPtePage(mm.table, page) === 'none') {
    const outcome = yield* k.fn.doHugePmdAnonymousPage(k, request);
    if (outcome !== 'fallback') return outcome;
    // Another thread has had more luck (pmd_devmap_trans_unstable).
    if (isHuge(mm.table, page)) return 'done';
  }
  const seen = readPte(mm.table, page);
  if (pteNone(seen)) {
    return isAnonymous(vma)
      ? yield* k.fn.doAnonymousPage(k, request)
      : yield* k.fn.doFault(k, request);
  }
  if (!ptePresent(seen)) return yield* k.fn.doSwapPage(k, request, seen);
  // The table may have gone meanwhile, or have become one huge entry.
  const table = yield* lockTable(k, 'handle_pte_fault.ptl', mm, page);
  if (typeof table === 'string') return 'done';
  const at = { mm, vma, page, ...table };
  const now = lockedPte(at);
  if (now !== seen) {
    unlockPte(k, at);
    return 'done';
  }
  if (access === 'write' && !pteWrite(now)) return yield* k.fn.doWpPage(k, request, at);
  yield willWrite('handle_pte_fault.young', pteObject(mm.table, page));
  const touched = access === 'write' ? PTE_YOUNG | PTE_DIRTY : PTE_YOUNG;
  setLockedPte(k, at, pteWithFlags(lockedPte(at), touched));
  unlockPte(k, at);
  return 'done';
}
