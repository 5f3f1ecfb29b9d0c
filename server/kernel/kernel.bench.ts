/** The kernel alone: no sockets, no event log, no oracles. */

import type { DeviceApi, DeviceDriver } from '../abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_WRITE,
  migratePfn,
  migratePfnHas,
} from '../abi/migrate-pfn.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext } from '../task/context.ts';
import type { Task } from '../task/task.ts';
import {
  against,
  type Bench,
  type Effort,
  measured,
  perSecond,
  repetitions,
} from '../tidy/benchmark.ts';
import {
  addressOf,
  type PageRange,
  type Pfn,
  pageIndex,
  pagesFrom,
} from '../vocabulary/address.ts';
import { OK, type Result } from '../vocabulary/errno.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { createCpuApi, newCpu } from './api/kernel-cpu-api.ts';
import { createDeviceApi } from './api/kernel-device-api.ts';
import { DEFAULT_CONFIG, newKernel, newProcess } from './kernel.ts';
import { STOCK } from './stock.ts';

const FIRST = pageIndex(0x100000);
const MAPPED_PAGES = 2 ** 20;
const BATCH = 1_000;

/** A device that mirrors nothing and agrees to everything. */
const IDLE: DeviceDriver = {
  *invalidate() {
    return 'done';
  },
  *migrateToRam(): Task<Result<void>> {
    return OK;
  },
  *pageFree() {},
  *release() {},
};

function newBenchWorld(pages: number) {
  const context = newTaskContext();
  const kernel = newKernel(STOCK, context, () => {}, { ...DEFAULT_CONFIG, systemPages: 2 ** 21 });
  const mm = newProcess(kernel);
  const scheduler = new Scheduler(context);
  const cpu = createCpuApi(kernel, { cpu: newCpu(kernel, 'cpu0', mm), onFork: () => {} });
  const run = <T>(task: Task<T>): T => {
    const running = scheduler.spawn('bench', 'bench', task);
    scheduler.runFirstCome(Number.MAX_SAFE_INTEGER);
    invariant(running.state === 'done', 'SC2', { waits: running.pending.at });
    return running.result as T;
  };
  const range = pagesFrom(FIRST, pages);
  run(cpu.mmap({ range, prot: 'rw', kind: 'anon-private' }));
  return { kernel, mm, cpu, run, range };
}

type BenchWorld = ReturnType<typeof newBenchWorld>;

function* storeEach({ cpu }: BenchWorld, range: PageRange): Task<void> {
  for (let page = range.first; page < range.end; page = pageIndex(page + 1)) {
    const stored = yield* cpu.store(addressOf(page), 0n);
    invariant(stored.kind === 'done', 'SC2', { page });
  }
}

/** Write faults on empty entries, each on a page of its own; the world is thrown away before it is full. */
function faultsPerSecond(ms: number): number {
  const world = newBenchWorld(MAPPED_PAGES);
  let next: number = FIRST;
  let spent = 0;
  let faults = 0;
  while (spent < ms && next + BATCH <= world.range.end) {
    const begun = performance.now();
    world.run(storeEach(world, pagesFrom(pageIndex(next), BATCH)));
    spent += performance.now() - begun;
    next += BATCH;
    faults += BATCH;
  }
  return (faults * 1_000) / spent;
}

function loadsPerSecond(ms: number): number {
  const world = newBenchWorld(1);
  world.run(storeEach(world, world.range));
  function* loads(): Task<void> {
    for (let at = 0; at < BATCH; at += 1) yield* world.cpu.load(addressOf(FIRST));
  }
  return BATCH * perSecond(ms, () => world.run(loads()));
}

/** To the device and back again: two migrations. Contents are not copied: that is the driver's. */
function* thereAndBack(device: DeviceApi, range: PageRange, frames: readonly Pfn[]): Task<void> {
  for (const select of ['system', 'device-private'] as const) {
    yield* device.mmapReadLock();
    const made = yield* device.migrateVmaSetup({ mm: 0, range, select, faultPage: 'none' });
    invariant(made.ok, 'MV1', {});
    let targets = frames;
    if (select === 'system') for (const frame of frames) device.zoneDevicePageInit(frame);
    else {
      const allocated = yield* device.allocPages(range.end - range.first);
      invariant(allocated.ok, 'MV1', {});
      targets = allocated.value;
    }
    const dst = targets.map((frame) => migratePfn(frame, MIGRATE_PFN_WRITE));
    const src = yield* device.migrateVmaPages(made.value, dst);
    const moved = src.every((entry) => migratePfnHas(entry, MIGRATE_PFN_MIGRATE));
    invariant(moved, 'MV1', { select });
    yield* device.migrateVmaFinalize(made.value);
    yield* device.mmapReadUnlock();
  }
}

function migrationsPerSecond(pages: number, ms: number): number {
  const world = newBenchWorld(pages);
  world.run(storeEach(world, world.range));
  const device = createDeviceApi(world.kernel, { owner: 'dev0', mm: world.mm, driver: () => IDLE });
  const memory = world.run(device.memremapPages(pages));
  invariant(memory.ok, 'DR1', {});
  const frames = Array.from({ length: pages }, (_, at) => (memory.value + at) as Pfn);
  return 2 * perSecond(ms, () => world.run(thereAndBack(device, world.range, frames)));
}

function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Everything that the kernel keeps for a page that is mapped and holds zeros. */
function bytesPerMappedPage(pages: number): number {
  const before = usedBytes();
  const world = newBenchWorld(pages);
  world.run(storeEach(world, world.range));
  const bytes = (usedBytes() - before) / pages;
  world.run(world.cpu.load(addressOf(FIRST)));
  return bytes;
}

/** Microseconds of a bracket around one page while `subscriptions` elsewhere do not overlap it. */
function invalidationMicros(subscriptions: number, ms: number): number {
  const world = newBenchWorld(2);
  const { kernel, mm } = world;
  const device = createDeviceApi(kernel, { owner: 'dev0', mm, driver: () => IDLE });
  function* subscribe(): Task<void> {
    for (let at = 0; at < subscriptions; at += 1) {
      yield* device.mmuIntervalNotifierInsert(pagesFrom(pageIndex(FIRST + 16 + 2 * at), 1));
    }
  }
  world.run(subscribe());
  const request = {
    event: 'clear',
    range: pagesFrom(FIRST, 1),
    owner: 'none',
    blocking: 'blockable',
  } as const;
  function* brackets(): Task<void> {
    for (let at = 0; at < BATCH; at += 1) {
      const started = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request);
      invariant(started.ok, 'MN1', {});
      yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, started.value);
    }
  }
  world.run(brackets());
  return 1e6 / (BATCH * perSecond(ms, () => world.run(brackets())));
}

function faults(effort: Effort) {
  const { count, ms } = repetitions(effort);
  return [
    measured('write faults on empty entries', '1/s', count, () => faultsPerSecond(ms)),
    measured('loads that hit the TLB', '1/s', count, () => loadsPerSecond(ms)),
  ];
}

function migrations(effort: Effort) {
  const { count, ms } = repetitions(effort);
  return [1, 512].map((pages) =>
    measured(`migrations of ${pages} pages`, '1/s', count, () => migrationsPerSecond(pages, ms)),
  );
}

function memory(effort: Effort) {
  const pages = effort === 'full' ? MAPPED_PAGES : 2 ** 14;
  // What the first world leaves behind, code and shapes, is no page.
  bytesPerMappedPage(2 ** 12);
  const bytes = measured(`per page of ${pages} mapped`, 'bytes', 1, () =>
    bytesPerMappedPage(pages),
  );
  return [{ ...bytes, atMost: 64 }];
}

function invalidations(effort: Effort) {
  const { count, ms } = repetitions(effort);
  const [none, some, many] = [0, 1_000, 100_000].map((subscriptions) =>
    measured(`beside ${subscriptions} subscriptions`, 'us', count, () =>
      invalidationMicros(subscriptions, ms / 4),
    ),
  );
  invariant(none !== undefined && some !== undefined && many !== undefined, 'SC2', {});
  const ratio = against('100000 against none', many.values, none.values);
  return [none, some, many, { ...ratio, atMost: 1.5 }];
}

export const benches: readonly Bench[] = [
  { name: 'page faults, in process', run: faults },
  { name: 'migrations, in process', run: migrations },
  { name: 'memory of a mapped page', run: memory },
  { name: 'invalidation of one page', run: invalidations },
];
