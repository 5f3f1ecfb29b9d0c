import type { Patch } from './patch.ts';

/** mremap() has cleared the old place and not yet set the new one: the walk finds both empty, and does not wait. */
export const hugeWalkWithoutSync: Patch = {
  id: 'huge-walk-without-sync',
  provenance:
    'from the source: until 732ed55823fc (2021-06, 5.13), which was about splitting, ' +
    'page_vma_mapped_walk() passed an empty block over without its lock, also for remove_migration_pte()',
  summary: 'the walk that puts a huge page back passes over a block that is empty at the moment',
  overrides: (stock) => ({
    removeMigrationLarge: (k, place, from, to) =>
      stock.removeMigrationLarge(k, place, from, to, 'passed over'),
  }),
};
