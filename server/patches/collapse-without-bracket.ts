import type { Patch } from './patch.ts';

/**
 * Race 33: a device keeps pages of a file whose page table has gone. When the file loses them, nothing maps them any
 * more, so that no device is told then either.
 */
export const collapseWithoutBracket: Patch = {
  id: 'collapse-without-bracket',
  provenance:
    'the bug that f268f6cf875f "mm/khugepaged: invoke MMU notifiers in shmem/file collapse paths" (2022-11, ' +
    '20221129154730.2274278-3-jannh@google.com) fixed; in since 4.8',
  summary: 'MADV_COLLAPSE takes a page table of a file away and notifies no device',
  overrides: () => ({
    *collapseAndFreePmd(k, mm, block) {
      yield* k.fn.pmdpCollapseFlush(k, mm, block);
      yield* k.fn.freePageTable(k, mm, block);
    },
  }),
};
