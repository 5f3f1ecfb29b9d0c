import type { DriverVariant } from '../interface/driver-variant.ts';
import { nouveauWith } from '../nouveau/nouveau.ts';
import { nouveauDmemMigrateToRam } from '../nouveau/nouveau-dmem.ts';

/** Race 16: the page that the CPU faults on has a reference more than it should, and counts as pinned. */
export const nouveauOmitsFaultPage: DriverVariant = {
  id: 'nouveau-omits-fault-page',
  provenance: 'nouveau until 97061d441110 "nouveau: fix migrate_to_ram() for faulting page"',
  summary: 'does not say in migrate_to_ram() which page the fault is on',
  newDevice: (options) =>
    nouveauWith(options, {
      migrateToRam: (svmm, fault) => nouveauDmemMigrateToRam(svmm, fault, 'none'),
    }),
};
