import { type Held, lock, unlock } from '../../task/lock.ts';
import type { Task, YieldPoint } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './mm-types.ts';
import {
  allocPtePage,
  blockOf,
  findPtePage,
  freesOf,
  type PtePage,
  readPte,
} from './page-table.ts';
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
  const ptePage = allocPtePage(held, mm.table, page);
  return { mm, vma, page, ptePage, held };
}

/** The table of one block, for a walk over its entries. */
export interface LockedTable {
  readonly ptePage: PtePage;
  readonly held: Held<'ptl'>;
}

/**
 * pte_offset_map_lock() for a walk over small entries, which makes no table. The block is asked again under the lock:
 * with mmap_lock for reading only, other tasks may have zapped a block that this one has split, and mapped it by one
 * entry anew (pmd_none_or_trans_huge_or_clear_bad).
 *
 * Returns: 'none' or 'huge' if there are no small entries; nothing is held then. So it is where the table has gone
 * since 6.5; before, whoever takes tables away keeps walks out (PT5).
 */
export function* lockTable(
  k: Kernel,
  at: YieldPoint,
  mm: Mm,
  page: PageIndex,
): Task<LockedTable | 'none' | 'huge'> {
  const ptePage = findPtePage(mm.table, page);
  if (ptePage === 'none') return 'none';
  const { level: seen, frees } = ptePage;
  const held = yield* lock(k.context, at, ptePage.ptl);
  const { level } = ptePage;
  if (seen === 'table' && (level !== 'table' || frees !== freesOf(mm.table, page))) {
    k.fn.pteTableGone(page);
  }
  if (level === 'table') return { ptePage, held };
  unlock(k.context, held);
  return level;
}

/** pmd_lock(), for a look at the entry whatever it is part of. Makes no table; not for writing. */
export function* lockToLook(
  k: Kernel,
  at: YieldPoint,
  mm: Mm,
  vma: Vma,
  page: PageIndex,
): Task<LockedPte> {
  const ptePage = blockOf(mm.table, page);
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

/** A walk has found a table and has its lock, and the table is gone: in 6.1 it is in a page that may be anything. */
export function pteTableGone(page: PageIndex): void {
  invariant(false, 'PT5', { page });
}
