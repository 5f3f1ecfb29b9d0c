/** DeviceApi as the kernel itself serves it: the lab's direct calls, and what a remote device's requests end in. */
import type {
  DeviceApi,
  DeviceDriver,
  DeviceOwner,
  DmaTarget,
  MigrateVma,
  MirrorEntry,
} from '../../abi/device-api.ts';
import { MIRROR_NONE } from '../../abi/device-api.ts';
import type { MigratePfn } from '../../abi/migrate-pfn.ts';
import { type HeldForRead, readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../vocabulary/errno.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { type PageContents, readU64 } from '../../vocabulary/page-contents.ts';
import { migrateDeviceRange } from '../hmm/migrate-device-range.ts';
import { findMm, type Kernel, type Migration } from '../kernel.ts';
import {
  addDeviceFrames,
  contentsObject,
  contentsOf,
  frameExists,
  isDevicePfn,
  refcount,
  setContents,
  takeIntoUse,
  ZERO_PFN,
} from '../memory/frames.ts';
import type { Mm } from '../memory/mm.ts';
import { tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { allocPage, pgmapOf, putPage } from '../memory/page-references.ts';
import { findVma } from '../memory/vma.ts';

export interface DeviceApiParts {
  readonly owner: DeviceOwner;
  /** The structure outlives the process, as with mmgrab(): after exit it is there and empty. */
  readonly mm: Mm;
  /** Looked up at each use: a driver needs its DeviceApi before it exists. */
  readonly driver: () => DeviceDriver;
  /** Told of each page_free() before the driver is. */
  readonly onPageFree?: (pfn: Pfn) => void;
}

/** The calls of one device. */
export function createDeviceApi(k: Kernel, parts: DeviceApiParts): DeviceApi {
  const { owner, mm: mirrored } = parts;
  const held: HeldForRead[] = [];
  const mirror = new Map<PageIndex, MirrorEntry>();
  const driver: DeviceDriver = {
    invalidate: (sub, range, seq) => parts.driver().invalidate(sub, range, seq),
    get invalidateStart() {
      return parts.driver().invalidateStart;
    },
    get sendInvalidate() {
      return parts.driver().sendInvalidate;
    },
    migrateToRam: (fault) => parts.driver().migrateToRam(fault),
    pageFree(pfn) {
      parts.onPageFree?.(pfn);
      return parts.driver().pageFree(pfn);
    },
    release: () => parts.driver().release(),
  };
  return {
    owner,
    mm: mirrored.id,
    *mmapReadLock() {
      held.push(yield* readLock(k.context, 'device.mmap_read_lock', mirrored.mmapLock));
    },
    // No yield: the signature of the seam; a remote device waits here.
    *mmapReadUnlock() {
      // Two threads of a device may hold it at once. A remote device unlocks in another task than it locked in.
      const own = held.findLastIndex(({ reader }) => reader === k.context.current);
      const [ended] = held.splice(own < 0 ? held.length - 1 : own, 1);
      invariant(ended !== undefined, 'LK2', { owner });
      readUnlock(k.context, ended);
    },
    mmuIntervalNotifierInsert: (range) =>
      k.fn.mmuIntervalNotifierInsert(k, mirrored, range, { owner, driver }),
    mmuIntervalNotifierRemove: (sub) => k.fn.mmuIntervalNotifierRemove(k, mirrored, sub),
    mmuIntervalReadBegin: (sub) => k.fn.mmuIntervalReadBegin(k, mirrored, sub),
    // No yield: mappings change only under mmap_lock, which the caller holds.
    *findVma(page) {
      const vma = findVma(mirrored.vmas, page);
      if (vma === 'none') return fail('ENOENT');
      return ok({ range: { first: vma.first, end: vma.end }, prot: vma.prot });
    },
    *hmmRangeFault(request) {
      const { range, defaultFlags } = request;
      emitCall(k, 'hmm_range_fault', { ...range, flags: defaultFlags });
      const walked = yield* k.fn.hmmRangeFault(k, mirrored, owner, request);
      emitReturn(k, 'hmm_range_fault', walked);
      return walked;
    },
    *migrateVmaSetup(request) {
      const { range, select } = request;
      emitCall(k, 'migrate_vma_setup', { ...range, select });
      const mm = findMm(k, request.mm);
      const made =
        mm === undefined ? fail('EINVAL') : yield* k.fn.migrateVmaSetup(k, mm, owner, request);
      emitReturn(k, 'migrate_vma_setup', made);
      return made.ok ? ok({ id: made.value.id, src: made.value.src.slice() }) : made;
    },
    migrateVmaPages: (migrate, dst) => movePages(k, 'migrate_vma_pages', migrate, dst),
    migrateVmaFinalize: (migrate) => finalize(k, 'migrate_vma_finalize', migrate),
    *migrateDeviceRange(first, count) {
      emitCall(k, 'migrate_device_range', { pfn: first, count });
      const made = yield* migrateDeviceRange(k, mirrored, owner, first, count);
      emitReturn(k, 'migrate_device_range', made);
      return made.ok ? ok({ id: made.value.id, src: made.value.src.slice() }) : made;
    },
    migrateDevicePages: (migrate, dst) => movePages(k, 'migrate_device_pages', migrate, dst),
    migrateDeviceFinalize: (migrate) => finalize(k, 'migrate_device_finalize', migrate),
    *makeDeviceExclusiveRange(range) {
      emitCall(k, 'make_device_exclusive_range', { ...range });
      const made = yield* k.fn.makeDeviceExclusiveRange(k, mirrored, owner, range);
      emitReturn(k, 'make_device_exclusive_range', made);
      return made;
    },
    *unlockAndPutPages(frames) {
      for (const pfn of frames) yield* unlockAndPut(k, pfn);
    },
    // No yield: adding memory commutes with everything but itself.
    *memremapPages(count) {
      const first = addDeviceFrames(k.frames, count);
      if (first === 'none') return fail('ENOMEM');
      k.pgmaps.push({ owner, driver, first, count, leftOver: 'none' });
      return ok(first);
    },
    zoneDevicePageInit(pfn) {
      invariant(isDevicePfn(pfn) && pgmapOf(k, pfn).owner === owner, 'DR1', { pfn, owner });
      invariant(refcount(k.frames, pfn) === 0, 'FR1', { pfn });
      takeIntoUse(k.frames, pfn);
      tryLockPage(k, pfn);
      k.emit({ kind: 'frame-alloc', pfn });
    },
    putDevicePage: (pfn) => unlockAndPut(k, pfn),
    // No yield: which frame comes next decides nothing here.
    *allocPages(count) {
      const frames: Pfn[] = [];
      for (let made = 0; made < count; made += 1) {
        const pfn = allocPage(k);
        if (pfn === 'none') {
          for (const earlier of frames) yield* unlockAndPut(k, earlier);
          return fail('ENOMEM');
        }
        tryLockPage(k, pfn);
        frames.push(pfn);
      }
      return ok(frames);
    },
    *dmaRead(targets) {
      const read: PageContents[] = [];
      for (const target of targets) {
        yield willRead('device.dma_read', contentsObject(target.pfn));
        const checked = checkDma(k, owner, target);
        if (!checked.ok) return checked;
        const contents = contentsOf(k.frames, target.pfn);
        read.push(contents);
        emitAccess(k, owner, target, 'read', 'system', contents);
      }
      return ok(read);
    },
    *dmaWrite(targets, contents) {
      for (const [index, target] of targets.entries()) {
        yield willWrite('device.dma_write', contentsObject(target.pfn));
        const checked = checkDma(k, owner, target);
        if (!checked.ok) return checked;
        const written = contents[index];
        if (written === undefined || target.pfn === ZERO_PFN) return fail('EFAULT');
        setContents(k.frames, target.pfn, written);
        emitAccess(k, owner, target, 'write', 'system', written);
      }
      return OK;
    },
    mirrorChanged(page, entry) {
      const from = mirror.get(page) ?? MIRROR_NONE;
      if (entry.state === 'none') mirror.delete(page);
      else mirror.set(page, entry);
      k.emit({ kind: 'mirror', device: owner, page, from, to: entry });
    },
    privateMemoryAccessed(page, pfn, mode, contents) {
      emitAccess(k, owner, { page, pfn }, mode, 'private', contents);
    },
  };
}

function migrationOf(k: Kernel, migrate: MigrateVma): Migration {
  const migration = k.migrations.get(migrate.id);
  invariant(migration !== undefined, 'MV1', { id: migrate.id });
  return migration;
}

function* movePages(
  k: Kernel,
  name: string,
  migrate: MigrateVma,
  dst: readonly MigratePfn[],
): Task<readonly MigratePfn[]> {
  const migration = migrationOf(k, migrate);
  migration.dst.push(...dst);
  emitCall(k, name, { ...migration.range });
  yield* k.fn.migrateVmaPages(k, migration);
  emitReturn(k, name, OK);
  return migration.src.slice();
}

function* finalize(k: Kernel, name: string, migrate: MigrateVma): Task<void> {
  const migration = migrationOf(k, migrate);
  emitCall(k, name, { ...migration.range });
  yield* k.fn.migrateVmaFinalize(k, migration);
  k.emit({ kind: 'migration-end', device: migration.owner, id: migration.id });
  emitReturn(k, name, OK);
}

function* unlockAndPut(k: Kernel, pfn: Pfn): Task<void> {
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
}

function checkDma(k: Kernel, owner: DeviceOwner, target: DmaTarget): Result<void> {
  if (k.cutOff.has(owner)) return fail('ENOTCONN');
  return !isDevicePfn(target.pfn) && frameExists(k.frames, target.pfn) ? OK : fail('EFAULT');
}

function emitAccess(
  k: Kernel,
  device: DeviceOwner,
  target: DmaTarget,
  mode: 'read' | 'write',
  memory: 'system' | 'private',
  contents: PageContents,
): void {
  const value = `0x${readU64(contents, 0).toString(16)}`;
  k.emit({
    kind: 'device-access',
    device,
    page: target.page,
    pfn: target.pfn,
    mode,
    memory,
    value,
  });
}

function emitCall(
  k: Kernel,
  name: string,
  args: Readonly<Record<string, string | number | boolean>>,
): void {
  k.emit({ kind: 'call', function: name, args: { ...args } });
}

function emitReturn(k: Kernel, name: string, result: Result<unknown>): void {
  k.emit({ kind: 'return', function: name, result: result.ok ? 'OK' : result.errno });
}
