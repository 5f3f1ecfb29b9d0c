/** DeviceApi as the kernel itself serves it: the lab's direct calls, and what a remote device's requests end in. */
import type {
  DeviceApi,
  DeviceDriver,
  DeviceFault,
  DeviceOwner,
  DmaTarget,
  HmmRangeRequest,
  IntervalSub,
  MigrateRequest,
  MigrateVma,
  MirrorEntry,
  MmuNotifier,
  PeerMemory,
  PgmapOwner,
} from '../../abi/device-api.ts';
import { MIRROR_NONE } from '../../abi/device-api.ts';
import { type MigratePfn, migratePfnToPfn } from '../../abi/migrate-pfn.ts';
import { type HeldForRead, readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import type { PageIndex, PageRange, Pfn } from '../../vocabulary/address.ts';
import { type Failure, fail, OK, ok, type Result } from '../../vocabulary/errno.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { type PageContents, readU64 } from '../../vocabulary/page-contents.ts';
import { migrateDeviceRange } from '../hmm/migrate-device-range.ts';
import { setDestinations } from '../hmm/open-migrations.ts';
import { type FaultAccess, findMm, type Kernel, type Migration } from '../kernel.ts';
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
import { type Mm, mmUsersObject } from '../memory/mm.ts';
import { tryLockPage, unlockPage } from '../memory/page-lock.ts';
import { allocPage, findPgmap, pgmapOf, pgmapOwnerOf, putPage } from '../memory/page-references.ts';
import { waitForMonitor } from '../memory/userfault.ts';
import { findVma } from '../memory/vma.ts';
import { assertNotCalledBack } from '../notifier/mmu-notifier.ts';
import { freeNotifier } from '../notifier/register-notifier.ts';
import type { ListedNotifier } from '../notifier/subscriptions.ts';

export interface DeviceApiParts {
  readonly owner: DeviceOwner;
  /** The structure outlives the process, as with mmgrab(): after exit it is there and empty. */
  readonly mm: Mm;
  /** Looked up at each use: a driver needs its DeviceApi before it exists. */
  readonly driver: () => DeviceDriver;
  /** Called for each page_free() before the driver is. */
  readonly onPageFree?: (pfn: Pfn) => void;
}

/** What the kernel keeps of one device, beside its subscriptions, migrations and memory. */
export interface KernelDevice {
  /** Whom the kernel calls back: in subscriptions and pgmaps. */
  readonly driver: DeviceDriver;
  /** Read locks of the mmap_lock that it mirrors under. */
  readonly held: HeldForRead[];
  /** Its page table, as it tells. */
  readonly mirror: Map<PageIndex, MirrorEntry>;
  /** Classic notifiers that it has registered and not taken back, by id. */
  readonly notifiers: Map<number, ListedNotifier>;
}

export function newKernelDevice(
  parts: Pick<DeviceApiParts, 'driver' | 'onPageFree'>,
): KernelDevice {
  return { driver: new CalledBackDriver(parts), held: [], mirror: new Map(), notifiers: new Map() };
}

/** A class, for its accessors: see AddressSpace. */
class CalledBackDriver implements DeviceDriver {
  readonly #parts: Pick<DeviceApiParts, 'driver' | 'onPageFree'>;

  constructor(parts: Pick<DeviceApiParts, 'driver' | 'onPageFree'>) {
    this.#parts = parts;
  }

  invalidate(
    ...of: Parameters<DeviceDriver['invalidate']>
  ): ReturnType<DeviceDriver['invalidate']> {
    return this.#parts.driver().invalidate(...of);
  }

  get mmuNotifier(): DeviceDriver['mmuNotifier'] {
    return this.#parts.driver().mmuNotifier;
  }

  get invalidateStart(): DeviceDriver['invalidateStart'] {
    return this.#parts.driver().invalidateStart;
  }

  get sendInvalidate(): DeviceDriver['sendInvalidate'] {
    return this.#parts.driver().sendInvalidate;
  }

  migrateToRam(fault: DeviceFault): ReturnType<DeviceDriver['migrateToRam']> {
    return this.#parts.driver().migrateToRam(fault);
  }

  pageFree(pfn: Pfn): ReturnType<DeviceDriver['pageFree']> {
    this.#parts.onPageFree?.(pfn);
    return this.#parts.driver().pageFree(pfn);
  }

  release(): ReturnType<DeviceDriver['release']> {
    return this.#parts.driver().release();
  }

  get peerMemory(): DeviceDriver['peerMemory'] {
    return this.#parts.driver().peerMemory;
  }
}

/** One device as its calls need it. */
interface Caller extends KernelDevice {
  readonly k: Kernel;
  readonly owner: DeviceOwner;
  readonly mm: Mm;
}

function* removeSubscription({ k, mm }: Caller, sub: IntervalSub): Task<void> {
  yield* k.fn.mmuIntervalNotifierRemove(k, mm, sub);
  assertNotCalledBack(k, mm, sub);
}

/**
 * The calls of one device. No generator functions of its own: V8 gives each one that is called a hidden class, which
 * lives until the next full collection and keeps all that the function can reach.
 */
export function createDeviceApi(
  k: Kernel,
  parts: DeviceApiParts,
  device: KernelDevice = newKernelDevice(parts),
): DeviceApi {
  const { owner, mm } = parts;
  const { driver, mirror } = device;
  const by: Caller = { ...device, k, owner, mm };
  return {
    owner,
    mm: mm.id,
    mmapReadLock: () => mmapReadLock(by),
    mmapReadUnlock: () => mmapReadUnlock(by),
    mmgetNotZero: () => mmgetNotZero(by),
    mmput: () => mmput(by),
    mmputAsync: () => mmputAsync(by),
    mmuIntervalNotifierInsert: (range) =>
      k.fn.mmuIntervalNotifierInsert(k, mm, range, { owner, driver }),
    mmuIntervalNotifierRemove: (sub) => removeSubscription(by, sub),
    mmuIntervalReadBegin: (sub) => k.fn.mmuIntervalReadBegin(k, mm, sub),
    mmuNotifierRegister: () => registerNotifier(by),
    mmuNotifierUnregister: (notifier) => unregisterNotifier(by, notifier),
    getUserPages: (range, access) => getUserPagesUnlocked(by, range, access),
    putPages: (frames) => putAll(k, frames),
    findVma: (page) => lookUpVma(by, page),
    hmmRangeFault: (request) => rangeFault(by, request),
    migrateVmaSetup: (request) => setUpMigration(by, request),
    migrateVmaPages: (migrate, dst) => movePages(k, 'migrate_vma_pages', migrate, dst),
    migrateVmaFinalize: (migrate) => finalize(k, 'migrate_vma_finalize', migrate),
    migrateDeviceRange: (first, count) => setUpEviction(by, first, count),
    migrateDevicePages: (migrate, dst) => movePages(k, 'migrate_device_pages', migrate, dst),
    migrateDeviceFinalize: (migrate) => finalize(k, 'migrate_device_finalize', migrate),
    makeDeviceExclusiveRange: (range) => makeExclusive(by, range),
    unlockAndPutPages: (frames) => unlockAndPutAll(k, frames),
    memremapPages: (count, pgmapOwner) => memremapPages(by, count, pgmapOwner),
    zoneDevicePageInit(pfn) {
      invariant(isDevicePfn(pfn) && pgmapOf(k, pfn).device === owner, 'DR1', { pfn, owner });
      invariant(refcount(k.frames, pfn) === 0, 'FR1', { pfn });
      takeIntoUse(k.frames, pfn);
      tryLockPage(k, pfn);
      k.emit({ kind: 'frame-alloc', pfn });
    },
    putDevicePage: (pfn) => unlockAndPut(k, pfn),
    allocPages: (count) => allocLockedPages(k, count),
    dmaRead: (targets) => dmaRead(by, targets),
    dmaWrite: (targets, contents) => dmaWrite(by, targets, contents),
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

function* registerNotifier({ k, owner, mm, driver, notifiers }: Caller): Task<Result<MmuNotifier>> {
  emitCall(k, 'mmu_notifier_register', {});
  const made = yield* k.fn.mmuNotifierRegister(k, mm, { owner, driver });
  if (made.ok) notifiers.set(made.value.id, made.value);
  emitReturn(k, 'mmu_notifier_register', made);
  return made.ok ? ok({ id: made.value.id }) : made;
}

function* unregisterNotifier({ k, mm, notifiers }: Caller, { id }: MmuNotifier): Task<void> {
  const notifier = notifiers.get(id);
  invariant(notifier !== undefined, 'MN5', { notifier: id });
  notifiers.delete(id);
  emitCall(k, 'mmu_notifier_unregister', {});
  yield* k.fn.mmuNotifierUnregister(k, mm, notifier);
  freeNotifier(k, notifier);
  emitReturn(k, 'mmu_notifier_unregister', OK);
}

/** get_user_pages_unlocked(): mmap_lock is held for the walk, and no longer. */
function* getUserPagesUnlocked(
  { k, mm }: Caller,
  range: PageRange,
  access: FaultAccess,
): Task<Result<readonly Pfn[]>> {
  emitCall(k, 'get_user_pages', { ...range, access });
  let got: Result<readonly Pfn[]>;
  for (;;) {
    const held = yield* readLock(k.context, 'get_user_pages_unlocked.mmap_lock', mm.mmapLock);
    got = yield* k.fn.getUserPages(k, mm, range, access, 'get');
    readUnlock(k.context, held);
    if (!(yield* waitForMonitor(k, mm))) break;
    if (got.ok) yield* putAll(k, got.value);
  }
  emitReturn(k, 'get_user_pages', got);
  return got;
}

function* putAll(k: Kernel, frames: readonly Pfn[]): Task<void> {
  for (const pfn of frames) yield* putPage(k, pfn);
}

function* mmapReadLock({ k, held, mm }: Caller): Task<void> {
  held.push(yield* readLock(k.context, 'device.mmap_read_lock', mm.mmapLock));
}

// No yield: the signature of the seam; a remote device waits here.
function* mmapReadUnlock({ k, held, owner }: Caller): Task<void> {
  // Two threads of a device may hold it at once. A remote device unlocks in another task than it locked in.
  const own = held.findLastIndex(({ reader }) => reader === k.context.current);
  const [ended] = held.splice(own < 0 ? held.length - 1 : own, 1);
  invariant(ended !== undefined, 'LK2', { owner });
  readUnlock(k.context, ended);
}

function* mmgetNotZero({ k, mm }: Caller): Task<boolean> {
  yield willWrite('mmget_not_zero.users', mmUsersObject(mm.id));
  emitCall(k, 'mmget_not_zero', {});
  const taken = k.fn.mmgetNotZero(k, mm) === 'taken';
  emitReturn(k, 'mmget_not_zero', taken ? OK : fail('EINVAL'));
  return taken;
}

function* mmput({ k, mm }: Caller): Task<void> {
  yield willWrite('mmput.users', mmUsersObject(mm.id));
  emitCall(k, 'mmput', {});
  yield* k.fn.mmput(k, mm);
  emitReturn(k, 'mmput', OK);
}

function* mmputAsync({ k, mm }: Caller): Task<void> {
  yield willWrite('mmput_async.users', mmUsersObject(mm.id));
  emitCall(k, 'mmput_async', {});
  yield* k.fn.mmputAsync(k, mm);
  emitReturn(k, 'mmput_async', OK);
}

// No yield: mappings change only under mmap_lock, which the caller holds.
function* lookUpVma({ mm }: Caller, page: PageIndex): ReturnType<DeviceApi['findVma']> {
  const vma = findVma(mm.vmas, page);
  if (vma === 'none') return fail('ENOENT');
  return ok({ range: { first: vma.first, end: vma.end }, prot: vma.prot });
}

function* rangeFault(
  { k, mm, owner }: Caller,
  request: HmmRangeRequest,
): ReturnType<DeviceApi['hmmRangeFault']> {
  const { range, defaultFlags } = request;
  emitCall(k, 'hmm_range_fault', { ...range, flags: defaultFlags });
  const walked = yield* k.fn.hmmRangeFault(k, mm, pgmapOwnerOf(k, owner), request);
  emitReturn(k, 'hmm_range_fault', walked);
  return walked;
}

function* setUpMigration(
  { k, owner }: Caller,
  request: MigrateRequest,
): ReturnType<DeviceApi['migrateVmaSetup']> {
  const { range, select } = request;
  emitCall(k, 'migrate_vma_setup', { ...range, select });
  const mm = findMm(k, request.mm);
  const made =
    mm === undefined ? fail('EINVAL') : yield* k.fn.migrateVmaSetup(k, mm, owner, request);
  emitReturn(k, 'migrate_vma_setup', made);
  for (const entry of made.ok ? made.value.src : []) {
    const pfn = migratePfnToPfn(entry);
    const own = pfn === 'none' || !isDevicePfn(pfn) || reaches(k, owner, pfn);
    invariant(own, 'DR2', { pfn, owner });
  }
  return made.ok ? ok({ id: made.value.id, src: made.value.src.slice() }) : made;
}

function* setUpEviction(
  { k, mm, owner }: Caller,
  first: Pfn,
  count: number,
): ReturnType<DeviceApi['migrateDeviceRange']> {
  emitCall(k, 'migrate_device_range', { pfn: first, count });
  const made = yield* migrateDeviceRange(k, mm, owner, first, count);
  emitReturn(k, 'migrate_device_range', made);
  return made.ok ? ok({ id: made.value.id, src: made.value.src.slice() }) : made;
}

function* makeExclusive(
  { k, mm, owner }: Caller,
  range: PageRange,
): ReturnType<DeviceApi['makeDeviceExclusiveRange']> {
  emitCall(k, 'make_device_exclusive_range', { ...range });
  const made = yield* k.fn.makeDeviceExclusiveRange(k, mm, owner, range);
  emitReturn(k, 'make_device_exclusive_range', made);
  return made;
}

// No yield: adding memory commutes with everything but itself.
function* memremapPages(
  { k, owner: device, driver }: Caller,
  count: number,
  owner: PgmapOwner = device,
): ReturnType<DeviceApi['memremapPages']> {
  if (k.pgmaps.some((known) => known.device === device && known.owner !== owner)) {
    return fail('EINVAL');
  }
  const first = addDeviceFrames(k.frames, count);
  if (first === 'none') return fail('ENOMEM');
  if (owner !== device) k.pgmapOwners.set(device, owner);
  k.pgmaps.push({ device, owner, driver, first, count, leftOver: 'none' });
  return ok(first);
}

// No yield but where it fails: which frame comes next decides nothing here.
function* allocLockedPages(k: Kernel, count: number): Task<Result<readonly Pfn[]>> {
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
}

function* dmaRead(by: Caller, targets: readonly DmaTarget[]): ReturnType<DeviceApi['dmaRead']> {
  const read: PageContents[] = [];
  for (const [index, target] of targets.entries()) {
    const one = isDevicePfn(target.pfn)
      ? yield* readPeer(by, target, index)
      : yield* readSystem(by, target, index);
    if (!one.ok) return one;
    read.push(one.value);
  }
  return ok(read);
}

function* readSystem(
  { k, owner }: Caller,
  target: DmaTarget,
  index: number,
): Task<Result<PageContents>> {
  yield willRead('device.dma_read', contentsObject(target.pfn));
  const checked = checkDma(k, owner, target, index);
  if (!checked.ok) return checked;
  const contents = contentsOf(k.frames, target.pfn);
  emitAccess(k, owner, target, 'read', 'system', contents);
  return ok(contents);
}

/** Through the window of the device whose frame it is. */
function* readPeer(
  { k, owner }: Caller,
  target: DmaTarget,
  index: number,
): Task<Result<PageContents>> {
  const peer = peerOf(k, owner, target, index);
  if (!peer.ok) return peer;
  const read = yield* peer.value.read(target.pfn);
  if (!read.ok) return noFrame(index);
  emitAccess(k, owner, target, 'read', 'private', read.value);
  return read;
}

function* dmaWrite(
  by: Caller,
  targets: readonly DmaTarget[],
  contents: readonly PageContents[],
): ReturnType<DeviceApi['dmaWrite']> {
  for (const [index, target] of targets.entries()) {
    const written = contents[index];
    if (written === undefined) return noFrame(index);
    const one = isDevicePfn(target.pfn)
      ? yield* writePeer(by, target, index, written)
      : yield* writeSystem(by, target, index, written);
    if (!one.ok) return one;
  }
  return OK;
}

function* writeSystem(
  { k, owner }: Caller,
  target: DmaTarget,
  index: number,
  written: PageContents,
): Task<Result<void>> {
  yield willWrite('device.dma_write', contentsObject(target.pfn));
  const checked = checkDma(k, owner, target, index);
  if (!checked.ok) return checked;
  if (target.pfn === ZERO_PFN) return noFrame(index);
  setContents(k.frames, target.pfn, written);
  emitAccess(k, owner, target, 'write', 'system', written);
  return OK;
}

function* writePeer(
  { k, owner }: Caller,
  target: DmaTarget,
  index: number,
  written: PageContents,
): Task<Result<void>> {
  const peer = peerOf(k, owner, target, index);
  if (!peer.ok) return peer;
  const done = yield* peer.value.write(target.pfn, written);
  if (!done.ok) return noFrame(index);
  emitAccess(k, owner, target, 'write', 'private', written);
  return OK;
}

/** Returns: EFAULT for a frame that is no peer's, or of a peer that has no window. */
function peerOf(
  k: Kernel,
  owner: DeviceOwner,
  { pfn }: DmaTarget,
  index: number,
): Result<PeerMemory> {
  if (k.cutOff.has(owner)) return fail('ENOTCONN');
  const pgmap = findPgmap(k, pfn);
  const near = pgmap !== 'none' && pgmap.device !== owner && reaches(k, owner, pfn);
  const window = near ? pgmap.driver.peerMemory : undefined;
  return window === undefined ? noFrame(index) : ok(window);
}

function reaches(k: Kernel, owner: DeviceOwner, pfn: Pfn): boolean {
  return pgmapOf(k, pfn).owner === pgmapOwnerOf(k, owner);
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
  setDestinations(k, migration, dst);
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

function* unlockAndPutAll(k: Kernel, frames: readonly Pfn[]): Task<void> {
  for (const pfn of frames) yield* unlockAndPut(k, pfn);
}

function* unlockAndPut(k: Kernel, pfn: Pfn): Task<void> {
  unlockPage(k, pfn);
  yield* putPage(k, pfn);
}

function checkDma(k: Kernel, owner: DeviceOwner, target: DmaTarget, index: number): Result<void> {
  if (k.cutOff.has(owner)) return fail('ENOTCONN');
  return !isDevicePfn(target.pfn) && frameExists(k.frames, target.pfn) ? OK : noFrame(index);
}

function noFrame(at: number): Failure {
  return { ok: false, errno: 'EFAULT', at };
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
