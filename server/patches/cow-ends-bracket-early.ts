import { mayWrite } from '../kernel/fault/vm-page-prot.ts';
import type { FaultOutcome, FaultRequest, Kernel } from '../kernel/kernel.ts';
import { copyPage } from '../kernel/memory/copy-page.ts';
import { allocPage, putPage } from '../kernel/memory/page-references.ts';
import { pteObject } from '../kernel/memory/page-table.ts';
import {
  mkPte,
  PTE_DIRTY,
  PTE_NONE,
  PTE_WRITE,
  PTE_YOUNG,
  type Pte,
  pteIsZeroPage,
  ptePfn,
} from '../kernel/memory/pte.ts';
import { lockedPte, lockPte } from '../kernel/memory/pte-lock.ts';
import { setLockedPte } from '../kernel/memory/set-pte.ts';
import { type Task, willWrite } from '../task/task.ts';
import { pagesFrom } from '../vocabulary/address.ts';
import type { Patch } from './patch.ts';

/** A device faults between the two, finds the old page under a sequence that holds, and keeps it for ever. */
export const cowEndsBracketEarly: Patch = {
  id: 'cow-ends-bracket-early',
  provenance: 'constructed; the bracket that wp_page_copy() (mm/memory.c) has around its change',
  summary: 'a copy on write ends its invalidation before it changes the entry',
  overrides: () => ({ wpPageCopy }),
};

function* wpPageCopy(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  const { mm, vma, page } = request;
  const old = pteIsZeroPage(seen) ? 'zero' : ptePfn(seen);
  yield* k.fn.anonVmaPrepare(k, mm, vma);
  const made = allocPage(k);
  if (made === 'none') {
    if (old !== 'zero') yield* putPage(k, old);
    return 'oom';
  }
  if (old !== 'zero') yield* copyPage(k, old, made);
  const range = pagesFrom(page, 1);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'clear',
    range,
    owner: 'none',
    blocking: 'blockable',
  });
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  const at = yield* lockPte(k, 'wp_page_copy.ptl', mm, vma, page);
  const unchanged = lockedPte(at) === seen;
  if (unchanged) {
    yield willWrite('wp_page_copy.clear', pteObject(mm.table, page));
    setLockedPte(k, at, PTE_NONE);
    yield* k.fn.flushTlbRange(k, mm, range);
    k.fn.pageAddNewAnonRmap(k, mm, vma, page, made);
    const write = mayWrite(vma) ? PTE_WRITE : 0;
    setLockedPte(k, at, mkPte(made, PTE_YOUNG | PTE_DIRTY | write));
    if (old !== 'zero') k.fn.pageRemoveRmap(k, old);
  }
  yield* k.fn.wpPageCopyEnd(k, at, { bracket: 'none', unused: unchanged ? old : made });
  if (old !== 'zero') {
    if (unchanged) yield* k.fn.freeSwapCache(k, old);
    yield* putPage(k, old);
  }
  return 'done';
}
