import { pgmapOf } from '../kernel/memory/page-references.ts';
import { pteIsDevicePrivate, ptePfn } from '../kernel/memory/pte.ts';
import type { Patch } from './patch.ts';

export const rangeFaultShowsAnyPrivate: Patch = {
  id: 'range-fault-shows-any-private',
  provenance:
    'Linux before 5.7; fixed by 08ddddda667b "mm/hmm: check the device private page owner in hmm_range_fault()" ' +
    '(2020-03)',
  summary: 'hmm_range_fault() reports the private page of another device as if it could be reached',
  overrides: (stock) => ({
    hmmVmaHandlePte(walk, vma, rest, seen) {
      const owner = pteIsDevicePrivate(seen) ? pgmapOf(walk.k, ptePfn(seen)).owner : walk.owner;
      return stock.hmmVmaHandlePte({ ...walk, owner }, vma, rest, seen);
    },
  }),
};
