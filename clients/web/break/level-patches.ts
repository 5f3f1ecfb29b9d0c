/** The patches of the levels: what the machine in the page has in the place of every patch that ships. */
import { collectDropsDirty } from '../../../server/patches/collect-drops-dirty.ts';
import type { Patch } from '../../../server/patches/patch.ts';
import { removeSecondInvalidate } from '../../../server/patches/remove-second-invalidate.ts';
import { rmapWalkWithoutLock } from '../../../server/patches/rmap-walk-without-lock.ts';

export const PATCHES: ReadonlyMap<string, Patch> = new Map(
  [collectDropsDirty, removeSecondInvalidate, rmapWalkWithoutLock].map((patch) => [
    patch.id,
    patch,
  ]),
);
