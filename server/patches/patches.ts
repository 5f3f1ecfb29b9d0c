import type { Patch } from './patch.ts';
import { removeSecondInvalidate } from './remove-second-invalidate.ts';

/** Every patch that ships, by id. A hosted server takes these and no others. */
export const PATCHES: ReadonlyMap<string, Patch> = new Map(
  [removeSecondInvalidate].map((patch) => [patch.id, patch]),
);

/** The kernel without patches goes by this name. */
export const STOCK_NAME = 'stock';
