import { collectDropsDirty } from './collect-drops-dirty.ts';
import { collectFlushAfterUnlock } from './collect-flush-after-unlock.ts';
import { cowEndsBracketEarly } from './cow-ends-bracket-early.ts';
import { deviceFaultIgnoresFailure } from './device-fault-ignores-failure.ts';
import { deviceFaultReferenceBeforeLock } from './device-fault-reference-before-lock.ts';
import { deviceFaultWithoutReference } from './device-fault-without-reference.ts';
import { eagainWithoutEnd } from './eagain-without-end.ts';
import { forkSharesPinned } from './fork-shares-pinned.ts';
import { forkWithoutPinSeq } from './fork-without-pin-seq.ts';
import { insertIgnoresPteChange } from './insert-ignores-pte-change.ts';
import { listBeforeTree } from './list-before-tree.ts';
import { moveLooksOutsideLock } from './move-looks-outside-lock.ts';
import { mremapWithoutRmapLocks } from './mremap-without-rmap-locks.ts';
import type { Patch } from './patch.ts';
import { removeSecondInvalidate } from './remove-second-invalidate.ts';
import { rmapWalkWithoutLock } from './rmap-walk-without-lock.ts';
import { swapinWithoutClaim } from './swapin-without-claim.ts';
import { unregisterWithoutGrace } from './unregister-without-grace.ts';
import { validityIsBoolean } from './validity-is-boolean.ts';

/** Every patch that ships, by id. A hosted server takes these and no others. */
export const PATCHES: ReadonlyMap<string, Patch> = new Map(
  [
    collectDropsDirty,
    collectFlushAfterUnlock,
    cowEndsBracketEarly,
    deviceFaultIgnoresFailure,
    deviceFaultReferenceBeforeLock,
    deviceFaultWithoutReference,
    eagainWithoutEnd,
    forkSharesPinned,
    forkWithoutPinSeq,
    insertIgnoresPteChange,
    listBeforeTree,
    moveLooksOutsideLock,
    mremapWithoutRmapLocks,
    removeSecondInvalidate,
    rmapWalkWithoutLock,
    swapinWithoutClaim,
    unregisterWithoutGrace,
    validityIsBoolean,
  ].map((patch) => [patch.id, patch]),
);
