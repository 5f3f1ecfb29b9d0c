import { checkBeforeMap } from './check-before-map.ts';
import { corrected } from './corrected.ts';
import type { DriverVariant } from './driver-variant.ts';
import { dropLockBeforeMap } from './drop-lock-before-map.ts';
import { faithful } from './faithful.ts';
import { mapLosers } from './map-losers.ts';
import { mapOnFault } from './map-on-fault.ts';
import { moveSequence } from './move-sequence.ts';
import { pageLockUnderDriverLock } from './page-lock-under-driver-lock.ts';
import { retryOutsideLock } from './retry-outside-lock.ts';
import { skipRetry } from './skip-retry.ts';

/** Every driver that ships, by id. */
export const DRIVERS: ReadonlyMap<string, DriverVariant> = new Map(
  [
    faithful,
    checkBeforeMap,
    corrected,
    dropLockBeforeMap,
    mapLosers,
    mapOnFault,
    moveSequence,
    pageLockUnderDriverLock,
    retryOutsideLock,
    skipRetry,
  ].map((driver) => [driver.id, driver]),
);
