import { amdkfd, amdkfdNoRetry } from '../amdkfd/amdkfd.ts';
import { lateExclusive } from '../designs/late-exclusive.ts';
import { perRange } from '../designs/per-range.ts';
import { flushInRelease, restoreWorker } from '../designs/restore-worker.ts';
import { splitNotifiers } from '../designs/split-notifiers.ts';
import { twoPass, twoPassLateSequence } from '../designs/two-pass.ts';
import { wedged } from '../designs/wedged.ts';
import { corrected } from '../dmirror/corrected.ts';
import { faithful } from '../dmirror/faithful.ts';
import { checkBeforeMap } from '../faulty/check-before-map.ts';
import { dropLockBeforeMap } from '../faulty/drop-lock-before-map.ts';
import { kvmCacheAsksMmuCount } from '../faulty/kvm-cache-asks-mmu-count.ts';
import { kvmChecksCountOnly } from '../faulty/kvm-checks-count-only.ts';
import { kvmChecksSequenceOnly } from '../faulty/kvm-checks-sequence-only.ts';
import { kvmCountBeforeSequence } from '../faulty/kvm-count-before-sequence.ts';
import { kvmMappingBeforeSequence } from '../faulty/kvm-mapping-before-sequence.ts';
import { kvmMemslotsChangeMidway } from '../faulty/kvm-memslots-change-midway.ts';
import { mapLosers } from '../faulty/map-losers.ts';
import { mapOnFault } from '../faulty/map-on-fault.ts';
import { mmputInCallback } from '../faulty/mmput-in-callback.ts';
import { moveSequence } from '../faulty/move-sequence.ts';
import { pageLockUnderDriverLock } from '../faulty/page-lock-under-driver-lock.ts';
import { retryOutsideLock } from '../faulty/retry-outside-lock.ts';
import { skipRetry } from '../faulty/skip-retry.ts';
import { i915Userptr } from '../i915/i915.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvm } from '../kvm/kvm.ts';
import { kvmArm64 } from '../kvm/kvm-arm64.ts';
import { mlx5Odp } from '../mlx5/mlx5-odp.ts';
import { nouveau } from '../nouveau/nouveau.ts';
import { xe } from '../xe/xe.ts';

/** Every driver that ships, by id. */
export const DRIVERS: ReadonlyMap<string, DriverVariant> = new Map(
  [
    amdkfd,
    amdkfdNoRetry,
    faithful,
    checkBeforeMap,
    corrected,
    dropLockBeforeMap,
    i915Userptr,
    kvm,
    kvmArm64,
    kvmCacheAsksMmuCount,
    kvmChecksCountOnly,
    kvmChecksSequenceOnly,
    kvmCountBeforeSequence,
    flushInRelease,
    kvmMappingBeforeSequence,
    kvmMemslotsChangeMidway,
    lateExclusive,
    mapLosers,
    mapOnFault,
    mmputInCallback,
    mlx5Odp,
    moveSequence,
    nouveau,
    pageLockUnderDriverLock,
    perRange,
    restoreWorker,
    retryOutsideLock,
    skipRetry,
    splitNotifiers,
    twoPass,
    twoPassLateSequence,
    wedged,
    xe,
  ].map((driver) => [driver.id, driver]),
);
