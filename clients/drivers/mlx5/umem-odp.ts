/**
 * Memory regions of an RDMA device that are not pinned: translations are written on demand, and taken back when the
 * CPU's page table changes.
 *
 * Models: ib_umem_odp_map_dma_and_lock(), ib_umem_odp_unmap_dma_pages() of drivers/infiniband/core/umem_odp.c,
 * mlx5_ib_invalidate_range(), pagefault_real_mr(), implicit_get_child_mr(), mlx5_revoke_mr() of
 * drivers/infiniband/hw/mlx5/odp.c and mr.c (6.14).
 * What the device may reach is the DMA mapping of a region's pages, and that is what this device tells the world; the
 * translations of the region stand before it. umem_mutex is one lock for all regions here.
 * Leaves out: marking pages dirty (DeviceApi has no call for it), the time budget, page sizes, several translations in
 * one work request.
 */
import {
  type IntervalSub,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import type { HmmPfn } from '../../../server/abi/hmm-pfn.ts';
import { bugOn } from '../../../server/task/assertions.ts';
import { touch } from '../../../server/task/context.ts';
import { type Held, type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import { type Task, willCompare, willRead, willWrite } from '../../../server/task/task.ts';
import {
  contains,
  type PageIndex,
  type PageRange,
  pageIndex,
  pageRange,
  pagesFrom,
} from '../../../server/vocabulary/address.ts';
import { OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { allMapped, mappedIn } from '../hardware/device-page-table.ts';
import {
  type Access,
  type Attempt,
  enterFaulted,
  type Gpu,
  newGpu,
  rangeFault,
  withinBudget,
  zap,
} from '../hardware/gpu.ts';
import type { DriverOptions } from '../interface/driver-variant.ts';

/** Pages of a child region, which the first fault in it makes. The driver's have 1 GiB and less. */
const CHILD_PAGES = 16;

export interface OdpRegion {
  readonly sub: IntervalSub;
  readonly range: PageRange;
}

export class UmemOdp {
  readonly gpu: Gpu;
  /** Guards the DMA mappings, the translations, and the sequence of each region. */
  readonly umemMutex: Lock<'driver_lock'>;
  /** One child at a time is made. */
  readonly implicitLock: Lock;
  /** What the device translates: it goes through its translations to the DMA mapping. */
  readonly translations = new Set<PageIndex>();
  /** What the state of the memory key is called when tasks conflict on it. */
  readonly keyObject: ObjectId;
  readonly #regions: OdpRegion[] = [];
  readonly #regionsObject: ObjectId;
  #key: 'valid' | 'revoked' = 'valid';

  constructor(options: DriverOptions) {
    const { deviceNumber } = options;
    this.gpu = { ...newGpu(options), translates: (page) => this.translations.has(page) };
    this.umemMutex = newLock('driver_lock', objectId('driver_lock', deviceNumber, 0));
    this.implicitLock = newLock('driver_outer_lock', objectId('driver_lock', deviceNumber, 1));
    this.#regionsObject = objectId('device', deviceNumber, 0);
    this.keyObject = objectId('device', deviceNumber, 1);
  }

  get regions(): readonly OdpRegion[] {
    touch(this.gpu.context, this.#regionsObject, 'read');
    return this.#regions;
  }

  add(region: OdpRegion): void {
    touch(this.gpu.context, this.#regionsObject, 'write');
    this.#regions.push(region);
  }

  /** Takes all regions out. */
  take(): readonly OdpRegion[] {
    touch(this.gpu.context, this.#regionsObject, 'write');
    return this.#regions.splice(0);
  }

  /** Whether the hardware still takes work requests for the memory key. */
  get key(): 'valid' | 'revoked' {
    touch(this.gpu.context, this.keyObject, 'read');
    return this.#key;
  }

  set key(now: 'valid' | 'revoked') {
    touch(this.gpu.context, this.keyObject, 'write');
    this.#key = now;
  }
}

/** Runs `body` under umem_mutex. */
export function* underUmemMutex<T>(
  { gpu, umemMutex }: UmemOdp,
  at: string,
  body: () => Task<T>,
): Task<T> {
  const held = yield* lock(gpu.context, at, umemMutex);
  const result = yield* body();
  unlock(gpu.context, held);
  return result;
}

/**
 * pagefault_real_mr(): makes the DMA mapping of a page and writes its translation, both in one hold of umem_mutex.
 *
 * Takes:   mmap_lock for read, then umem_mutex.
 * Returns: EFAULT, EPERM as the walk; EBUSY when the budget is used up.
 */
export function* odpPagefault(odp: UmemOdp, page: PageIndex, access: Access): Task<Result<void>> {
  const region = yield* childOf(odp, page);
  if (!region.ok) return region;
  return yield* withinBudget(odp.gpu, region.value.sub.object, function* () {
    const mapped = yield* mapDmaAndLock(odp, region.value, page, access);
    if (!mapped.ok) return mapped;
    if (mapped.value === 'collided') return ok('collided');
    yield* updateXlt(odp, page, 'write');
    unlock(odp.gpu.context, mapped.value);
    return ok('entered');
  });
}

/** On success umem_mutex is held, and the caller lets go of it. */
function* mapDmaAndLock(
  { gpu, umemMutex }: UmemOdp,
  { sub }: OdpRegion,
  page: PageIndex,
  access: Access,
): Task<Result<Held<'driver_lock'> | 'collided'>> {
  const notifierSeq = yield* gpu.api.mmuIntervalReadBegin(sub);
  const walked = yield* rangeFault(gpu, {
    sub,
    notifierSeq,
    range: pagesFrom(page, 1),
    defaultFlags: access === 'write' ? 'fault-write' : 'fault',
  });
  if (!walked.ok) return walked;
  if (walked.value === 'collided') return ok('collided');
  const [pfn] = walked.value as readonly [HmmPfn];
  const held = yield* lock(gpu.context, 'ib_umem_odp_map_dma_and_lock.lock', umemMutex);
  yield willCompare('ib_umem_odp_map_dma_and_lock.retry', sub.object);
  const mapped: Attempt = mmuIntervalReadRetry(sub, notifierSeq)
    ? ok('collided')
    : yield* enterFaulted(gpu, 'ib_umem_odp_map_dma_and_lock.dma_map', page, pfn, access);
  if (mapped.ok && mapped.value === 'entered') return ok(held);
  unlock(gpu.context, held);
  return mapped.ok ? ok('collided') : mapped;
}

/**
 * mlx5_ib_update_xlt(): a work request that writes or zaps a translation. Holds: umem_mutex. A request for a key that
 * is revoked completes with an error, and with it the queue is lost on which all such requests go.
 */
export function* updateXlt(odp: UmemOdp, page: PageIndex, how: 'write' | 'zap'): Task<void> {
  yield willRead('mlx5_ib_update_xlt.post', odp.keyObject);
  bugOn(odp.key === 'revoked', 'a work request for a revoked memory key completes with an error');
  if (how === 'write') odp.translations.add(page);
  else odp.translations.delete(page);
}

function* childOf(odp: UmemOdp, page: PageIndex): Task<Result<OdpRegion>> {
  const { context, api } = odp.gpu;
  const held = yield* lock(context, 'implicit_get_child_mr.lock', odp.implicitLock);
  const known = odp.regions.find(({ range }) => contains(range, page));
  if (known !== undefined) {
    unlock(context, held);
    return ok(known);
  }
  const first = page - (page % CHILD_PAGES);
  const inserted = yield* api.mmuIntervalNotifierInsert(
    pageRange(pageIndex(first), pageIndex(first + CHILD_PAGES)),
  );
  if (inserted.ok) odp.add({ sub: inserted.value, range: inserted.value.range });
  unlock(context, held);
  return inserted.ok ? ok({ sub: inserted.value, range: inserted.value.range }) : inserted;
}

/** What the callback does to the pages that are mapped in `range`. Holds: umem_mutex. */
export type ZapRange = (odp: UmemOdp, range: PageRange) => Task<void>;

/**
 * The callback.
 *
 * Takes:   umem_mutex.
 * Returns: 'again' for a range that may not block.
 */
export function* odpInvalidate(
  odp: UmemOdp,
  sub: IntervalSub,
  { range, blocking }: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  if (blocking !== 'blockable') return 'again';
  yield* underUmemMutex(odp, 'mlx5_ib_invalidate_range.lock', function* () {
    yield willWrite('mlx5_ib_invalidate_range.seq', sub.object);
    mmuIntervalSetSeq(sub, seq);
    yield* zapRange(odp, range);
  });
  return 'done';
}

/** Translations first, then the DMA mapping behind them. Holds: umem_mutex. */
export function* zapRange(odp: UmemOdp, range: PageRange): Task<void> {
  const pages = mappedIn(odp.gpu.pageTable, range);
  for (const page of pages) yield* updateXlt(odp, page, 'zap');
  yield* zap(odp.gpu, 'ib_umem_odp_unmap_dma_pages.unmap', pages);
}

/**
 * mlx5_revoke_mr(): the regions go. The key is revoked under umem_mutex, and behind that no callback finds a page that
 * it would zap.
 */
export function* revokeRegions(odp: UmemOdp): Task<Result<void>> {
  yield* underUmemMutex(odp, 'mlx5_revoke_mr.lock', function* () {
    yield* revokeKey(odp);
    yield* dropMappings(odp);
  });
  return yield* freeRegions(odp);
}

/** The hardware takes no more work requests for the regions. */
export function* revokeKey(odp: UmemOdp): Task<void> {
  yield willWrite('mlx5_revoke_mr.revoke', odp.keyObject);
  odp.key = 'revoked';
}

/** The hardware forgets the translations with their key; the DMA mappings go one by one. Holds: umem_mutex. */
export function* dropMappings(odp: UmemOdp): Task<void> {
  odp.translations.clear();
  yield* zap(odp.gpu, 'ib_umem_odp_release.unmap', allMapped(odp.gpu.pageTable));
}

/** The subscriptions go, and the next region gets a key of its own. */
export function* freeRegions(odp: UmemOdp): Task<Result<void>> {
  const { context, api } = odp.gpu;
  const held = yield* lock(context, 'mlx5_ib_free_odp_mr.lock', odp.implicitLock);
  for (const { sub } of odp.take()) yield* api.mmuIntervalNotifierRemove(sub);
  yield willWrite('mlx5_ib_free_odp_mr.key', odp.keyObject);
  odp.key = 'valid';
  unlock(context, held);
  return OK;
}
