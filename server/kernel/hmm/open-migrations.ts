/** Which migrations of a device are open: what oracles excuse a device by. */
import type { DeviceOwner } from '../../abi/device-api.ts';
import type { MigratePfn } from '../../abi/migrate-pfn.ts';
import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { MIGRATIONS_OWNER } from '../../task/object-owners.ts';
import type { Kernel, Migration } from '../kernel.ts';

/**
 * What the open migrations of `owner` are called when tasks conflict on them. Devices have names, objects numbers: two
 * that share a number are taken for one, which costs an explorer some time and nothing else.
 */
export function migrationsObject(owner: DeviceOwner): ObjectId {
  let number = 0;
  for (let at = 0; at < owner.length; at += 1) {
    number = (Math.imul(number, 31) + owner.charCodeAt(at)) >>> 0;
  }
  return objectId('device', MIGRATIONS_OWNER, number);
}

/** Migrations without pages that their drivers may still name, for each device. */
const EMPTY_MAX = 64;

export function openMigration(k: Kernel, migration: Migration): void {
  touch(k.context, migrationsObject(migration.owner), 'note');
  k.migrations.set(migration.id, migration);
}

/** The next page of the range is collected as `entry`. */
export function collect(k: Kernel, migration: Migration, entry: MigratePfn): void {
  touch(k.context, migrationsObject(migration.owner), 'note');
  migration.src.push(entry);
}

export function changeSource(
  k: Kernel,
  migration: Migration,
  index: number,
  entry: MigratePfn,
): void {
  touch(k.context, migrationsObject(migration.owner), 'note');
  migration.src[index] = entry;
}

/** The driver says where to, one entry a page. */
export function setDestinations(k: Kernel, migration: Migration, dst: readonly MigratePfn[]): void {
  touch(k.context, migrationsObject(migration.owner), 'note');
  migration.dst.push(...dst);
}

/** Setup is done. A driver may forget about a migration that has collected nothing, and most do. */
export function endCollecting(k: Kernel, migration: Migration, cpages: number): void {
  touch(k.context, migrationsObject(migration.owner), 'note');
  migration.cpages = cpages;
  if (cpages > 0) return;
  const empty = [...k.migrations.values()].filter(
    (other) => other.owner === migration.owner && !holdsPages(other),
  );
  for (const { id } of empty.slice(0, -EMPTY_MAX)) k.migrations.delete(id);
}

/** Something is to be done before the migration is over. */
export function holdsPages({ cpages }: Migration): boolean {
  return cpages !== 0;
}

export function closeMigration(k: Kernel, migration: Migration): void {
  touch(k.context, migrationsObject(migration.owner), 'note');
  k.migrations.delete(migration.id);
}
