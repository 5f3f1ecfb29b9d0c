import { lockVmaInTwoSteps } from './lock-vma-in-two-steps.ts';
import type { Patch } from './patch.ts';

/** Who has found a mapping without a lock, and is about to lock it, looks into memory that was freed. */
export const vmaFreedWithoutGrace: Patch = {
  id: 'vma-freed-without-grace',
  provenance: '20cce633f425 "mm: rcu safe VMA freeing" (6.4)',
  summary: 'munmap() frees a mapping while others may be about to lock it',
  overrides: () => ({
    lockVmaUnderRcu: (k, mm, page) => lockVmaInTwoSteps(k, mm, page, 'checked'),
  }),
};
