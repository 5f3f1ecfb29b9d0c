/**
 * nouveau's video memory as a place for pages of processes.
 *
 * Models: nouveau_dmem_migrate_vma(), nouveau_dmem_migrate_chunk(), nouveau_pfns_map(), nouveau_dmem_migrate_to_ram(),
 * nouveau_dmem_fault_copy_one() of drivers/gpu/drm/nouveau/nouveau_dmem.c (6.12).
 * As there, what is mapped after the commit is what was prepared before it, with a look neither at the flags nor at a
 * sequence; and as own migrations clear nothing, an entry for the page in system memory stays while it is copied.
 * Leaves out: large folios, the fence (a copy is done when it returns), eviction of whole chunks.
 */
import type { DeviceFault, MigrateVma } from '../../../server/abi/device-api.ts';
import type { MigratePfn } from '../../../server/abi/migrate-pfn.ts';
import {
  MIGRATE_PFN_WRITE,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../server/abi/migrate-pfn.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import {
  nextPage,
  type PageIndex,
  type PageRange,
  type Pfn,
  pageIndex,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { copyToDevice, copyToSystem } from '../hardware/copy-engine.ts';
import { entryObject, setEntry } from '../hardware/device-page-table.ts';
import { underMmapLock } from '../hardware/gpu.ts';
import { type NouveauSvmm, nouveauSvmmInvalidate, withSvmmMutex } from './nouveau-svmm.ts';

/**
 * Moves what it can of the range to video memory, as DRM_NOUVEAU_SVM_BIND does.
 *
 * Takes:   mmap_lock for read, and svmm->mutex under it.
 * Returns: EINVAL where nothing is mapped. That a page has stayed is no failure.
 */
export function nouveauDmemMigrate(svmm: NouveauSvmm, range: PageRange): Task<Result<void>> {
  return underMmapLock(svmm.gpu, () => migrateLocked(svmm, range));
}

function* migrateLocked(svmm: NouveauSvmm, range: PageRange): Task<Result<void>> {
  const { api } = svmm.gpu;
  const setup = yield* api.migrateVmaSetup({
    mm: api.mm,
    range,
    select: 'system',
    faultPage: 'none',
  });
  if (!setup.ok) return setup;
  const copied = yield* copyToDevice(svmm.gpu, setup.value.src, range.first, 'read-only');
  if (copied.ok) {
    yield* api.migrateVmaPages(setup.value, copied.value);
    yield* nouveauPfnsMap(svmm, range.first, copied.value);
  }
  yield* api.migrateVmaFinalize(setup.value);
  return copied.ok ? OK : copied;
}

/** Maps each destination, whatever has become of it. Takes: svmm->mutex. */
function nouveauPfnsMap(
  svmm: NouveauSvmm,
  first: PageIndex,
  dst: readonly MigratePfn[],
): Task<void> {
  return withSvmmMutex(svmm, 'nouveau_pfns_map.lock', function* () {
    const { pageTable } = svmm.gpu;
    for (const [at, entry] of dst.entries()) {
      const pfn = migratePfnToPfn(entry);
      if (pfn === 'none') continue;
      const page = pageIndex(first + at);
      yield willWrite('nouveau_pfns_map.map', entryObject(pageTable, page));
      const access = migratePfnHas(entry, MIGRATE_PFN_WRITE) ? 'write' : 'read';
      setEntry(pageTable, page, { state: 'mapped', pfn, access });
    }
  });
}

/**
 * A CPU has touched a page in video memory: one page goes back. The GPU loses its entry by hand, under svmm->mutex,
 * which is kept until the copy is done.
 *
 * Holds:   mmap_lock for read (the caller does). Takes: svmm->mutex.
 * Returns: EIO (SIGBUS) if it cannot be set up or copied. A page that could not be collected is no failure.
 */
export function* nouveauDmemMigrateToRam(
  svmm: NouveauSvmm,
  fault: DeviceFault,
  faultPage: Pfn | 'none' = fault.pfn,
): Task<Result<void>> {
  const { api } = svmm.gpu;
  const range = pagesFrom(fault.page, 1);
  const setup = yield* api.migrateVmaSetup({
    mm: fault.mm,
    range,
    select: 'device-private',
    faultPage,
  });
  if (!setup.ok) return fail('EIO');
  const copied = yield* copyOne(svmm, setup.value, range);
  if (copied.ok) yield* api.migrateVmaPages(setup.value, copied.value);
  yield* api.migrateVmaFinalize(setup.value);
  return copied.ok ? OK : copied;
}

function copyOne(
  svmm: NouveauSvmm,
  { src }: MigrateVma,
  range: PageRange,
): Task<Result<MigratePfn[]>> {
  return withSvmmMutex(svmm, 'nouveau_dmem_copy_one.lock', function* () {
    yield* nouveauSvmmInvalidate(svmm, range);
    return yield* copyToSystem(svmm.gpu, src, range.first);
  });
}

/** Brings the pages of a range back, page by page, as eviction does for what the GPU has no room for. */
export function nouveauDmemEvict(svmm: NouveauSvmm, range: PageRange): Task<Result<void>> {
  return underMmapLock(svmm.gpu, function* () {
    const { mm } = svmm.gpu.api;
    for (let page = range.first; page < range.end; page = nextPage(page)) {
      const moved = yield* nouveauDmemMigrateToRam(svmm, { mm, page, pfn: 0 as Pfn }, 'none');
      if (!moved.ok) return moved;
    }
    return OK;
  });
}
