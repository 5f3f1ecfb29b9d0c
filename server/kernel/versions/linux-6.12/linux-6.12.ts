import type { KernelVersion } from '../kernel-version.ts';
import { bracketEndsBeforePut } from './bracket-ends-before-put.ts';
import { cleanPagesBecomeWritable } from './clean-pages-become-writable.ts';
import { faultsUnderVmaLock } from './faults-under-vma-lock.ts';
import { longtermPinsOfAnyFile } from './longterm-pins-of-any-file.ts';
import { migratePagesInBatches } from './migrate-pages-in-batches.ts';
import { mmapJoinsTheLowerFirst } from './mmap-joins-the-lower-first.ts';
import { mprotectNotifiesByPud } from './mprotect-notifies-by-pud.ts';
import { mprotectUnaccounts } from './mprotect-unaccounts.ts';
import { pageTablesGoWithoutMmapLock } from './page-tables-go-without-mmap-lock.ts';
import { registrationLocksMappings } from './registration-locks-mappings.ts';
import { secondaryTlbsWithShootdowns } from './secondary-tlbs-with-shootdowns.ts';
import { swapCacheMigrates } from './swap-cache-migrates.ts';
import { swappedInPagesAreWritable } from './swapped-in-pages-are-writable.ts';
import { userfaultfdMovesPages } from './userfaultfd-moves-pages.ts';

/** What of 6.2 to 6.12 the model knows; docs/FIDELITY.md has what it does not. */
export const LINUX_6_12: KernelVersion = {
  id: '6.12',
  source: '6.12.117',
  recorded: 'recorded',
  base: '6.1',
  changes: [
    cleanPagesBecomeWritable,
    swappedInPagesAreWritable,
    longtermPinsOfAnyFile,
    mprotectUnaccounts,
    swapCacheMigrates,
    mprotectNotifiesByPud,
    mmapJoinsTheLowerFirst,
    bracketEndsBeforePut,
    faultsUnderVmaLock,
    registrationLocksMappings,
    migratePagesInBatches,
    pageTablesGoWithoutMmapLock,
    secondaryTlbsWithShootdowns,
    userfaultfdMovesPages,
  ],
};
