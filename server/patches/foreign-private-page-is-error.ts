import { pgmapOf } from '../kernel/memory/page-references.ts';
import { pteIsDevicePrivate, ptePfn } from '../kernel/memory/pte.ts';
import type { Patch } from './patch.ts';

/** Race 19: one fault would bring the page home; instead the job of the second device dies. */
export const foreignPrivatePageIsError: Patch = {
  id: 'foreign-private-page-is-error',
  provenance:
    'Linux 5.8 to 5.19; fixed by 8a295dbbaf72 "mm/hmm: fault non-owner device private entries" (2022-07, ' +
    '20220727000837.4128709-2)',
  summary: 'hmm_range_fault() fails with EFAULT at a page that is in the memory of another device',
  overrides: (stock) => ({
    *hmmVmaHandlePte(walk, vma, rest, seen) {
      const { k, owner, request } = walk;
      const foreign = pteIsDevicePrivate(seen) && pgmapOf(k, ptePfn(seen)).owner !== owner;
      if (foreign && request.defaultFlags !== 'snapshot') return { kind: 'error', errno: 'EFAULT' };
      return yield* stock.hmmVmaHandlePte(walk, vma, rest, seen);
    },
  }),
};
