import type { Patch } from './patch.ts';
import { withoutVmaLock } from './without-vma-lock.ts';

/** A fault fills in an entry behind munmap()'s back, and the mapping that it works in is freed under it. */
export const munmapWithoutVmaLocks: Patch = {
  id: 'munmap-without-vma-locks',
  provenance: '"mm: write-lock VMAs before removing them from VMA tree" (6.4)',
  summary: 'munmap() takes mappings away without locking them',
  overrides(stock) {
    const { during, override } = withoutVmaLock(stock);
    return { ...override, munmap: (k, mm, range) => during(k, stock.munmap(k, mm, range)) };
  },
};
