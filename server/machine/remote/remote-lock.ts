/**
 * Requests of a device that need mmap_lock. Requests of one client run beside each other, so it must not be able
 * to let go of the lock under one of them: what uses a lock is counted.
 */
import type { DeviceFault, MigrateVma, MmId } from '../../abi/device-api.ts';
import { MIGRATE_PFN_MIGRATE, migratePfnHas } from '../../abi/migrate-pfn.ts';
import { type Refusal, refuse } from '../../protocol/refusal.ts';
import { serial, wake } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Served } from './remote-actor.ts';
import type { LockHolder, RemoteDevice, ServedFault } from './remote-device.ts';

/** The holder of the mmap_lock of `mm` for this device; that of the fault on `faultPage` if one is named. */
export function lockHolder(
  device: RemoteDevice,
  mm: MmId,
  faultPage: Pfn | 'none' = 'none',
): LockHolder | 'none' {
  const served = (each: ServedFault) =>
    each.fault.mm === mm && (faultPage === 'none' || each.fault.pfn === faultPage);
  if (faultPage === 'none' && mm === device.api.mm && device.ownLock.locks > 0)
    return device.ownLock;
  return device.faults.find(served) ?? 'none';
}

/** Runs a request that needs the mirrored mm's mmap_lock, or refuses it. Yields: as `work` does. */
export function* underMmapLock(
  device: RemoteDevice,
  path: string,
  work: () => Task<Served>,
): Task<Served> {
  const holder = lockHolder(device, device.api.mm);
  return holder === 'none' ? needsLock(path) : yield* usingLock(device, holder, work());
}

/** Runs `work` while `holder` may not be let go of. Yields: as `work` does. */
export function* usingLock<T>(
  device: RemoteDevice,
  holder: LockHolder | 'none',
  work: Task<T>,
): Task<T> {
  if (holder === 'none') return yield* work;
  holder.users += 1;
  const result = yield* work;
  holder.users -= 1;
  if (holder.kind === 'fault' && holder.users === 0) wake(device.context, holder.unused);
  return result;
}

/** True if the device may let go of its last read lock. */
export function ownLockUnused(device: RemoteDevice): boolean {
  if (device.ownLock.users > 0) return false;
  for (const { under, migrate } of device.migrations.values()) {
    if (under === device.ownLock && holdsPages(migrate)) return false;
  }
  return true;
}

/** The device lets go of its last read lock: migrations that have collected nothing (cpages 0) are over with it. */
export function dropEmptyMigrations(device: RemoteDevice): void {
  for (const [id, { under, migrate }] of device.migrations) {
    if (under === device.ownLock && !holdsPages(migrate)) device.migrations.delete(id);
  }
}

function holdsPages({ src }: MigrateVma): boolean {
  return src.some((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE));
}

export function needsLock(path: string): Refusal {
  return refuse('lock-not-held', path, 'mmap_lock to be held');
}

/** A CPU fault begins to wait for the device. */
export function openFault(device: RemoteDevice, fault: DeviceFault): ServedFault {
  const unused = objectId('answer', 0, serial(device.context));
  const served: ServedFault = { kind: 'fault', fault, users: 0, unused };
  device.faults.push(served);
  return served;
}

/**
 * The fault is about to let go of mmap_lock: what the device still does under it is waited for, and what it left
 * open is ended. Yields: yes.
 */
export function* closeFault(device: RemoteDevice, served: ServedFault): Task<void> {
  device.faults.splice(device.faults.indexOf(served), 1);
  yield waitUntil('migrate_to_ram.unused', served.unused, () => served.users === 0);
  for (const [id, open] of device.migrations) {
    if (open.under !== served) continue;
    device.migrations.delete(id);
    yield* device.teardown.abandonMigration(open.migrate);
  }
}
