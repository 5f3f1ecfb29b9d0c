import { lock, unlock } from '../../task/lock.ts';
import type { Task, YieldPoint } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import { allocPtePage, blockOf, readPte } from './page-table.ts';
import type { Pte } from './pte.ts';

/**
 * pte_offset_map_lock(), making the page-table page if there is none. Pair with unlockPte(). A huge entry that
 * another thread has put there meanwhile stays: look at the entry again before writing it.
 */
export function* lockPte(
  k: Kernel,
  at: YieldPoint,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
): Task<LockedPte> {
  const { ptl } = blockOf(mm.table, page);
  const held = yield* lock(k.context, at, ptl);
  // Under the lock: another thread may just now be mapping the block by a huge entry.
  const ptePage = allocPtePage(mm.table, page);
  return { mm, vma, page, ptePage, held };
}

export function unlockPte(k: Kernel, at: LockedPte): void {
  unlock(k.context, at.held);
}

/** The entry under the lock. */
export function lockedPte(at: LockedPte): Pte {
  return readPte(at.mm.table, at.page);
}
