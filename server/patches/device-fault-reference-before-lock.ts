import type { DeviceOwner, MigrateRequest } from '../abi/device-api.ts';
import { MIGRATE_PFN_NONE } from '../abi/migrate-pfn.ts';
import { openMigration } from '../kernel/hmm/open-migrations.ts';
import {
  type FaultOutcome,
  type FaultRequest,
  type Kernel,
  type KernelFunctions,
  type Migration,
  nextId,
} from '../kernel/kernel.ts';
import { getPage } from '../kernel/memory/frames.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import { pageLockObject, tryLockPage, unlockPage } from '../kernel/memory/page-lock.ts';
import { putPage } from '../kernel/memory/page-references.ts';
import { type Pte, pteIsDevicePrivate, ptePfn } from '../kernel/memory/pte.ts';
import { lockedPte, lockPte, unlockPte } from '../kernel/memory/pte-lock.ts';
import { type Task, willWrite } from '../task/task.ts';
import { ok, type Result } from '../vocabulary/errno.ts';
import type { Patch } from './patch.ts';

/**
 * Race 17: each thread that faults on a device's page takes a reference and then tries to migrate it. Two of them make
 * each other's migration fail, for a page with an unknown reference does not move.
 */
export const deviceFaultReferenceBeforeLock: Patch = {
  id: 'device-fault-reference-before-lock',
  provenance:
    'Linux 6.1 to 6.14; fixed by 1afaeb8293c9 "mm/migrate: Trylock device page in do_swap_page" ' +
    '(20250306012657.3505757-4)',
  summary: 'do_swap_page() takes a reference on a device-private page before anybody has locked it',
  overrides: (stock) => ({
    *doSwapPage(k, request, seen) {
      const here = pteIsDevicePrivate(seen) && request.lock !== 'vma';
      if (here) return yield* faultHoldingReference(k, request, seen);
      return yield* stock.doSwapPage(k, request, seen);
    },
    migrateVmaSetup: (k, mm, owner, request) => setupLockingFaultPage(stock, k, mm, owner, request),
    migrateVmaFinalize: (k, migration) => finalizeUnlockingFaultPage(stock, k, migration),
  }),
};

function* faultHoldingReference(k: Kernel, request: FaultRequest, seen: Pte): Task<FaultOutcome> {
  const { mm, vma, page } = request;
  const pfn = ptePfn(seen);
  const at = yield* lockPte(k, 'do_swap_page.ptl', mm, vma, page);
  if (lockedPte(at) !== seen) {
    unlockPte(k, at);
    return 'done';
  }
  getPage(k.frames, pfn, 1);
  unlockPte(k, at);
  const moved = yield* k.fn.migrateToRam(k, mm, page, pfn);
  yield* putPage(k, pfn);
  return moved.ok ? 'done' : 'sigbus';
}

/** The fault page is locked here, like every other page of a migration; if it cannot be, nothing is collected. */
function* setupLockingFaultPage(
  stock: KernelFunctions,
  k: Kernel,
  mm: Mm,
  owner: DeviceOwner,
  request: MigrateRequest,
): Task<Result<Migration>> {
  const { faultPage, range, select } = request;
  if (faultPage === 'none') return yield* stock.migrateVmaSetup(k, mm, owner, request);
  yield willWrite('migrate_vma_collect.trylock_page', pageLockObject(faultPage));
  if (tryLockPage(k, faultPage) === 'locked') {
    return yield* stock.migrateVmaSetup(k, mm, owner, request);
  }
  const empty: Migration = {
    id: nextId(k),
    mm,
    owner,
    vma: 'none',
    range,
    select,
    faultPage: 'none',
    src: [MIGRATE_PFN_NONE],
    dst: [],
    cpages: 'collecting',
  };
  openMigration(k, empty);
  return ok(empty);
}

function* finalizeUnlockingFaultPage(
  stock: KernelFunctions,
  k: Kernel,
  migration: Migration,
): Task<void> {
  yield* stock.migrateVmaFinalize(k, migration);
  if (migration.faultPage !== 'none') unlockPage(k, migration.faultPage);
}
