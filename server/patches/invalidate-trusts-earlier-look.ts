import { readPte } from '../kernel/memory/page-table.ts';
import type { Patch } from './patch.ts';

/** A store between the look and the exchange sets the dirty bit of an entry that has been read already. */
export const invalidateTrustsEarlierLook: Patch = {
  id: 'invalidate-trusts-earlier-look',
  provenance:
    'Linux 4.14 to 5.5; fixed by 8a8683ad9ba4 "mm: fix possible PMD dirty bit lost in ' +
    'set_pmd_migration_entry()" (2020-03)',
  summary:
    'set_pmd_migration_entry() reads the entry, invalidates it then, and goes by what it had read',
  overrides: (stock) => ({
    *pmdpInvalidate(k, at) {
      const earlier = readPte(at.mm.table, at.page);
      yield* stock.pmdpInvalidate(k, at);
      return earlier;
    },
  }),
};
