/**
 * migrate_vma_finalize(): migration entries become the destination, or the source again; locks and references of
 * the migration go. Source: mm/migrate_device.c, migrate_device_finalize() (6.1).
 */
import { MIGRATE_PFN_MIGRATE, migratePfnHas, migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import type { Task } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import type { Kernel, Migration } from '../kernel.ts';
import { isDevicePfn } from '../memory/frames.ts';
import { unlockPage } from '../memory/page-lock.ts';
import { putPage } from '../memory/page-references.ts';
import { destinationAt, sourceAt } from './migrate-vma-pages.ts';
import { putbackLru } from './migrate-vma-setup.ts';
import { closeMigration } from './open-migrations.ts';

/** Holds: mmap_lock for read, as since setup. Takes: PTE locks. Yields: yes. Ends the migration. */
export function* migrateVmaFinalize(k: Kernel, migration: Migration): Task<void> {
  invariant(k.migrations.has(migration.id), 'MV1', { id: migration.id });
  for (let index = 0; index < migration.src.length; index += 1) {
    const source = sourceAt(migration, index);
    const from = migratePfnToPfn(source);
    const to = migratePfnToPfn(destinationAt(migration, index));
    if (from === 'none') {
      if (to !== 'none') yield* dropUnused(k, to);
      continue;
    }
    const moved = to !== 'none' && migratePfnHas(source, MIGRATE_PFN_MIGRATE);
    if (to !== 'none' && !moved) yield* dropUnused(k, to);
    yield* k.fn.removeMigrationPtes(k, from, moved ? to : from);
    if (from !== migration.faultPage) unlockPage(k, from);
    yield* putback(k, from);
    if (moved) {
      unlockPage(k, to);
      yield* putback(k, to);
    }
  }
  closeMigration(k, migration);
}

/** A destination that no migration took, or whose migration is complete: unlock, drop. */
function* dropUnused(k: Kernel, pfn: Pfn): Task<void> {
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
}

function* putback(k: Kernel, pfn: Pfn): Task<void> {
  if (!isDevicePfn(pfn)) putbackLru(k, pfn);
  yield* putPage(k, pfn);
}
