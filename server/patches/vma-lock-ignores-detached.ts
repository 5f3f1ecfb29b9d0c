import { freeBehindGrace, lockVmaInTwoSteps } from './lock-vma-in-two-steps.ts';
import type { Patch } from './patch.ts';

/** RCU keeps the memory of a mapping, not its place in the address space. */
export const vmaLockIgnoresDetached: Patch = {
  id: 'vma-lock-ignores-detached',
  provenance: '457f67be5910 "mm: introduce vma detached flag" (6.4)',
  summary:
    'a page fault locks a mapping that it has found, without asking whether it was taken away since',
  overrides: () => ({
    lockVmaUnderRcu: (k, mm, page) => lockVmaInTwoSteps(k, mm, page, 'left out'),
    vmAreaFree: freeBehindGrace,
  }),
};
