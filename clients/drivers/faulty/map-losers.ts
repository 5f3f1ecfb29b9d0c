import { MIGRATE_PFN_NONE } from '../../../server/abi/migrate-pfn.ts';
import type { Task } from '../../../server/task/task.ts';
import { pageIndex } from '../../../server/vocabulary/address.ts';
import { mapDestination } from '../dmirror/dmirror-migrate.ts';
import { type CommittedMigration, type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 2, the driver's half: the frame of a page that did not migrate is freed, and stays mapped. */
export const mapLosers: DriverVariant = {
  id: 'map-losers',
  provenance:
    'drivers/gpu/drm/nouveau/nouveau_dmem.c: the list of frames is made before the commit and mapped after it; ' +
    'Documentation/mm/hmm.rst asks to look at the MIGRATE flag again',
  summary: 'maps its destination pages after the commit, whether they were taken or not',
  newDevice: (options) => dmirrorWith(options, { mapMigrated: mapAll }, 'nothing'),
};

function mapAll(dmirror: Dmirror, migration: CommittedMigration): Task<void> {
  return withDriverLock(dmirror, 'dmirror_migrate_finalize_and_map.lock', function* (held) {
    for (let at = 0; at < migration.dst.length; at += 1) {
      const page = pageIndex(migration.range.first + at);
      yield* mapDestination(held, dmirror, page, migration.dst[at] ?? MIGRATE_PFN_NONE);
    }
  });
}
