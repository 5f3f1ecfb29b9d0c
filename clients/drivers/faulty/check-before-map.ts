import { type IntervalSub, mmuIntervalReadRetry } from '../../../server/abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  migratePfnHas,
} from '../../../server/abi/migrate-pfn.ts';
import { type Task, willRead } from '../../../server/task/task.ts';
import { type PageIndex, pageIndex } from '../../../server/vocabulary/address.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { mapDestination } from '../dmirror/dmirror-migrate.ts';
import { type CommittedMigration, type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/**
 * The fourth design that hypothesis H1 asks about. The device ignores its own events without moving the sequence, so a
 * sequence that has moved means that others were there: what they took away meanwhile is not entered.
 */
export const checkBeforeMap: DriverVariant = {
  id: 'check-before-map',
  provenance:
    'constructed: the cure that hypothesis H1 proposes for drivers that map right after the commit',
  summary:
    'begins to read before a migration and asks for collisions before it maps what has migrated',
  newDevice(options) {
    /** By the first page: the sequence from before the setup. */
    const begun = new Map<PageIndex, Seq>();
    const api: typeof options.api = {
      ...options.api,
      *migrateVmaSetup(request) {
        if (dmirror.sub !== 'closed' && request.select === 'system') {
          begun.set(request.range.first, yield* options.api.mmuIntervalReadBegin(dmirror.sub));
        }
        return yield* options.api.migrateVmaSetup(request);
      },
    };
    const dmirror: Dmirror = newDmirror(
      { ...options, api },
      {
        ...DMIRROR_FUNCTIONS,
        *mapMigrated(_, migration) {
          const seq = begun.get(migration.range.first);
          if (dmirror.sub === 'closed' || seq === undefined) return;
          yield* mapUnlessCollided(dmirror, dmirror.sub, seq, migration);
        },
      },
    );
    return {
      callbacks: dmirrorDriver(dmirror),
      open: () => dmirrorOpen(dmirror),
      perform: (verb) => performLabVerb(dmirror, verb),
    };
  },
};

function mapUnlessCollided(
  dmirror: Dmirror,
  sub: IntervalSub,
  begun: Seq,
  migration: CommittedMigration,
): Task<void> {
  return withDriverLock(dmirror, 'dmirror_migrate_finalize_and_map.lock', function* (held) {
    yield willRead('dmirror_migrate_finalize_and_map.check', sub.object);
    // A later fault maps what is there then.
    if (mmuIntervalReadRetry(sub, begun)) return;
    for (const [at, src] of migration.src.entries()) {
      if (!migratePfnHas(src, MIGRATE_PFN_MIGRATE)) continue;
      const page = pageIndex(migration.range.first + at);
      yield* mapDestination(held, dmirror, page, migration.dst[at] ?? MIGRATE_PFN_NONE);
    }
  });
}
