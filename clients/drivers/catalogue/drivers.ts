import { checkBeforeMap } from '../faulty/check-before-map.ts';
import { dropLockBeforeMap } from '../faulty/drop-lock-before-map.ts';
import { mapLosers } from '../faulty/map-losers.ts';
import { mapOnFault } from '../faulty/map-on-fault.ts';
import { moveSequence } from '../faulty/move-sequence.ts';
import { pageLockUnderDriverLock } from '../faulty/page-lock-under-driver-lock.ts';
import { retryOutsideLock } from '../faulty/retry-outside-lock.ts';
import { skipRetry } from '../faulty/skip-retry.ts';
import { corrected } from './corrected.ts';
import type { DriverVariant } from './driver-variant.ts';
import { faithful } from './faithful.ts';
import { lateExclusive } from './late-exclusive.ts';
import { perRange } from './per-range.ts';
import { twoPass, twoPassLateSequence } from './two-pass.ts';
import { wedged } from './wedged.ts';

/** Every driver that ships, by id. */
export const DRIVERS: ReadonlyMap<string, DriverVariant> = new Map(
  [
    faithful,
    checkBeforeMap,
    corrected,
    dropLockBeforeMap,
    lateExclusive,
    mapLosers,
    mapOnFault,
    moveSequence,
    pageLockUnderDriverLock,
    perRange,
    retryOutsideLock,
    skipRetry,
    twoPass,
    twoPassLateSequence,
    wedged,
  ].map((driver) => [driver.id, driver]),
);
