/**
 * migrate_device_range(): collects device frames for eviction by their numbers, without any mapping or mmap_lock.
 * Source: mm/migrate_device.c (6.1).
 */
import type { DeviceOwner } from '../../abi/device-api.ts';
import { MIGRATE_PFN_MIGRATE, MIGRATE_PFN_NONE, migratePfn } from '../../abi/migrate-pfn.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { fail, ok, type Result } from '../../vocabulary/errno.ts';
import { type Kernel, type Migration, nextId } from '../kernel.ts';
import { getPage, refcount } from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import { pageLockObject, tryLockPage } from '../memory/page-lock.ts';
import { collect, openMigration } from './open-migrations.ts';

/**
 * Frames that are free or locked are skipped: to evict all, loop until none is left.
 * The migration goes on with migrateVmaPages() and migrateVmaFinalize().
 *
 * Returns: EINVAL if a frame is not `owner`'s.
 */
export function* migrateDeviceRange(
  k: Kernel,
  mm: Mm,
  owner: DeviceOwner,
  first: Pfn,
  count: number,
): Task<Result<Migration>> {
  const owned = k.pgmaps.some(
    (map) => map.device === owner && map.first <= first && first + count <= map.first + map.count,
  );
  if (!owned) return fail('EINVAL');
  const migration: Migration = {
    id: nextId(k),
    mm,
    owner,
    vma: 'none',
    range: { first: 0 as PageIndex, end: count as PageIndex },
    select: 'device-private',
    faultPage: 'none',
    src: [],
    dst: [],
    cpages: 'collecting',
  };
  openMigration(k, migration);
  for (let pfn = first; pfn < first + count; pfn = (pfn + 1) as Pfn) {
    if (refcount(k.frames, pfn) === 0) {
      collect(k, migration, MIGRATE_PFN_NONE);
      continue;
    }
    yield willWrite('migrate_device_range.trylock_page', pageLockObject(pfn));
    if (refcount(k.frames, pfn) === 0 || tryLockPage(k, pfn) === 'busy') {
      collect(k, migration, MIGRATE_PFN_NONE);
      continue;
    }
    getPage(k.frames, pfn, 1);
    collect(k, migration, migratePfn(pfn, MIGRATE_PFN_MIGRATE));
  }
  yield* k.fn.migrateVmaUnmap(k, migration);
  return ok(migration);
}
