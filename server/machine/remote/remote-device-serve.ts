/**
 * Turns a validated request of a device client into the DeviceApi call, and keeps the books of what the device
 * holds. Refuses whatever a driver could not have asked: the kernel's invariants are for the kernel.
 */

import type { IntervalSub } from '../../abi/device-api.ts';
import { DEVICE_REQUESTS, type DeviceParams } from '../../protocol/device-requests.ts';
import { kernelRefusal, type Refusal, refuse } from '../../protocol/refusal.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import { contains, type PageRange, type Pfn, pageCount } from '../../vocabulary/address.ts';
import type { Failure } from '../../vocabulary/errno.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';
import type { Seq } from '../../vocabulary/seq.ts';
import { deviceOverLimit } from './held-checks.ts';
import { SERVED_NOTHING, type Served, served } from './remote-actor.ts';
import type { RemoteDevice } from './remote-device.ts';
import {
  type DeviceRequest,
  failed,
  isFrameInUse,
  notYours,
  takeFrames,
  wrongCount,
} from './remote-device-request.ts';
import {
  dropEmptyMigrations,
  lockHolder,
  needsLock,
  ownLockUnused,
  underMmapLock,
} from './remote-lock.ts';
import { serveMigration } from './remote-migrate-serve.ts';

/** Rounds of hmm_range_fault_unlocked before it answers EBUSY. */
export const FAULT_ROUNDS_MAX = 16;

/**
 * Holds:   nothing but what the device holds. Yields: yes.
 * Returns: the result for the wire, or why not.
 */
export function* serveDevice(
  device: RemoteDevice,
  request: DeviceRequest,
  contents: readonly PageContents[],
): Task<Served> {
  if (device.state === 'returning') {
    yield waitUntil('serve_device.returning', device.idle, () => device.state !== 'returning');
  }
  if (device.state === 'fenced') return refuse('fenced', '', '');
  const over = deviceOverLimit(device, request);
  if (over !== 'none') return over;
  const { api } = device;
  switch (request.method) {
    case 'mmap_read_lock':
      yield* api.mmapReadLock();
      device.ownLock.locks += 1;
      return SERVED_NOTHING;
    case 'mmap_read_unlock':
      if (device.ownLock.locks === 0) return needsLock('params');
      if (device.ownLock.locks === 1 && !ownLockUnused(device)) return isFrameInUse('params');
      if (device.ownLock.locks === 1) dropEmptyMigrations(device);
      device.ownLock.locks -= 1;
      yield* api.mmapReadUnlock();
      return SERVED_NOTHING;

    case 'mmget_not_zero': {
      const taken = yield* api.mmgetNotZero();
      if (taken) device.mmUsers += 1;
      return served({ taken });
    }
    case 'mmput':
    case 'mmput_async':
      if (device.mmUsers === 0) return refuse('no-reference', 'params', 'a reference on the mm');
      device.mmUsers -= 1;
      if (request.method === 'mmput') yield* api.mmput();
      else yield* api.mmputAsync();
      return SERVED_NOTHING;

    case 'mmu_interval_notifier_insert': {
      const { range, passes } = request.params;
      const inserted = yield* api.mmuIntervalNotifierInsert(range);
      if (!inserted.ok) return failed(request.method, inserted);
      const sub = inserted.value;
      device.subs.set(sub.id, sub);
      if (passes === 'two') device.inTwoPasses.add(sub.id);
      return served({ subscription: sub.id, invalidate_seq: sub.invalidateSeq });
    }
    case 'mmu_interval_notifier_remove': {
      const sub = device.subs.get(request.params.subscription);
      if (sub === undefined) return noSuchSub();
      device.subs.delete(sub.id);
      device.inTwoPasses.delete(sub.id);
      yield* api.mmuIntervalNotifierRemove(sub);
      return SERVED_NOTHING;
    }
    case 'mmu_interval_read_begin': {
      const sub = device.subs.get(request.params.subscription);
      if (sub === undefined) return noSuchSub();
      raiseSeq(sub, request.params.invalidate_seq);
      return served({ seq: yield* api.mmuIntervalReadBegin(sub) });
    }

    case 'mmu_notifier_register':
      return yield* serveRegister(device, request.params.callbacks);
    case 'mmu_notifier_unregister': {
      const { notifier } = device;
      if (notifier === 'none')
        return refuse('no-such-subscription', 'params', 'a notifier of yours');
      device.notifier = 'none';
      yield* api.mmuNotifierUnregister(notifier);
      device.classic = 'none';
      return SERVED_NOTHING;
    }
    case 'get_user_pages': {
      if (lockHolder(device, api.mm) !== 'none') return lockHeld();
      const got = yield* api.getUserPages(request.params.range, request.params.access);
      if (!got.ok) return failed(request.method, got);
      device.got.push(...got.value);
      return served({ frames: got.value });
    }
    case 'put_pages': {
      const { frames } = request.params;
      const stranger = takeReferences(device.got, frames);
      if (stranger !== 'none') return notYours(`params.frames[${stranger}]`);
      yield* api.putPages(frames);
      return SERVED_NOTHING;
    }

    case 'find_vma': {
      if (lockHolder(device, api.mm) === 'none') return needsLock('params.page');
      const found = yield* api.findVma(request.params.page);
      return found.ok ? served(found.value) : failed(request.method, found);
    }
    case 'hmm_range_fault':
      return yield* underMmapLock(device, 'params.range', () =>
        serveRangeFault(device, request.params),
      );
    case 'hmm_range_fault_unlocked':
      return yield* serveRangeFaultUnlocked(device, request.params);

    case 'migrate_vma_setup':
    case 'migrate_vma_pages':
    case 'migrate_vma_finalize':
    case 'migrate_device_range':
    case 'migrate_device_pages':
    case 'migrate_device_finalize':
      return yield* serveMigration(device, request);

    case 'make_device_exclusive_range': {
      const { range } = request.params;
      return yield* underMmapLock(device, 'params.range', () => serveExclusive(device, range));
    }
    case 'unlock_and_put_pages': {
      const frames = request.params.frames;
      const stranger = takeFrames(device.locked, frames);
      if (stranger !== 'none') return notYours(`params.frames[${stranger}]`);
      yield* api.unlockAndPutPages(frames);
      return SERVED_NOTHING;
    }

    case 'memremap_pages': {
      const { count, owner } = request.params;
      const mapped = yield* api.memremapPages(count, owner);
      if (!mapped.ok) return failed(request.method, mapped);
      device.chunks.push({ first: mapped.value, count });
      return served({ first: mapped.value });
    }
    case 'put_device_page': {
      const frame = request.params.pfn;
      if (!device.unplaced.delete(frame)) return notYours('params.pfn');
      yield* api.putDevicePage(frame);
      return SERVED_NOTHING;
    }
    case 'alloc_pages': {
      const allocated = yield* api.allocPages(request.params.count);
      if (!allocated.ok) return failed(request.method, allocated);
      for (const frame of allocated.value) device.unplaced.add(frame);
      return served({ frames: allocated.value });
    }

    case 'dma_read': {
      const read = yield* api.dmaRead(request.params.targets);
      return read.ok ? served({}, read.value) : noDma(request, read);
    }
    case 'dma_write': {
      const targets = request.params.targets;
      if (contents.length !== targets.length) return wrongCount('contents', targets.length);
      const written = yield* api.dmaWrite(targets, contents);
      return written.ok ? SERVED_NOTHING : noDma(request, written);
    }
  }
}

type DmaRequest = Extract<DeviceRequest, { method: 'dma_read' | 'dma_write' }>;

function noDma({ method, params: { targets } }: DmaRequest, failure: Failure): Refusal {
  if (failure.errno !== 'EFAULT') return failed(method, failure);
  // The kernel stops at the first of them.
  const at = failure.at ?? 0;
  const frames =
    method === 'dma_write'
      ? 'system memory but the page of zeros, or of a peer'
      : 'system memory, or of a peer';
  return refuse('no-such-frame', `params.targets[${at}].pfn`, `a frame of ${frames}`, {
    found: String(targets[at]?.pfn),
  });
}

function* serveRegister(
  device: RemoteDevice,
  callbacks: DeviceParams['mmu_notifier_register']['callbacks'],
): Task<Served> {
  const { api } = device;
  if (device.classic !== 'none') return refuse('in-use', 'params', 'no notifier of yours');
  if (lockHolder(device, api.mm) !== 'none') return lockHeld();
  // Before it is in the list: the first question may come at once.
  device.classic = callbacks;
  const registered = yield* api.mmuNotifierRegister();
  if (registered.ok) device.notifier = registered.value;
  else device.classic = 'none';
  return registered.ok ? SERVED_NOTHING : failed('mmu_notifier_register', registered);
}

function lockHeld(): Refusal {
  return refuse('lock-held', 'params', 'no mmap_lock of yours');
}

/** Takes `frames` out of `got`, all or none. Returns: 'none', or the place of the first that is not there. */
function takeReferences(got: Pfn[], frames: readonly Pfn[]): number | 'none' {
  const left = got.slice();
  for (const [place, frame] of frames.entries()) {
    const at = left.indexOf(frame);
    if (at < 0) return place;
    left.splice(at, 1);
  }
  got.splice(0, got.length, ...left);
  return 'none';
}

function* serveExclusive(device: RemoteDevice, range: PageRange): Task<Served> {
  const made = yield* device.api.makeDeviceExclusiveRange(range);
  if (!made.ok) return failed('make_device_exclusive_range', made);
  for (const frame of made.value) if (frame !== 'none') device.locked.add(frame);
  return served({ frames: made.value });
}

function* serveRangeFault(
  device: RemoteDevice,
  params: DeviceParams['hmm_range_fault'],
): Task<Served> {
  const sub = device.subs.get(params.subscription);
  if (sub === undefined) return noSuchSub();
  const range = params.range;
  if (!covers(sub, range)) return outside(sub);
  const flags = params.page_flags;
  if (flags !== undefined && flags.length !== pageCount(range)) {
    return wrongCount('params.page_flags', pageCount(range));
  }
  const walked = yield* device.api.hmmRangeFault({
    sub,
    notifierSeq: params.notifier_seq,
    range,
    defaultFlags: params.default_flags,
    ...(flags === undefined ? {} : { pageFlags: flags }),
  });
  return walked.ok ? served({ pfns: walked.value }) : failed('hmm_range_fault', walked);
}

function* serveRangeFaultUnlocked(
  device: RemoteDevice,
  params: DeviceParams['hmm_range_fault_unlocked'],
): Task<Served> {
  const { api } = device;
  const sub = device.subs.get(params.subscription);
  if (sub === undefined) return noSuchSub();
  const range = params.range;
  if (!covers(sub, range)) return outside(sub);
  if (lockHolder(device, api.mm) !== 'none') {
    return lockHeld();
  }
  raiseSeq(sub, params.invalidate_seq);
  const defaultFlags = params.default_flags;
  for (let round = 0; round < FAULT_ROUNDS_MAX; round += 1) {
    const notifierSeq = yield* api.mmuIntervalReadBegin(sub);
    yield* api.mmapReadLock();
    const walked = yield* api.hmmRangeFault({ sub, notifierSeq, range, defaultFlags });
    yield* api.mmapReadUnlock();
    if (walked.ok) return served({ seq: notifierSeq, pfns: walked.value });
    if (walked.errno !== 'EBUSY') return failed('hmm_range_fault_unlocked', walked);
  }
  return kernelRefusal('EBUSY', DEVICE_REQUESTS.hmm_range_fault_unlocked.subject);
}

/**
 * The driver's sequence may be ahead of the copy here, never behind for good: a callback that is still under way
 * sets the copy when its answer arrives.
 */
function raiseSeq(sub: IntervalSub, known: Seq): void {
  if (known > sub.invalidateSeq) sub.invalidateSeq = known;
}

function noSuchSub(): Refusal {
  return refuse('no-such-subscription', 'params.subscription', 'an interval notifier of yours');
}

function outside(sub: IntervalSub): Refusal {
  const { first, end } = sub.range;
  return refuse('outside-subscription', 'params.range', `pages from ${first} to ${end - 1}`);
}

function covers(sub: IntervalSub, range: PageRange): boolean {
  return contains(sub.range, range.first) && range.end <= sub.range.end;
}
