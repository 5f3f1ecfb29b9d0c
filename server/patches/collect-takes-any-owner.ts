import { pgmapOf } from '../kernel/memory/page-references.ts';
import { pteIsDevicePrivate, ptePfn } from '../kernel/memory/pte.ts';
import { lockedPte } from '../kernel/memory/pte-lock.ts';
import type { Patch } from './patch.ts';

export const collectTakesAnyOwner: Patch = {
  id: 'collect-takes-any-owner',
  provenance:
    'Linux before 5.7; fixed by 800bb1c8dc80 "mm: handle multiple owners of device private pages in migrate_vma" ' +
    '(2020-03)',
  summary: 'migrate_vma_setup() hands a device the private pages of other devices',
  overrides: (stock) => ({
    migrateVmaCollectPte(k, migration, at) {
      const seen = lockedPte(at);
      const owner = pteIsDevicePrivate(seen) ? pgmapOf(k, ptePfn(seen)).device : migration.owner;
      return stock.migrateVmaCollectPte(k, { ...migration, owner }, at);
    },
  }),
};
