/**
 * A device that a process has to itself: what it may reach by DMA is pinned when it is mapped, and stays, whatever the
 * process does. No notifier, no fault: it is told of nothing, and needs not be.
 *
 * Models: VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA (drivers/vfio/vfio_iommu_type1.c), as iommufd does it too
 * (drivers/iommu/iommufd/pages.c, 6.12). Leaves out: batches, limits of pinned memory, dirty tracking, mediated
 * devices.
 * An operation maps what it needs and is not mapped; addresses of the device are those of the process.
 */
import type { PinMode } from '../../../server/abi/cpu-api.ts';
import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import type { DmaPins } from '../../../server/abi/dma-pins.ts';
import { type TaskContext, touch } from '../../../server/task/context.ts';
import { type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import type { Task } from '../../../server/task/task.ts';
import { nextPage, type PageIndex, pagesFrom } from '../../../server/vocabulary/address.ts';
import { type Errno, fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';

export const vfio: DriverVariant = {
  id: 'vfio',
  provenance:
    'the structure of drivers/vfio/vfio_iommu_type1.c and drivers/iommu/iommufd (Linux 6.12)',
  summary: 'pins for good what its device may reach, and has no notifier',
  newDevice: (options) => vfioWith(options, 'longterm'),
};

interface Container {
  readonly context: TaskContext;
  readonly pins: DmaPins;
  /** iommu->lock: guards what is mapped. */
  readonly lock: Lock<'driver_outer_lock'>;
  readonly mapped: Set<PageIndex>;
  readonly mappings: ObjectId;
  readonly mode: PinMode;
}

/** Pages are taken as `mode` says. */
export function vfioWith(
  { context, deviceNumber, dmaPins }: DriverOptions,
  mode: PinMode,
): LabDevice {
  const mappings = objectId('device', deviceNumber, 0);
  const mapped = new Set<PageIndex>();
  const container: Container | 'none' =
    dmaPins === undefined
      ? 'none'
      : {
          context,
          pins: dmaPins(),
          lock: newLock('driver_outer_lock', objectId('driver_lock', deviceNumber, 0)),
          mapped,
          mappings,
          mode,
        };
  return {
    callbacks: neverCalled,
    *open() {
      return container === 'none' ? fail('ENODEV') : OK;
    },
    *perform(verb) {
      return container === 'none' ? { errno: 'ENODEV' } : yield* perform(container, verb);
    },
    contentOf(object) {
      // What its lock guards is an object of its own.
      if (object === mappings) return [...mapped].sort((a, b) => a - b).join();
      return container !== 'none' && object === container.lock.object ? 0 : 'unknown';
    },
  };
}

const neverCalled: DeviceDriver = {
  invalidate: () => neverAsked('done'),
  migrateToRam: () => neverAsked(fail('EINVAL')),
  pageFree: () => neverAsked(undefined),
  release: () => neverAsked(undefined),
};

// No yield: the signature of the seam.
function* neverAsked<T>(answer: T): Task<T> {
  return answer;
}

function* perform(container: Container, verb: DmirrorVerb): Task<DmirrorResult> {
  switch (verb.verb) {
    case 'fault-read':
    case 'fault-write':
      return errnoOf(yield* map(container, verb.range.first, verb.range.end));
    case 'read':
    case 'read-mapped': {
      const { first, end } = verb.range;
      const there = verb.verb === 'read' ? yield* map(container, first, end) : OK;
      if (!there.ok) return errnoOf(there);
      return valuesOf(yield* readAll(container, first, end));
    }
    case 'write': {
      const { range, values } = verb;
      const there = yield* map(container, range.first, range.end);
      if (!there.ok) return errnoOf(there);
      for (let page = range.first; page < range.end; page = nextPage(page)) {
        const value = BigInt(values[page - range.first] ?? 0);
        const done = yield* dma(container, page, () => container.pins.write(page, 0, value));
        if (!done.ok) return errnoOf(done);
      }
      return { errno: 'OK' };
    }
    case 'release':
      return errnoOf(yield* unmapAll(container));
    default:
      return { errno: 'EINVAL' };
  }
}

/** vfio_dma_do_map(): each page that is not mapped yet is pinned. Takes: the lock, and mmap_lock under it. */
function* map(container: Container, first: PageIndex, end: PageIndex): Task<Result<void>> {
  const { context, pins, mapped, mappings, mode } = container;
  const held = yield* lock(context, 'vfio_dma_do_map.lock', container.lock);
  let done: Result<void> = OK;
  for (let page = first; page < end && done.ok; page = nextPage(page)) {
    touch(context, mappings, 'read');
    if (mapped.has(page)) continue;
    const pinned = yield* pins.pin(page, pagesFrom(page, 1), mode);
    if (!pinned.ok) done = pinned;
    else {
      touch(context, mappings, 'write');
      mapped.add(page);
    }
  }
  unlock(context, held);
  return done;
}

/** vfio_dma_do_unmap(). */
function* unmapAll({ context, lock: own, pins, mapped, mappings }: Container): Task<Result<void>> {
  const held = yield* lock(context, 'vfio_dma_do_unmap.lock', own);
  touch(context, mappings, 'write');
  for (const page of [...mapped]) {
    mapped.delete(page);
    yield* pins.unpin(page);
  }
  unlock(context, held);
  return OK;
}

function* readAll(
  container: Container,
  first: PageIndex,
  end: PageIndex,
): Task<Result<readonly string[]>> {
  const values: string[] = [];
  for (let page = first; page < end; page = nextPage(page)) {
    const read = yield* dma(container, page, () => container.pins.read(page, 0));
    if (!read.ok) return read;
    values.push(read.value);
  }
  return ok(values);
}

/** What the IOMMU lets through: a page that is mapped, until it is unmapped. */
function* dma<T>(
  { context, lock: own, mapped, mappings }: Container,
  page: PageIndex,
  access: () => Task<Result<T>>,
): Task<Result<T>> {
  const held = yield* lock(context, 'vfio_device_dma.lock', own);
  touch(context, mappings, 'read');
  const done: Result<T> = mapped.has(page) ? yield* access() : fail('ENOENT');
  unlock(context, held);
  return done;
}

function valuesOf(read: Result<readonly string[]>): DmirrorResult {
  return read.ok ? { errno: 'OK', values: read.value, cpages: read.value.length } : errnoOf(read);
}

function errnoOf(result: Result<unknown>): { readonly errno: Errno | 'OK' } {
  return { errno: result.ok ? 'OK' : result.errno };
}
