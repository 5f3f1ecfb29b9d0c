import { lock, unlock } from '../../task/lock.ts';
import type { Task, YieldPoint } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import { allocPtePage, readPte } from './page-table.ts';
import type { Pte } from './pte.ts';

/** pte_offset_map_lock(), making the page-table page if there is none. Pair with unlockPte(). */
export function* lockPte(
  k: Kernel,
  at: YieldPoint,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
): Task<LockedPte> {
  const ptePage = allocPtePage(mm.table, page);
  const held = yield* lock(k.context, at, ptePage.ptl);
  return { mm, vma, page, ptePage, held };
}

export function unlockPte(k: Kernel, at: LockedPte): void {
  unlock(k.context, at.held);
}

/** The entry under the lock. */
export function lockedPte(at: LockedPte): Pte {
  return readPte(at.mm.table, at.page);
}
