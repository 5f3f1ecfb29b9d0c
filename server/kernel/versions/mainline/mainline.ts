import type { KernelVersion } from '../kernel-version.ts';
import { exclusivePartsOfHugePages } from './exclusive-parts-of-huge-pages.ts';
import { madviseUnderVmaLock } from './madvise-under-vma-lock.ts';
import { twoPassInvalidation } from './two-pass-invalidation.ts';

/** What came after 6.12, as far as drivers are being changed for it. Read, not recorded. */
export const MAINLINE: KernelVersion = {
  id: 'mainline',
  source: 'sources and lists after 7.0',
  recorded: 'read',
  base: '6.12',
  changes: [exclusivePartsOfHugePages, madviseUnderVmaLock, twoPassInvalidation],
};
