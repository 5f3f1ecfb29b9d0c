import { PTE_WRITE, pteIsMigration, pteWithFlags } from '../kernel/memory/pte.ts';
import type { Patch } from './patch.ts';

/** A migration entry has the soft-dirty mark where a present one has the right to write. */
export const splitMisreadsMigrationEntry: Patch = {
  id: 'split-misreads-migration-entry',
  provenance:
    'Linux 4.14 to 4.20; fixed by 2e83ee1d8694 "mm: thp: fix flags for pmd migration when split" (2018-12)',
  summary:
    '__split_huge_pmd() reads the bits of a migration entry as those of a present one, and finds it writable',
  overrides: (stock) => ({
    splitPte(huge, at) {
      const pte = stock.splitPte(huge, at);
      return pteIsMigration(pte) ? pteWithFlags(pte, PTE_WRITE) : pte;
    },
  }),
};
