/** The six migrate calls of a device client. */

import type { MigrateVma } from '../protocol/device-api.ts';
import { type MigratePfn, migratePfnToPfn } from '../protocol/migrate-pfn.ts';
import { type Refusal, refuse } from '../protocol/refusal.ts';
import type { Task } from '../task/task.ts';
import type { Pfn } from '../vocabulary/address.ts';
import { SERVED_NOTHING, type Served, served } from './remote-actor.ts';
import {
  mmapLockHeld,
  type OpenMigration,
  ownsPrivateFrames,
  type RemoteDevice,
} from './remote-device.ts';
import {
  type DeviceRequest,
  failed,
  needsLock,
  notYours,
  takeFrames,
  wrongCount,
} from './remote-device-request.ts';

export type MigrationRequest = Extract<DeviceRequest, { method: `migrate_${string}` }>;

/** Yields: yes. Returns: the result for the wire, or why not. */
export function* serveMigration(device: RemoteDevice, request: MigrationRequest): Task<Served> {
  const { api } = device;
  switch (request.method) {
    case 'migrate_vma_setup': {
      const { mm, range, select, fault_page } = request.params;
      const mine = mm === api.mm || device.faults.some((fault) => fault.mm === mm);
      if (!mine) return refuse('bad-params', 'params.mm', `${api.mm}, the mm that you mirror`);
      if (!mmapLockHeld(device, mm)) return needsLock('params.range');
      if (fault_page !== 'none' && device.faults.every((fault) => fault.pfn !== fault_page)) {
        const bound = '"none", or the pfn of a fault that you are serving';
        return refuse('bad-params', 'params.fault_page', bound);
      }
      const collected = yield* api.migrateVmaSetup({
        mm,
        range,
        select,
        faultPage: fault_page,
      });
      if (!collected.ok) return failed(request.method, collected);
      return begun(device, 'migrate_vma', collected.value);
    }
    case 'migrate_device_range': {
      const { first, count } = request.params;
      if (!ownsPrivateFrames(device, first, count)) return notYours('params.first');
      const collected = yield* api.migrateDeviceRange(first, count);
      if (!collected.ok) return failed(request.method, collected);
      return begun(device, 'migrate_device', collected.value);
    }
    case 'migrate_vma_pages':
    case 'migrate_device_pages': {
      const kind = request.method === 'migrate_vma_pages' ? 'migrate_vma' : 'migrate_device';
      const open = device.migrations.get(request.params.migrate);
      if (open === undefined || open.kind !== kind || open.phase !== 'collected')
        return noSuch(kind);
      const { dst } = request.params;
      if (dst.length !== open.migrate.src.length) {
        return wrongCount('params.dst', open.migrate.src.length);
      }
      const refusal = takeDestinations(device, dst);
      if (refusal !== 'none') return refusal;
      open.phase = 'moved';
      const src =
        kind === 'migrate_vma'
          ? yield* api.migrateVmaPages(open.migrate, dst)
          : yield* api.migrateDevicePages(open.migrate, dst);
      return served({ src });
    }
    case 'migrate_vma_finalize':
    case 'migrate_device_finalize': {
      const kind = request.method === 'migrate_vma_finalize' ? 'migrate_vma' : 'migrate_device';
      const open = device.migrations.get(request.params.migrate);
      if (open === undefined || open.kind !== kind) return noSuch(kind);
      device.migrations.delete(open.migrate.id);
      if (kind === 'migrate_vma') yield* api.migrateVmaFinalize(open.migrate);
      else yield* api.migrateDeviceFinalize(open.migrate);
      return SERVED_NOTHING;
    }
  }
}

function begun(device: RemoteDevice, kind: OpenMigration['kind'], migrate: MigrateVma): Served {
  device.migrations.set(migrate.id, { kind, migrate, phase: 'collected' });
  return served({ migrate: migrate.id, src: migrate.src });
}

/** The frames in `dst` belong to the migration from here on: finalize gives back those that were not used. */
function takeDestinations(device: RemoteDevice, dst: readonly MigratePfn[]): Refusal | 'none' {
  const frames: Pfn[] = [];
  const places: number[] = [];
  for (const [at, entry] of dst.entries()) {
    const frame = migratePfnToPfn(entry);
    if (frame === 'none') continue;
    frames.push(frame);
    places.push(at);
  }
  const stranger = takeFrames(device.unplaced, frames);
  return stranger === 'none' ? 'none' : notYours(`params.dst[${places[stranger]}]`);
}

function noSuch(kind: OpenMigration['kind']): Refusal {
  const bound = `an open ${kind} of yours that this call continues`;
  return refuse('no-such-migration', 'params.migrate', bound);
}
