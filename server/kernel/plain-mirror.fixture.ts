/**
 * A device that mirrors an address space and keeps to the contract: what the tests of notifiers and of
 * hmm_range_fault share. It has no memory of its own. Named like a test to stay out of the package and of the model
 * hash.
 */
import assert from 'node:assert/strict';
import {
  type DeviceApi,
  type IntervalSub,
  MIRROR_NONE,
  type MirrorEntry,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../abi/device-api.ts';
import { HMM_PFN_WRITE, hmmPfnHas, hmmPfnToPfn } from '../abi/hmm-pfn.ts';
import { type Lock, lock, newLock, unlock } from '../task/lock.ts';
import { objectId } from '../task/object-id.ts';
import type { Task } from '../task/task.ts';
import {
  contains,
  PAGES_MAX,
  type PageIndex,
  type Pfn,
  pageIndex,
  pagesFrom,
} from '../vocabulary/address.ts';
import { fail, ok, type Result } from '../vocabulary/errno.ts';
import { pageOfU64, readU64 } from '../vocabulary/page-contents.ts';
import { deviceApi, type KernelDeviceWorld, run } from './kernel-world.fixture.ts';

/** Where a driver goes wrong, if it does. */
export type MirrorFlaw = 'none' | 'skips-read-retry' | 'ignores-invalidations' | 'keeps-its-lock';

export interface PlainMirror {
  readonly api: DeviceApi;
  readonly sub: IntervalSub;
  readonly flaw: MirrorFlaw;
  readonly lock: Lock<'driver_lock'>;
  readonly entries: Map<PageIndex, Extract<MirrorEntry, { state: 'mapped' }>>;
  readonly told: NotifierRange[];
}

/** Collisions in a row after which a fault gives up. */
const RETRIES_MAX = 5;

export function plainMirror(
  world: KernelDeviceWorld,
  owner: string,
  flaw: MirrorFlaw = 'none',
): PlainMirror {
  const { context } = world;
  const number = world.kernel.pgmaps.length + world.mm.subscriptions.itree.size;
  const driverLock = newLock('driver_lock', objectId('driver_lock', number, 0));
  const entries: PlainMirror['entries'] = new Map();
  const told: NotifierRange[] = [];
  const api = deviceApi(world, owner, {
    *invalidate(sub, range, seq) {
      told.push(range);
      if (flaw === 'ignores-invalidations') return 'done';
      const held = yield* lock(context, 'plain_mirror.invalidate_lock', driverLock);
      mmuIntervalSetSeq(sub, seq);
      for (const page of [...entries.keys()]) {
        if (!contains(range.range, page)) continue;
        entries.delete(page);
        api.mirrorChanged(page, MIRROR_NONE);
      }
      if (flaw !== 'keeps-its-lock') unlock(context, held);
      return 'done';
    },
  });
  const all = pagesFrom(pageIndex(0), PAGES_MAX);
  const made = run(world, api.mmuIntervalNotifierInsert(all), owner);
  assert.ok(made.ok);
  return { api, sub: made.value, flaw, lock: driverLock, entries, told };
}

/** Copies what the CPU page table says of one page. EBUSY after RETRIES_MAX collisions. */
export function* mirrorFault(
  world: KernelDeviceWorld,
  mirror: PlainMirror,
  page: PageIndex,
  access: 'read' | 'write',
): Task<Result<void>> {
  const { api, sub } = mirror;
  for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
    const notifierSeq = yield* api.mmuIntervalReadBegin(sub);
    yield* api.mmapReadLock();
    const walked = yield* api.hmmRangeFault({
      sub,
      notifierSeq,
      range: pagesFrom(page, 1),
      defaultFlags: access === 'write' ? 'fault-write' : 'fault',
    });
    yield* api.mmapReadUnlock();
    if (!walked.ok && walked.errno === 'EBUSY') continue;
    if (!walked.ok) return walked;
    const [entry] = walked.value;
    assert.ok(entry !== undefined);
    const held = yield* lock(world.context, 'plain_mirror.fault_lock', mirror.lock);
    const collided = mmuIntervalReadRetry(sub, notifierSeq) && mirror.flaw !== 'skips-read-retry';
    if (!collided) {
      const mapped = {
        state: 'mapped',
        pfn: hmmPfnToPfn(entry),
        access: hmmPfnHas(entry, HMM_PFN_WRITE) ? 'write' : 'read',
      } as const;
      mirror.entries.set(page, mapped);
      api.mirrorChanged(page, mapped);
    }
    unlock(world.context, held);
    if (!collided) return ok(undefined);
  }
  return fail('EBUSY');
}

/** Reads through the device's own page table, faulting where it must. */
export function* mirrorRead(
  world: KernelDeviceWorld,
  mirror: PlainMirror,
  page: PageIndex,
): Task<bigint | string> {
  for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
    const held = yield* lock(world.context, 'plain_mirror.access_lock', mirror.lock);
    const entry = mirror.entries.get(page);
    const read =
      entry === undefined ? 'missing' : yield* mirror.api.dmaRead([{ page, pfn: entry.pfn }]);
    unlock(world.context, held);
    if (read !== 'missing') return read.ok ? readU64(firstOf(read.value), 0) : read.errno;
    const faulted = yield* mirrorFault(world, mirror, page, 'read');
    if (!faulted.ok) return faulted.errno;
  }
  return 'EBUSY';
}

/** Writes a page through the device's own page table, faulting where it must. */
export function* mirrorWrite(
  world: KernelDeviceWorld,
  mirror: PlainMirror,
  page: PageIndex,
  value: bigint,
): Task<string> {
  for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
    const held = yield* lock(world.context, 'plain_mirror.access_lock', mirror.lock);
    const entry = mirror.entries.get(page);
    const written =
      entry?.access === 'write' ? yield* write(mirror, page, entry.pfn, value) : 'missing';
    unlock(world.context, held);
    if (written !== 'missing') return written;
    const faulted = yield* mirrorFault(world, mirror, page, 'write');
    if (!faulted.ok) return faulted.errno;
  }
  return 'EBUSY';
}

function* write(mirror: PlainMirror, page: PageIndex, pfn: Pfn, value: bigint): Task<string> {
  const written = yield* mirror.api.dmaWrite([{ page, pfn }], [pageOfU64(value)]);
  return written.ok ? 'done' : written.errno;
}

function firstOf<T>(values: readonly T[]): T {
  return values[0] ?? assert.fail('no value');
}
