import type { Held } from '../../task/lock.ts';
import type { PageIndex } from '../../vocabulary/address.ts';
import type { Kernel, LockedPte } from '../kernel.ts';
import type { Mm } from './mm.ts';
import { type PtePage, readPte, writePte } from './page-table.ts';
import { type Pte, viewPte } from './pte.ts';

/** set_pte_at(): the one place where the kernel changes an entry. Announce it with willWrite before. */
export function setPteAt(
  k: Kernel,
  held: Held<'ptl'>,
  mm: Mm,
  ptePage: PtePage,
  page: PageIndex,
  pte: Pte,
): void {
  const from = readPte(mm.table, page);
  writePte(held, mm.table, ptePage, page, pte);
  if (from !== pte) k.emit({ kind: 'pte', mm: mm.id, page, from: viewPte(from), to: viewPte(pte) });
}

/** The same for an entry whose lock a function was handed. */
export function setLockedPte(k: Kernel, at: LockedPte, pte: Pte): void {
  setPteAt(k, at.held, at.mm, at.ptePage, at.page, pte);
}
