import { amdkfd, amdkfdNoRetry } from '../amdkfd/amdkfd.ts';
import { faultsWithoutLock } from '../designs/faults-without-lock.ts';
import { kvmCacheAsksItsPage } from '../designs/kvm-cache-asks-its-page.ts';
import { lateExclusive } from '../designs/late-exclusive.ts';
import { perRange } from '../designs/per-range.ts';
import { flushInRelease, restoreWorker } from '../designs/restore-worker.ts';
import { splitNotifiers } from '../designs/split-notifiers.ts';
import { twoPass, twoPassLateSequence } from '../designs/two-pass.ts';
import { wedged } from '../designs/wedged.ts';
import { corrected } from '../dmirror/corrected.ts';
import { faithful } from '../dmirror/faithful.ts';
import { amdkfdDropsCollision } from '../faulty/amdkfd-drops-collision.ts';
import { amdkfdResizesUncovered } from '../faulty/amdkfd-resizes-uncovered.ts';
import { blocksWhereItMayNot } from '../faulty/blocks-where-it-may-not.ts';
import { callbackOutOfMemory } from '../faulty/callback-out-of-memory.ts';
import { checkBeforeMap } from '../faulty/check-before-map.ts';
import { destroysChildTwice } from '../faulty/destroys-child-twice.ts';
import { diesOfStaleFaults } from '../faulty/dies-of-stale-faults.ts';
import { dropLockBeforeMap } from '../faulty/drop-lock-before-map.ts';
import { evictsOnce, evictsUntilEmpty } from '../faulty/evicts-once.ts';
import { keepsLockOnRefusal } from '../faulty/keeps-lock-on-refusal.ts';
import { keepsRightsOfFirstFault } from '../faulty/keeps-rights-of-first-fault.ts';
import { kvmCacheAsksMmuCount } from '../faulty/kvm-cache-asks-mmu-count.ts';
import { kvmChecksCountOnly } from '../faulty/kvm-checks-count-only.ts';
import { kvmChecksSequenceOnly } from '../faulty/kvm-checks-sequence-only.ts';
import { kvmCountBeforeSequence } from '../faulty/kvm-count-before-sequence.ts';
import { kvmMappingBeforeSequence } from '../faulty/kvm-mapping-before-sequence.ts';
import { kvmMemslotsChangeMidway } from '../faulty/kvm-memslots-change-midway.ts';
import { lockHeldOverFault } from '../faulty/lock-held-over-fault.ts';
import { mapLosers } from '../faulty/map-losers.ts';
import { mapOnFault } from '../faulty/map-on-fault.ts';
import { mlx5RevokesUnlocked } from '../faulty/mlx5-revokes-unlocked.ts';
import { mmputInCallback } from '../faulty/mmput-in-callback.ts';
import { moveSequence } from '../faulty/move-sequence.ts';
import { needsItsOwnMemory } from '../faulty/needs-its-own-memory.ts';
import { nouveauOmitsFaultPage } from '../faulty/nouveau-omits-fault-page.ts';
import { omitsFaultPage } from '../faulty/omits-fault-page.ts';
import { pageLockUnderDriverLock } from '../faulty/page-lock-under-driver-lock.ts';
import { resizesUnderCover, resizesWithoutCover } from '../faulty/resizes-without-cover.ts';
import { retryOutsideLock } from '../faulty/retry-outside-lock.ts';
import { revokesOutsideLock } from '../faulty/revokes-outside-lock.ts';
import { skipRetry } from '../faulty/skip-retry.ts';
import { touchesPageBeforeRetry } from '../faulty/touches-page-before-retry.ts';
import { unmapsDmaLate } from '../faulty/unmaps-dma-late.ts';
import { vfioTakesReferences } from '../faulty/vfio-takes-references.ts';
import { xeDefersDmaUnmap } from '../faulty/xe-defers-dma-unmap.ts';
import { xeMapsBeforeCheck } from '../faulty/xe-maps-before-check.ts';
import { i915Userptr } from '../i915/i915.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';
import { kvm } from '../kvm/kvm.ts';
import { kvmArm64 } from '../kvm/kvm-arm64.ts';
import { kvmLate } from '../kvm/kvm-late.ts';
import { mlx5Odp } from '../mlx5/mlx5-odp.ts';
import { nouveau } from '../nouveau/nouveau.ts';
import { sva } from '../sva/sva.ts';
import { vfio } from '../vfio/vfio.ts';
import { xe } from '../xe/xe.ts';

/** Every driver that ships, by id. */
export const DRIVERS: ReadonlyMap<string, DriverVariant> = new Map(
  [
    faithful,
    amdkfd,
    amdkfdNoRetry,
    blocksWhereItMayNot,
    callbackOutOfMemory,
    amdkfdDropsCollision,
    amdkfdResizesUncovered,
    faithful,
    checkBeforeMap,
    corrected,
    destroysChildTwice,
    diesOfStaleFaults,
    dropLockBeforeMap,
    i915Userptr,
    evictsOnce,
    evictsUntilEmpty,
    keepsLockOnRefusal,
    keepsRightsOfFirstFault,
    kvm,
    kvmArm64,
    kvmCacheAsksItsPage,
    kvmCacheAsksMmuCount,
    kvmChecksCountOnly,
    kvmChecksSequenceOnly,
    kvmCountBeforeSequence,
    kvmLate,
    faultsWithoutLock,
    flushInRelease,
    kvmMappingBeforeSequence,
    kvmMemslotsChangeMidway,
    lateExclusive,
    lockHeldOverFault,
    mapLosers,
    mapOnFault,
    mmputInCallback,
    mlx5Odp,
    mlx5RevokesUnlocked,
    moveSequence,
    needsItsOwnMemory,
    nouveau,
    omitsFaultPage,
    nouveauOmitsFaultPage,
    pageLockUnderDriverLock,
    perRange,
    restoreWorker,
    resizesUnderCover,
    resizesWithoutCover,
    retryOutsideLock,
    revokesOutsideLock,
    skipRetry,
    splitNotifiers,
    sva,
    touchesPageBeforeRetry,
    twoPass,
    twoPassLateSequence,
    unmapsDmaLate,
    vfio,
    vfioTakesReferences,
    wedged,
    xe,
    xeDefersDmaUnmap,
    xeMapsBeforeCheck,
  ].map((driver) => [driver.id, driver]),
);
