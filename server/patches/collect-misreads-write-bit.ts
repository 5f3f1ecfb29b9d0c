import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_WRITE,
  migratePfn,
  migratePfnToPfn,
} from '../abi/migrate-pfn.ts';
import { mkMigration, pteIsDevicePrivate, pteIsMigration, ptePfn } from '../kernel/memory/pte.ts';
import { lockedPte } from '../kernel/memory/pte-lock.ts';
import { setLockedPte } from '../kernel/memory/set-pte.ts';
import type { Patch } from './patch.ts';

/**
 * Race 44: in an entry of device-private memory another bit stands where a present entry has its right to write. On x86
 * it is 0, which costs a fault; here it is 1.
 */
export const collectMisreadsWriteBit: Patch = {
  id: 'collect-misreads-write-bit',
  provenance:
    'Linux 4.14 to 4.16; fixed by "mm/migrate: properly preserve write attribute in special migrate ' +
    'entry" (2018-04-01, ' +
    '20180402023506.12180-1-jglisse@redhat.com, 4.17)',
  summary:
    'migrate_vma_collect_pmd() takes entries of device memory for present ones, and finds them writable',
  overrides: (stock) => ({
    *migrateVmaCollectPte(k, migration, at) {
      const before = lockedPte(at);
      const collected = yield* stock.migrateVmaCollectPte(k, migration, at);
      const pfn = migratePfnToPfn(collected);
      if (pfn === 'none' || !pteIsDevicePrivate(before) || !pteIsMigration(lockedPte(at))) {
        return collected;
      }
      setLockedPte(k, at, mkMigration(ptePfn(before), 'writable', before));
      return migratePfn(pfn, MIGRATE_PFN_MIGRATE | MIGRATE_PFN_WRITE);
    },
  }),
};
