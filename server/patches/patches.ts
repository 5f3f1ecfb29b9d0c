import { anonVmaUnderVmaLock } from './anon-vma-under-vma-lock.ts';
import { collapseWithoutBracket } from './collapse-without-bracket.ts';
import { collapseWithoutIpi } from './collapse-without-ipi.ts';
import { collectDropsDirty } from './collect-drops-dirty.ts';
import { collectFlushAfterUnlock } from './collect-flush-after-unlock.ts';
import { collectMisreadsWriteBit } from './collect-misreads-write-bit.ts';
import { collectTakesAnyOwner } from './collect-takes-any-owner.ts';
import { copyWithoutBracket } from './copy-without-bracket.ts';
import { cowEndsBracketEarly } from './cow-ends-bracket-early.ts';
import { deviceFaultIgnoresFailure } from './device-fault-ignores-failure.ts';
import { deviceFaultReferenceBeforeLock } from './device-fault-reference-before-lock.ts';
import { deviceFaultWithoutReference } from './device-fault-without-reference.ts';
import { eagainWithoutEnd } from './eagain-without-end.ts';
import { exclusiveDropsMapcount } from './exclusive-drops-mapcount.ts';
import { exclusiveFaultWithoutReference } from './exclusive-fault-without-reference.ts';
import { foreignPrivatePageIsError } from './foreign-private-page-is-error.ts';
import { forkSharesPinned } from './fork-shares-pinned.ts';
import { forkWithoutBracket } from './fork-without-bracket.ts';
import { forkWithoutPinSeq } from './fork-without-pin-seq.ts';
import { forkWithoutVmaLocks } from './fork-without-vma-locks.ts';
import { freeEmptiesHugeEntry } from './free-empties-huge-entry.ts';
import { hugeWalkWithoutSync } from './huge-walk-without-sync.ts';
import { insertChecksStabilityEarly } from './insert-checks-stability-early.ts';
import { insertIgnoresPteChange } from './insert-ignores-pte-change.ts';
import { invalidateTrustsEarlierLook } from './invalidate-trusts-earlier-look.ts';
import { listBeforeTree } from './list-before-tree.ts';
import { migrationTrustsProtNone } from './migration-trusts-prot-none.ts';
import { moveIgnoresSwapCache } from './move-ignores-swap-cache.ts';
import { moveLooksAtCacheOnce } from './move-looks-at-cache-once.ts';
import { moveLooksOutsideLock } from './move-looks-outside-lock.ts';
import { mprotectWithoutVmaLock } from './mprotect-without-vma-lock.ts';
import { mremapFlushLate } from './mremap-flush-late.ts';
import { mremapLeavesNewVmaUnlocked } from './mremap-leaves-new-vma-unlocked.ts';
import { mremapWithoutRmapLocks } from './mremap-without-rmap-locks.ts';
import { munmapDowngradesBeforeDetach } from './munmap-downgrades-before-detach.ts';
import { munmapWithoutVmaLocks } from './munmap-without-vma-locks.ts';
import { notifyAfterUnlock } from './notify-after-unlock.ts';
import type { Patch } from './patch.ts';
import { rangeFaultShowsAnyPrivate } from './range-fault-shows-any-private.ts';
import { reclaimFlushesInBatch } from './reclaim-flushes-in-batch.ts';
import { reclaimWritesBeforeFlush } from './reclaim-writes-before-flush.ts';
import { registerSkipsMappingLocks } from './register-skips-mapping-locks.ts';
import { removeSecondInvalidate } from './remove-second-invalidate.ts';
import { removeWaitsUnlocked } from './remove-waits-unlocked.ts';
import { removeWithoutWaiting } from './remove-without-waiting.ts';
import { reuseByMapcount } from './reuse-by-mapcount.ts';
import { rmapWalkWithoutLock } from './rmap-walk-without-lock.ts';
import { secondaryFlushAtEnd } from './secondary-flush-at-end.ts';
import { splitMisreadsMigrationEntry } from './split-misreads-migration-entry.ts';
import { splitUnlocksWithoutFlush } from './split-unlocks-without-flush.ts';
import { swapinWithoutClaim } from './swapin-without-claim.ts';
import { tablesFreedWithoutGrace } from './tables-freed-without-grace.ts';
import { unregisterWithoutGrace } from './unregister-without-grace.ts';
import { unuseWithoutCheck } from './unuse-without-check.ts';
import { validityIsBoolean } from './validity-is-boolean.ts';
import { vmaFreedWithoutGrace } from './vma-freed-without-grace.ts';
import { vmaLockIgnoresDetached } from './vma-lock-ignores-detached.ts';

/** Every patch that ships, by id. A hosted server takes these and no others. */
export const PATCHES: ReadonlyMap<string, Patch> = new Map(
  [
    anonVmaUnderVmaLock,
    collapseWithoutBracket,
    collapseWithoutIpi,
    munmapDowngradesBeforeDetach,
    tablesFreedWithoutGrace,
    collectDropsDirty,
    collectFlushAfterUnlock,
    collectMisreadsWriteBit,
    copyWithoutBracket,
    cowEndsBracketEarly,
    deviceFaultIgnoresFailure,
    deviceFaultReferenceBeforeLock,
    deviceFaultWithoutReference,
    eagainWithoutEnd,
    exclusiveDropsMapcount,
    exclusiveFaultWithoutReference,
    foreignPrivatePageIsError,
    moveIgnoresSwapCache,
    moveLooksAtCacheOnce,
    collectTakesAnyOwner,
    rangeFaultShowsAnyPrivate,
    forkSharesPinned,
    forkWithoutBracket,
    forkWithoutPinSeq,
    forkWithoutVmaLocks,
    freeEmptiesHugeEntry,
    hugeWalkWithoutSync,
    insertChecksStabilityEarly,
    insertIgnoresPteChange,
    invalidateTrustsEarlierLook,
    listBeforeTree,
    migrationTrustsProtNone,
    moveLooksOutsideLock,
    mprotectWithoutVmaLock,
    mremapFlushLate,
    mremapLeavesNewVmaUnlocked,
    mremapWithoutRmapLocks,
    munmapWithoutVmaLocks,
    notifyAfterUnlock,
    reclaimFlushesInBatch,
    reclaimWritesBeforeFlush,
    registerSkipsMappingLocks,
    removeSecondInvalidate,
    removeWaitsUnlocked,
    removeWithoutWaiting,
    reuseByMapcount,
    rmapWalkWithoutLock,
    secondaryFlushAtEnd,
    splitMisreadsMigrationEntry,
    splitUnlocksWithoutFlush,
    swapinWithoutClaim,
    unregisterWithoutGrace,
    unuseWithoutCheck,
    validityIsBoolean,
    vmaFreedWithoutGrace,
    vmaLockIgnoresDetached,
  ].map((patch) => [patch.id, patch]),
);
