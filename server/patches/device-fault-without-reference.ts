import type { FaultOutcome, FaultRequest, Kernel } from '../kernel/kernel.ts';
import { pageObject } from '../kernel/memory/frames.ts';
import { type Pte, pteIsDevicePrivate, ptePfn } from '../kernel/memory/pte.ts';
import { type Task, willRead } from '../task/task.ts';
import type { Patch } from './patch.ts';

/**
 * Race 15: the fault handler has seen a device-private entry and calls the device, without a lock or a reference that
 * would keep the page. Meanwhile it may have gone home and be free.
 */
export const deviceFaultWithoutReference: Patch = {
  id: 'device-fault-without-reference',
  provenance:
    'Linux 4.14 to 6.0; fixed by 16ce101db85d "mm/memory.c: fix race when faulting a device private page" (6.1)',
  summary: 'do_swap_page() hands a device-private page to its driver without taking a reference',
  overrides: (stock) => ({
    *doSwapPage(k, request, seen) {
      if (pteIsDevicePrivate(seen) && request.lock !== 'vma')
        return yield* faultOnWhatWasSeen(k, request, seen);
      return yield* stock.doSwapPage(k, request, seen);
    },
    // The page is neither locked nor referenced for the driver, so it migrates it like any other.
    migrateVmaSetup: (k, mm, owner, request) =>
      stock.migrateVmaSetup(k, mm, owner, { ...request, faultPage: 'none' }),
  }),
};

function* faultOnWhatWasSeen(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  // The page's pgmap names the driver to call.
  yield willRead('do_swap_page.pgmap', pageObject(ptePfn(seen)));
  const moved = yield* k.fn.migrateToRam(k, request.mm, request.page, ptePfn(seen));
  return moved.ok ? 'done' : 'sigbus';
}
