/**
 * Pages of processes in the memory of the device: all of a range, or none.
 *
 * Models: drm_pagemap_migrate_to_devmem(), __drm_pagemap_migrate_to_ram(), drm_gpusvm_range_evict() of
 * drivers/gpu/drm/drm_pagemap.c and drm_gpusvm.c (6.16).
 * Leaves out: the least time for which pages stay (there is no clock), eviction by frame.
 */
import type { DeviceFault } from '../../../server/abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  migratePfnHas,
} from '../../../server/abi/migrate-pfn.ts';
import type { Task } from '../../../server/task/task.ts';
import { type PageRange, pageCount, pagesFrom } from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { copyToDevice, giveBack, migrateHome } from '../hardware/copy-engine.ts';
import { underMmapLock } from '../hardware/gpu.ts';
import type { Gpusvm } from './gpusvm.ts';

/** How often a range is tried that was not there as a whole. */
const MIGRATE_TRIES = 2;

/**
 * Takes:   mmap_lock for read.
 * Returns: EBUSY if not all pages could be had: none has moved. EINVAL where nothing can migrate.
 */
export function* migrateToDevmem(svm: Gpusvm, range: PageRange): Task<Result<void>> {
  for (let tries = 1; ; tries += 1) {
    const moved = yield* underMmapLock(svm.gpu, () => migrateOnce(svm, range));
    if (moved.ok || moved.errno !== 'EBUSY' || tries === MIGRATE_TRIES) return moved;
  }
}

function* migrateOnce({ gpu }: Gpusvm, range: PageRange): Task<Result<void>> {
  const { api } = gpu;
  const setup = yield* api.migrateVmaSetup({
    mm: api.mm,
    range,
    select: gpu.pgmapOwner === undefined ? 'system' : 'system+private',
    faultPage: 'none',
  });
  if (!setup.ok) return setup;
  const { src } = setup.value;
  const collected = src.filter((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE)).length;
  if (collected < pageCount(range)) {
    yield* api.migrateVmaFinalize(setup.value);
    return fail('EBUSY');
  }
  const copied = yield* copyToDevice(gpu, src, range.first, 'writable');
  const complete = copied.ok && !copied.value.includes(MIGRATE_PFN_NONE);
  if (complete) yield* api.migrateVmaPages(setup.value, copied.value);
  else if (copied.ok) yield* giveBack(gpu, copied.value);
  yield* api.migrateVmaFinalize(setup.value);
  if (!copied.ok) return copied;
  return complete ? OK : fail('EBUSY');
}

/** The migrate_to_ram callback. Holds: mmap_lock for read (the caller does). */
export function migrateToRam(svm: Gpusvm, { mm, page, pfn }: DeviceFault): Task<Result<void>> {
  return migrateHome(svm.gpu, mm, pagesFrom(page, 1), pfn);
}

/** Brings a range back. Takes: mmap_lock for read. */
export function evictRange(svm: Gpusvm, range: PageRange): Task<Result<void>> {
  return underMmapLock(svm.gpu, () => migrateHome(svm.gpu, svm.gpu.api.mm, range, 'none'));
}
