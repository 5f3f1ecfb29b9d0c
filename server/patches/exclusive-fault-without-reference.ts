import type { FaultOutcome, FaultRequest, Kernel } from '../kernel/kernel.ts';
import { assertInUse, lockPage, unlockPage } from '../kernel/memory/page-lock.ts';
import { pteObject } from '../kernel/memory/page-table.ts';
import { type Pte, ptePfn } from '../kernel/memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../kernel/memory/pte-lock.ts';
import { type Task, willWrite } from '../task/task.ts';
import { pagesFrom } from '../vocabulary/address.ts';
import type { Patch } from './patch.ts';

/** Race 36: only the entry keeps the page, and the entry may go while the fault waits for the page's lock. */
export const exclusiveFaultWithoutReference: Patch = {
  id: 'exclusive-fault-without-reference',
  provenance:
    'Linux 5.15 to 6.2; fixed by 7c7b962938dd "mm: take a page reference when removing device ' +
    'exclusive entries" (6.3, ' +
    '20230328021434.292971-1-apopple@nvidia.com)',
  summary:
    'remove_device_exclusive_entry() waits for the lock of a page that it has no reference on',
  overrides: () => ({ removeDeviceExclusiveEntry: removeWithoutReference }),
};

function* removeWithoutReference(
  k: Kernel,
  { mm, vma, page }: FaultRequest,
  seen: Pte,
): Task<FaultOutcome> {
  const pfn = ptePfn(seen);
  yield* lockPage(k, 'remove_device_exclusive_entry.lock_page', pfn);
  assertInUse(k, pfn);
  const bracket = yield* k.fn.mmuNotifierInvalidateRangeStart(k, mm, {
    event: 'exclusive',
    range: pagesFrom(page, 1),
    owner: 'none',
    blocking: 'blockable',
  });
  const at = yield* lockPte(k, 'remove_device_exclusive_entry.ptl', mm, vma, page);
  if (lockedPte(at) === seen) {
    yield willWrite('restore_exclusive_pte.set', pteObject(mm.table, page));
    k.fn.restoreExclusivePte(k, at);
  }
  unlockPte(k, at);
  if (bracket.ok) yield* k.fn.mmuNotifierInvalidateRangeEnd(k, bracket.value);
  unlockPage(k, pfn);
  return 'done';
}
