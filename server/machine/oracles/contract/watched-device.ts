/** A device between two witnesses: its calls go through one, its callbacks through the other. */

import type {
  DeviceApi,
  DeviceDriver,
  DeviceOwner,
  IntervalSub,
  MmId,
} from '../../../abi/device-api.ts';
import type { EventSink } from '../../../abi/event.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { PageIndex } from '../../../vocabulary/address.ts';
import type { EventLog } from '../../event-log.ts';
import type { Mirrors } from '../mirrors.ts';
import { countInFlight } from './access-rules.ts';
import {
  checkLookup,
  checkMmapLock,
  checkPut,
  checkRemoval,
  checkUnlocked,
  lookedUp,
  readBegun,
  subRemoved,
} from './call-rules.ts';
import {
  beginCallback,
  beginFault,
  dropCallback,
  endCallback,
  endFault,
  refusedBlockable,
  released,
  runCallback,
} from './callback-rules.ts';
import { watchedNotifier } from './classic-rules.ts';
import type { Contract, DriverPlace, WatchedDevice } from './contract.ts';
import { checkAllEnded, seeKernel } from './kernel-rules.ts';
import { entryChanged } from './mapping-rules.ts';
import {
  checkAllFinalized,
  checkFinalize,
  checkPages,
  checkSetup,
  checkUnlocking,
  collected,
  finalized,
  pagesMoved,
  setUp,
} from './migration-rules.ts';
import { realSub, watchedSub } from './watched-sub.ts';

/** Exclusive ranges that are remembered, for each device. */
const EXCLUSIVES_MAX = 16;

/** Starts to watch a world in which no device is yet. */
export function watchContract(
  k: Kernel,
  log: EventLog,
  emit: EventSink,
  mirrors: Mirrors,
): Contract {
  const contract: Contract = {
    k,
    log,
    emit,
    mirrors,
    devices: new Map(),
    brackets: new Map(),
    reported: new Map(),
  };
  log.listeners.push((event) => seeKernel(contract, event));
  return contract;
}

/** What is only a breach when nothing goes on any more. `stuck` are the tasks that wait for ever. */
export function checkAtRest(contract: Contract, stuck: ReadonlySet<number>): void {
  checkAllEnded(contract, stuck);
  if (stuck.size > 0) return;
  for (const device of contract.devices.values()) checkAllFinalized(device);
}

export interface DeviceToWatch {
  readonly owner: DeviceOwner;
  readonly mm: MmId;
  readonly place: DriverPlace;
  readonly driver: () => DeviceDriver;
}

/** `connect` makes the kernel's own api for a driver. */
export function watchDevice(
  contract: Contract,
  { owner, mm, place, driver }: DeviceToWatch,
  connect: (driver: () => DeviceDriver) => DeviceApi,
): DeviceApi {
  const device = newWatchedDevice(contract, owner, mm, place);
  contract.devices.set(owner, device);
  const callbacks = watchedDriver(device, driver);
  return watchedApi(
    device,
    connect(() => callbacks),
  );
}

function newWatchedDevice(
  contract: Contract,
  owner: DeviceOwner,
  mm: MmId,
  place: DriverPlace,
): WatchedDevice {
  return {
    contract,
    owner,
    place,
    mm,
    subs: new Map(),
    lookups: [],
    forgotten: new Map(),
    migrations: new Map(),
    ignored: [],
    moves: new Map(),
    exclusives: [],
    callbacks: new Set(),
    faults: new Set(),
    entries: new Map(),
    unplaced: new Set(),
    inFlight: new Map(),
    copying: new Set(),
    asked: new Map(),
    askedLast: new Map(),
    notifier: 'interval',
    mmapLocks: 0,
    mirrored: 'alive',
  };
}

/** What was written out until now is no reason to keep silent about it from here on. */
export function forgetReported({ reported }: Contract): void {
  reported.clear();
}

/** The device is cut off: the kernel ends what it had begun. */
export function forgetDevice(contract: Contract, owner: DeviceOwner): void {
  const device = contract.devices.get(owner);
  if (device === undefined) return;
  device.migrations.clear();
  device.callbacks.clear();
  device.faults.clear();
  device.unplaced.clear();
  device.lookups.length = 0;
  device.exclusives.length = 0;
}

/** The device is gone for good: another one may have its name. */
export function unwatchDevice(contract: Contract, owner: DeviceOwner): void {
  contract.devices.delete(owner);
}

/** The device answered an invalidation of subscription `sub` as if it could refuse it: that answer is not taken. */
export function invalidationRefused(contract: Contract, owner: DeviceOwner, sub: number): void {
  const device = contract.devices.get(owner);
  for (const { sub: asked, range } of device?.callbacks ?? []) {
    if (device === undefined || asked.real.id !== sub) continue;
    if (range.blocking === 'blockable') refusedBlockable(device, range);
    return;
  }
}

function watchedDriver(device: WatchedDevice, driver: () => DeviceDriver): DeviceDriver {
  return {
    *invalidate(sub, range, seq) {
      const call = beginCallback(device, sub, range, seq);
      const callback = driver().invalidate(call.sub.handed, range, seq);
      const answer =
        device.place === 'here' ? yield* runCallback(device, call, callback) : yield* callback;
      endCallback(device, call, answer);
      return answer;
    },
    get invalidateStart() {
      const start = driver().invalidateStart;
      if (start === undefined) return undefined;
      const watched: typeof start = function* (sub, range, seq) {
        const call = beginCallback(device, sub, range, seq);
        const begun = start(call.sub.handed, range, seq);
        const answer =
          device.place === 'here' ? yield* runCallback(device, call, begun) : yield* begun;
        if (typeof answer !== 'function') {
          endCallback(device, call, answer);
          return answer;
        }
        return function* () {
          yield* answer();
          endCallback(device, call, 'done');
        };
      };
      return watched;
    },
    get mmuNotifier() {
      const { mmuNotifier: ops } = driver();
      return ops === undefined ? undefined : watchedNotifier(device, ops);
    },
    get sendInvalidate() {
      const send = driver().sendInvalidate;
      if (send === undefined) return undefined;
      const watched: typeof send = (sub, range, seq, answers, place) => {
        const call = beginCallback(device, sub, range, seq);
        const witness: typeof answers = {
          object: answers.object,
          answered(at, answer) {
            answers.answered(at, answer);
            endCallback(device, call, answer);
          },
          abandoned(at) {
            dropCallback(device, call);
            answers.abandoned(at);
          },
        };
        send(call.sub.handed, range, seq, witness, place);
      };
      return watched;
    },
    *migrateToRam(fault) {
      const open = beginFault(device, fault);
      const moved = yield* driver().migrateToRam(fault);
      endFault(device, open, moved);
      return moved;
    },
    pageFree: (pfn) => driver().pageFree(pfn),
    get peerMemory() {
      return driver().peerMemory;
    },
    *release() {
      yield* driver().release();
      released(device);
    },
  };
}

function watchedApi(device: WatchedDevice, api: DeviceApi): DeviceApi {
  const { log } = device.contract;
  const real = (sub: IntervalSub): IntervalSub => realSub(device, sub);
  return {
    ...api,
    *mmapReadLock() {
      yield* api.mmapReadLock();
      device.mmapLocks += 1;
    },
    *mmapReadUnlock() {
      checkUnlocking(device);
      device.mmapLocks -= 1;
      yield* api.mmapReadUnlock();
    },
    *mmput() {
      checkPut(device);
      yield* api.mmput();
    },
    *mmuIntervalNotifierInsert(range) {
      checkUnlocked(device, 'mmu_interval_notifier_insert', range.first);
      const inserted = yield* api.mmuIntervalNotifierInsert(range);
      if (!inserted.ok) return inserted;
      return { ok: true, value: watchedSub(device, inserted.value).handed };
    },
    *mmuIntervalNotifierRemove(sub) {
      checkRemoval(device, sub);
      yield* api.mmuIntervalNotifierRemove(real(sub));
      subRemoved(device, sub);
    },
    *mmuIntervalReadBegin(sub) {
      checkUnlocked(device, 'mmu_interval_read_begin', sub.range.first);
      const seq = yield* api.mmuIntervalReadBegin(real(sub));
      readBegun(device, sub, seq);
      return seq;
    },
    *mmuNotifierRegister() {
      checkUnlocked(device, 'mmu_notifier_register', 0 as PageIndex);
      device.notifier = 'classic';
      return yield* api.mmuNotifierRegister();
    },
    *mmuNotifierUnregister(notifier) {
      checkUnlocked(device, 'mmu_notifier_unregister', 0 as PageIndex);
      yield* api.mmuNotifierUnregister(notifier);
    },
    *getUserPages(range, access) {
      checkUnlocked(device, 'get_user_pages', range.first);
      return yield* api.getUserPages(range, access);
    },
    *findVma(page) {
      checkMmapLock(device, 'find_vma', page, device.mm);
      return yield* api.findVma(page);
    },
    *hmmRangeFault(request) {
      const { range } = request;
      checkUnlocked(device, 'hmm_range_fault', range.first);
      checkMmapLock(device, 'hmm_range_fault', range.first, device.mm);
      checkLookup(device, request);
      const n = log.n + 1;
      const walked = yield* api.hmmRangeFault({ ...request, sub: real(request.sub) });
      lookedUp(device, request, n, walked);
      return walked;
    },
    *migrateVmaSetup(request) {
      const { range, mm } = request;
      checkUnlocked(device, 'migrate_vma_setup', range.first);
      checkMmapLock(device, 'migrate_vma_setup', range.first, mm);
      checkSetup(device, request);
      const n = log.n + 1;
      const made = yield* api.migrateVmaSetup(request);
      if (made.ok) setUp(device, request, n, made.value);
      return made;
    },
    *migrateVmaPages(migrate, dst) {
      checkPages(device, 'migrate_vma_pages', migrate, dst);
      const src = yield* api.migrateVmaPages(migrate, dst);
      pagesMoved(device, migrate, src);
      return src;
    },
    *migrateVmaFinalize(migrate) {
      checkFinalize(device, 'migrate_vma_finalize', migrate);
      yield* api.migrateVmaFinalize(migrate);
      finalized(device, migrate);
    },
    *migrateDeviceRange(first, count) {
      const n = log.n + 1;
      const made = yield* api.migrateDeviceRange(first, count);
      if (made.ok) collected(device, n, made.value);
      return made;
    },
    *migrateDevicePages(migrate, dst) {
      checkPages(device, 'migrate_device_pages', migrate, dst);
      const src = yield* api.migrateDevicePages(migrate, dst);
      pagesMoved(device, migrate, src);
      return src;
    },
    *migrateDeviceFinalize(migrate) {
      checkFinalize(device, 'migrate_device_finalize', migrate);
      yield* api.migrateDeviceFinalize(migrate);
      finalized(device, migrate);
    },
    *makeDeviceExclusiveRange(range) {
      checkUnlocked(device, 'make_device_exclusive_range', range.first);
      checkMmapLock(device, 'make_device_exclusive_range', range.first, device.mm);
      const made = yield* api.makeDeviceExclusiveRange(range);
      if (made.ok) {
        if (device.exclusives.length === EXCLUSIVES_MAX) device.exclusives.shift();
        device.exclusives.push({ range, frames: made.value, put: new Set() });
      }
      return made;
    },
    *unlockAndPutPages(frames) {
      for (const { put } of device.exclusives) for (const frame of frames) put.add(frame);
      yield* api.unlockAndPutPages(frames);
    },
    zoneDevicePageInit(pfn) {
      api.zoneDevicePageInit(pfn);
      device.unplaced.add(pfn);
    },
    *putDevicePage(pfn) {
      device.unplaced.delete(pfn);
      yield* api.putDevicePage(pfn);
    },
    *allocPages(count) {
      const frames = yield* api.allocPages(count);
      if (frames.ok) for (const pfn of frames.value) device.unplaced.add(pfn);
      return frames;
    },
    *dmaRead(targets) {
      countInFlight(device, targets, 1);
      const read = yield* api.dmaRead(targets);
      countInFlight(device, targets, -1);
      return read;
    },
    *dmaWrite(targets, contents) {
      countInFlight(device, targets, 1);
      const written = yield* api.dmaWrite(targets, contents);
      countInFlight(device, targets, -1);
      return written;
    },
    mirrorChanged(page, entry) {
      api.mirrorChanged(page, entry);
      entryChanged(device, page, entry);
    },
  };
}
