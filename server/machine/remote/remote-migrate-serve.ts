/** The six migrate calls of a device client. */

import { type MigratePfn, migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { type Refusal, refuse } from '../../protocol/refusal.ts';
import type { Task } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { SERVED_NOTHING, type Served, served } from './remote-actor.ts';
import { type OpenMigration, ownsPrivateFrames, type RemoteDevice } from './remote-device.ts';
import {
  type DeviceRequest,
  failed,
  isFrameInUse,
  notYours,
  takeFrames,
  wrongCount,
} from './remote-device-request.ts';
import { lockHolder, needsLock, usingLock } from './remote-lock.ts';

export type MigrationRequest = Extract<DeviceRequest, { method: `migrate_${string}` }>;

/** Yields: yes. Returns: the result for the wire, or why not. */
export function* serveMigration(device: RemoteDevice, request: MigrationRequest): Task<Served> {
  const { api } = device;
  switch (request.method) {
    case 'migrate_vma_setup': {
      const { mm, range, select, fault_page } = request.params;
      const mine = mm === api.mm || device.faults.some(({ fault }) => fault.mm === mm);
      if (!mine) return refuse('bad-params', 'params.mm', `${api.mm}, the mm that you mirror`);
      const holder = lockHolder(device, mm, fault_page);
      if (holder === 'none') {
        if (fault_page === 'none') return needsLock('params.range');
        const bound = '"none", or the pfn of a fault that you are serving';
        return refuse('bad-params', 'params.fault_page', bound);
      }
      const setup = api.migrateVmaSetup({ mm, range, select, faultPage: fault_page });
      const collected = yield* usingLock(device, holder, setup);
      if (!collected.ok) return failed(request.method, collected);
      return begun(device, { kind: 'migrate_vma', migrate: collected.value, under: holder });
    }
    case 'migrate_device_range': {
      const { first, count } = request.params;
      if (!ownsPrivateFrames(device, first, count)) return notYours('params.first');
      const collected = yield* api.migrateDeviceRange(first, count);
      if (!collected.ok) return failed(request.method, collected);
      return begun(device, { kind: 'migrate_device', migrate: collected.value, under: 'none' });
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
      open.phase = 'moving';
      const move =
        kind === 'migrate_vma'
          ? api.migrateVmaPages(open.migrate, dst)
          : api.migrateDevicePages(open.migrate, dst);
      const src = yield* usingLock(device, open.under, move);
      open.phase = 'moved';
      return served({ src });
    }
    case 'migrate_vma_finalize':
    case 'migrate_device_finalize': {
      const kind = request.method === 'migrate_vma_finalize' ? 'migrate_vma' : 'migrate_device';
      const open = device.migrations.get(request.params.migrate);
      if (open === undefined || open.kind !== kind) return noSuch(kind);
      if (open.phase === 'moving') return isFrameInUse('params.migrate');
      device.migrations.delete(open.migrate.id);
      const end =
        kind === 'migrate_vma'
          ? api.migrateVmaFinalize(open.migrate)
          : api.migrateDeviceFinalize(open.migrate);
      yield* usingLock(device, open.under, end);
      return SERVED_NOTHING;
    }
  }
}

function begun(device: RemoteDevice, open: Omit<OpenMigration, 'phase'>): Served {
  const { migrate } = open;
  device.migrations.set(migrate.id, { ...open, phase: 'collected' });
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
