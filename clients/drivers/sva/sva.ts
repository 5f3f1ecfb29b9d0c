/**
 * A device with shared virtual addressing: it has no page table of its own and walks that of the process, through an
 * IOMMU, with a TLB in front of it. What it must be told of is only what its TLB remembers.
 *
 * Models: iommu_sva_bind_device() and what IOMMU drivers register for it (drivers/iommu/arm/arm-smmu-v3/
 * arm-smmu-v3-sva.c, drivers/iommu/intel/svm.c, 6.12). Leaves out: unbinding while the process lives, PASIDs.
 */
import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import type { Iommu } from '../../../server/abi/iommu.ts';
import type { Task } from '../../../server/task/task.ts';
import { nextPage, type PageIndex, type PageRange } from '../../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { type PageContents, pageOfU64, readU64 } from '../../../server/vocabulary/page-contents.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';

export const sva: DriverVariant = {
  id: 'sva',
  provenance: 'the structure of drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-sva.c (Linux 6.12)',
  summary: 'walks the page table of the process itself, and remembers what it finds',
  notifiers: 'classic',
  newDevice,
};

function newDevice({ api, bindIommu }: DriverOptions): LabDevice {
  const iommu = bindIommu?.() ?? 'none';
  const callbacks: DeviceDriver = {
    mmuNotifier: {
      invalidateSecondaryTlbs: (range) => forget(iommu, range),
    },
    release: () => detach(iommu),
    invalidate: () => neverAsked('done'),
    migrateToRam: () => neverAsked(fail('EINVAL')),
    pageFree: () => neverAsked(undefined),
  };
  return {
    callbacks,
    *open() {
      const registered = yield* api.mmuNotifierRegister();
      return registered.ok ? OK : registered;
    },
    *perform(verb) {
      return iommu === 'none' ? { errno: 'ENODEV' } : yield* perform(iommu, verb);
    },
  };
}

function* forget(iommu: Iommu | 'none', range: PageRange): Task<void> {
  if (iommu !== 'none') yield* iommu.invalidate(range);
}

/** arm_smmu_mm_release(): what is still under way is refused from here on. */
function* detach(iommu: Iommu | 'none'): Task<void> {
  if (iommu !== 'none') yield* iommu.detach();
}

// No yield: the signature of the seam.
function* neverAsked<T>(answer: T): Task<T> {
  return answer;
}

function* perform(iommu: Iommu, verb: DmirrorVerb): Task<DmirrorResult> {
  switch (verb.verb) {
    case 'read':
      return yield* eachRead(verb.range, (page) => iommu.read(page));
    case 'read-mapped':
      return yield* eachRead(verb.range, (page) => iommu.readTranslated(page));
    case 'write': {
      const { range, values } = verb;
      return yield* eachDone(range, (page) =>
        iommu.write(page, pageOfU64(BigInt(values[page - range.first] ?? 0))),
      );
    }
    case 'fault-read':
      return yield* eachDone(verb.range, (page) => iommu.translate(page, 'read'));
    case 'fault-write':
      return yield* eachDone(verb.range, (page) => iommu.translate(page, 'write'));
    default:
      return { errno: 'EINVAL' };
  }
}

function* eachRead(
  { first, end }: PageRange,
  read: (page: PageIndex) => Task<Result<PageContents>>,
): Task<DmirrorResult> {
  const values: string[] = [];
  for (let page = first; page < end; page = nextPage(page)) {
    const found = yield* read(page);
    if (!found.ok) return { errno: found.errno };
    values.push(`0x${readU64(found.value, 0).toString(16)}`);
  }
  return { errno: 'OK', values, cpages: values.length };
}

function* eachDone(
  { first, end }: PageRange,
  one: (page: PageIndex) => Task<Result<void>>,
): Task<DmirrorResult> {
  for (let page = first; page < end; page = nextPage(page)) {
    const done = yield* one(page);
    if (!done.ok) return { errno: done.errno };
  }
  return { errno: 'OK' };
}
