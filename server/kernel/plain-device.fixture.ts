/**
 * A device with private memory and the shortest possible driver: what the kernel's tests of migration share. It
 * mirrors nothing; its contents live in a map. Named like a test to stay out of the package and of the model hash.
 */
import assert from 'node:assert/strict';
import type { DeviceApi, MigrateVma, NotifierRange } from '../abi/device-api.ts';
import { mmuIntervalSetSeq } from '../abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_WRITE,
  type MigratePfn,
  migratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../abi/migrate-pfn.ts';
import type { Task } from '../task/task.ts';
import { type PageRange, type Pfn, pageIndex, pagesFrom } from '../vocabulary/address.ts';
import { OK } from '../vocabulary/errno.ts';
import { type PageContents, ZERO_CONTENTS } from '../vocabulary/page-contents.ts';
import { deviceApi, type KernelDeviceWorld, run } from './kernel-world.fixture.ts';

export interface PlainDevice {
  readonly api: DeviceApi;
  readonly first: Pfn;
  readonly free: Pfn[];
  readonly contents: Map<Pfn, PageContents>;
  /** What it was told, whole address space. */
  readonly told: NotifierRange[];
  /** Pages that CPU faults asked it to bring back. */
  readonly faults: Pfn[];
}

export function plainDevice(world: KernelDeviceWorld, owner: string, pages = 8): PlainDevice {
  const told: NotifierRange[] = [];
  const faults: Pfn[] = [];
  const contents = new Map<Pfn, PageContents>();
  const free: Pfn[] = [];
  const api = deviceApi(world, owner, {
    *invalidate(sub, range, seq) {
      told.push(range);
      mmuIntervalSetSeq(sub, seq);
      return 'done';
    },
    *migrateToRam({ mm, page, pfn }) {
      faults.push(pfn);
      yield* moveToSystem(device, mm, pagesFrom(page, 1), pfn);
      return OK;
    },
    *pageFree(pfn) {
      contents.delete(pfn);
      free.push(pfn);
    },
  });
  const memory = run(world, api.memremapPages(pages), owner);
  assert.ok(memory.ok);
  for (let at = pages - 1; at >= 0; at -= 1) free.push((memory.value + at) as Pfn);
  const device: PlainDevice = { api, first: memory.value, free, contents, told, faults };
  return device;
}

/** mmu_interval_notifier_insert() for the whole address space. */
export function mirrorAll(world: KernelDeviceWorld, device: PlainDevice): void {
  const all = pagesFrom(pageIndex(0), 2 ** 35);
  assert.ok(run(world, device.api.mmuIntervalNotifierInsert(all), device.api.owner).ok);
}

export function* setUp(
  device: PlainDevice,
  range: PageRange,
  select: 'system' | 'device-private' = 'system',
  faultPage: Pfn | 'none' = 'none',
): Task<MigrateVma> {
  const { api } = device;
  const made = yield* api.migrateVmaSetup({ mm: api.mm, range, select, faultPage });
  return made.ok ? made.value : assert.fail(made.errno);
}

/** A private frame with a copy for each source that may migrate; as many as there is room for. */
export function* allocAndCopy(device: PlainDevice, { src }: MigrateVma): Task<MigratePfn[]> {
  const dst: MigratePfn[] = [];
  for (const entry of src) {
    const frame = migratePfnHas(entry, MIGRATE_PFN_MIGRATE) ? device.free.pop() : undefined;
    if (frame === undefined) {
      dst.push(MIGRATE_PFN_NONE);
      continue;
    }
    device.contents.set(frame, yield* copyOf(device, migratePfnToPfn(entry)));
    device.api.zoneDevicePageInit(frame);
    dst.push(migratePfn(frame, MIGRATE_PFN_WRITE));
  }
  return dst;
}

/** What a system frame holds, by DMA; zeros where there is no page yet. */
function* copyOf(device: PlainDevice, from: Pfn | 'none'): Task<PageContents> {
  if (from === 'none') return ZERO_CONTENTS;
  const read = yield* device.api.dmaRead([{ page: pageIndex(0), pfn: from }]);
  return read.ok ? (read.value[0] ?? ZERO_CONTENTS) : assert.fail(read.errno);
}

/** The whole sequence under mmap_lock. Returns the sources after migrate_vma_pages(). */
export function* moveToDevice(device: PlainDevice, range: PageRange): Task<readonly MigratePfn[]> {
  yield* device.api.mmapReadLock();
  const src = yield* moveToDeviceLocked(device, range);
  yield* device.api.mmapReadUnlock();
  return src;
}

/** Holds: mmap_lock for read. */
export function* moveToDeviceLocked(
  device: PlainDevice,
  range: PageRange,
): Task<readonly MigratePfn[]> {
  const migrate = yield* setUp(device, range);
  const dst = yield* allocAndCopy(device, migrate);
  const src = yield* device.api.migrateVmaPages(migrate, dst);
  yield* device.api.migrateVmaFinalize(migrate);
  return src;
}

/** Brings private pages of the device home. Holds: mmap_lock of `mm`, by the caller. */
export function* moveToSystem(
  device: PlainDevice,
  mm: number,
  range: PageRange,
  faultPage: Pfn | 'none',
): Task<number> {
  const { api } = device;
  const made = yield* api.migrateVmaSetup({ mm, range, select: 'device-private', faultPage });
  assert.ok(made.ok);
  const dst: MigratePfn[] = [];
  for (const entry of made.value.src) {
    const from = migratePfnToPfn(entry);
    if (from === 'none') {
      dst.push(MIGRATE_PFN_NONE);
      continue;
    }
    const frames = yield* api.allocPages(1);
    const to = frames.ok ? (frames.value[0] as Pfn) : assert.fail(frames.errno);
    const copy = device.contents.get(from) ?? ZERO_CONTENTS;
    assert.ok((yield* api.dmaWrite([{ page: pageIndex(0), pfn: to }], [copy])).ok);
    dst.push(migratePfn(to, MIGRATE_PFN_WRITE));
  }
  const src = yield* api.migrateVmaPages(made.value, dst);
  yield* api.migrateVmaFinalize(made.value);
  return src.filter((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE)).length;
}

/** `MIGRATE|VALID|WRITE` and the like, one word a page. */
export function flagsOf(src: readonly MigratePfn[]): string[] {
  return src.map((entry) => {
    const valid = migratePfnToPfn(entry) === 'none' ? [] : ['VALID'];
    const migrate = migratePfnHas(entry, MIGRATE_PFN_MIGRATE) ? ['MIGRATE'] : [];
    const write = migratePfnHas(entry, MIGRATE_PFN_WRITE) ? ['WRITE'] : [];
    return [...migrate, ...valid, ...write].join('|') || 'none';
  });
}
