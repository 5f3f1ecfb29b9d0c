/**
 * amdkfd's video memory as a place for pages of processes.
 *
 * Models: svm_migrate_ram_to_vram(), svm_migrate_vma_to_vram(), svm_migrate_to_ram(), svm_migrate_vram_to_ram() of
 * drivers/gpu/drm/amd/amdkfd/kfd_migrate.c (6.12). Nothing is mapped behind a commit: the range is validated anew, as
 * for a fault.
 * Leaves out: prange->migrate_mutex (svms->lock serialises what migrates to the GPU), the granule of a CPU's fault.
 */
import type { DeviceFault } from '../../../server/abi/device-api.ts';
import type { Task } from '../../../server/task/task.ts';
import { type PageRange, pagesFrom } from '../../../server/vocabulary/address.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { copyToDevice, migrateHome } from '../hardware/copy-engine.ts';
import { underMmapLock } from '../hardware/gpu.ts';
import { type KfdFunctions, validateAndMap, withRangeAt } from './kfd-restore.ts';
import type { KfdSvms } from './kfd-svms.ts';

/** Returns: as kfdRestorePages(); EINVAL where nothing can migrate. That a page has stayed is no failure. */
export function kfdMigrateToVram(
  svms: KfdSvms,
  fn: KfdFunctions,
  range: PageRange,
): Task<Result<void>> {
  return withRangeAt(svms, fn, range.first, 'read', function* (prange) {
    const moved = yield* toVram(svms, range);
    if (!moved.ok) return moved;
    return yield* validateAndMap(svms, prange, 'all', 'read');
  });
}

function* toVram({ gpu }: KfdSvms, range: PageRange): Task<Result<void>> {
  const { api } = gpu;
  const setup = yield* api.migrateVmaSetup({
    mm: api.mm,
    range,
    select: 'system',
    faultPage: 'none',
  });
  if (!setup.ok) return setup;
  const copied = yield* copyToDevice(gpu, setup.value.src, range.first, 'writable');
  if (copied.ok) yield* api.migrateVmaPages(setup.value, copied.value);
  yield* api.migrateVmaFinalize(setup.value);
  return copied.ok ? OK : copied;
}

/** The migrate_to_ram callback. Holds: mmap_lock for read (the caller does). */
export function kfdMigrateToRam(svms: KfdSvms, { mm, page, pfn }: DeviceFault): Task<Result<void>> {
  return migrateHome(svms.gpu, mm, pagesFrom(page, 1), pfn);
}

/** Brings a range back on request. */
export function kfdEvict(svms: KfdSvms, range: PageRange): Task<Result<void>> {
  return underMmapLock(svms.gpu, () => migrateHome(svms.gpu, svms.gpu.api.mm, range, 'none'));
}
