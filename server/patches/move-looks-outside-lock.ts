import type { CopiedVma, Kernel, KernelFunctions } from '../kernel/kernel.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import { pteObject, readPte } from '../kernel/memory/page-table.ts';
import { pteNone } from '../kernel/memory/pte.ts';
import { type Task, willRead } from '../task/task.ts';
import { nextPage, type PageIndex, type PageRange, pagesFrom } from '../vocabulary/address.ts';
import type { Patch } from './patch.ts';

/** An entry that is just being replaced is empty for a moment. A task that looks then leaves the page behind. */
export const moveLooksOutsideLock: Patch = {
  id: 'move-looks-outside-lock',
  provenance:
    'ours; the look that move_ptes() (mm/mremap.c) takes under the PTE lock, and under rmap locks since 2.6.38',
  summary: 'mremap() asks without the PTE lock whether there is an entry to move',
  overrides: (stock) => ({
    movePtes: (k, mm, range, to, copied) => lookThenMove(stock, k, mm, range, to, copied),
  }),
};

function* lookThenMove(
  stock: KernelFunctions,
  k: Kernel,
  mm: Mm,
  range: PageRange,
  to: PageIndex,
  copied: CopiedVma,
): Task<void> {
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    yield willRead('move_page_tables.look', pteObject(mm.table, page));
    if (pteNone(readPte(mm.table, page))) continue;
    const made = (to + (page - range.first)) as PageIndex;
    yield* stock.movePtes(k, mm, pagesFrom(page, 1), made, copied);
  }
}
