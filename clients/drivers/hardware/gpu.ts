/**
 * The parts that every device after a real one has: its own page table, its own memory, and the engine that reads and
 * writes through them. What a driver does with them is in the driver's folder.
 *
 * Leaves out: a device TLB. What a zap does is done when the driver lets go of the lock that keeps the engine out: the
 * flush has been waited for.
 */
import type {
  DeviceApi,
  DmaTarget,
  HmmRangeRequest,
  PeerMemory,
  PgmapOwner,
} from '../../../server/abi/device-api.ts';
import {
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../../server/abi/hmm-pfn.ts';
import { enterLoop, loopAgain, type TaskContext } from '../../../server/task/context.ts';
import type { ObjectId } from '../../../server/task/object-id.ts';
import { type Task, willRead, willWrite } from '../../../server/task/task.ts';
import { nextPage, type PageIndex, type PageRange } from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { PageContents } from '../../../server/vocabulary/page-contents.ts';
import type { DriverOptions } from '../interface/driver-variant.ts';
import {
  type DeviceMemory,
  deviceFrameObject,
  newDeviceMemory,
  ownsFrame,
  peerMemoryOf,
  readDeviceFrame,
  writeDeviceFrame,
} from './device-memory.ts';
import {
  type DevicePageTable,
  dropEntry,
  entryAt,
  entryObject,
  type MappedEntry,
  newDevicePageTable,
  setEntry,
} from './device-page-table.ts';

export type Access = 'read' | 'write';

export interface Gpu {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  /** Frames of a chunk of private memory. */
  readonly memoryPages: number;
  /** Collisions in a row after which a fault is given up: the time budget of the real driver. */
  readonly retriesMax: number;
  /** That the memory shares with other devices' (an interconnect). */
  readonly pgmapOwner: PgmapOwner | undefined;
  readonly pageTable: DevicePageTable;
  readonly memory: DeviceMemory;
  /**
   * Where `pageTable` is what the device may reach by DMA: whether a page table of its own, which stands before that,
   * lets the engine through. Absent: there is but one table.
   */
  readonly translates?: (page: PageIndex, access: Access) => boolean;
}

export function newGpu(options: DriverOptions): Gpu {
  const { api, context, deviceNumber, memoryPages, retriesMax, pgmapOwner } = options;
  return {
    api,
    context,
    memoryPages,
    retriesMax,
    pgmapOwner,
    pageTable: newDevicePageTable(deviceNumber, api, context),
    memory: newDeviceMemory(deviceNumber, context),
  };
}

/** What peers reach of the device, if it has any. */
export function gpuPeerMemory({ pgmapOwner, memory }: Gpu): PeerMemory | undefined {
  return pgmapOwner === undefined ? undefined : peerMemoryOf(memory);
}

/** What a driver does for its engine. */
export interface EngineSupport {
  /** Runs `body` while no entry is dropped: a zap waits for accesses under way. */
  readonly running: <T>(body: () => Task<Result<T>>) => Task<Result<T>>;
  /** Serves the page fault that the engine has raised. */
  readonly fault: (page: PageIndex, access: Access) => Task<Result<void>>;
}

export interface EngineRead {
  readonly values: readonly PageContents[];
  readonly faults: number;
}

/** Reads the pages one after the other. Returns: the errno of a fault; EBUSY after `retriesMax` faults in a row. */
export function* engineRead(
  gpu: Gpu,
  support: EngineSupport,
  range: PageRange,
): Task<Result<EngineRead>> {
  const values: PageContents[] = [];
  let faults = 0;
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const done = yield* faulting(gpu, support, page, 'read', () => readPage(gpu, page));
    if (!done.ok) return done;
    values.push(done.value.contents);
    faults += done.value.faults;
  }
  return ok({ values, faults });
}

/** Writes whole pages, one after the other: `contents` has one a page. Returns: as engineRead(); how many faults. */
export function* engineWrite(
  gpu: Gpu,
  support: EngineSupport,
  range: PageRange,
  contents: readonly PageContents[],
): Task<Result<number>> {
  let faults = 0;
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const value = contents[page - range.first];
    if (value === undefined) return fail('EFAULT');
    const done = yield* faulting(gpu, support, page, 'write', () => writePage(gpu, page, value));
    if (!done.ok) return done;
    faults += done.value.faults;
  }
  return ok(faults);
}

/** Drops the entries of `pages`. Holds: the lock that keeps the engine out. */
export function* zap(gpu: Gpu, at: string, pages: readonly PageIndex[]): Task<void> {
  for (const page of pages) {
    yield willWrite(at, entryObject(gpu.pageTable, page));
    dropEntry(gpu.pageTable, page);
  }
}

function* faulting(
  gpu: Gpu,
  support: EngineSupport,
  page: PageIndex,
  access: Access,
  run: () => Task<Result<PageContents | 'fault'>>,
): Task<Result<{ readonly contents: PageContents; readonly faults: number }>> {
  for (let faults = 0; ; faults += 1) {
    const done = yield* support.running(run);
    if (!done.ok) return done;
    if (done.value !== 'fault') return ok({ contents: done.value, faults });
    if (faults > gpu.retriesMax) return fail('EBUSY');
    const served = yield* support.fault(page, access);
    if (!served.ok) return served;
  }
}

/** Reads through the page table without faulting. Holds: the lock under which entries are dropped. */
export function* readPage(gpu: Gpu, page: PageIndex): Task<Result<PageContents | 'fault'>> {
  const entry = yield* walk(gpu, page, 'read');
  if (entry === 'none') return ok('fault');
  if (!ownsFrame(gpu.memory, entry.pfn)) {
    const read = yield* gpu.api.dmaRead([targetOf(page, entry)]);
    return read.ok ? ok(read.value[0] as PageContents) : read;
  }
  yield willRead('engine.load', deviceFrameObject(gpu.memory, entry.pfn));
  const contents = readDeviceFrame(gpu.memory, entry.pfn);
  gpu.api.privateMemoryAccessed(page, entry.pfn, 'read', contents);
  return ok(contents);
}

/** As readPage(); an entry that does not allow the write faults, too. */
export function* writePage(
  gpu: Gpu,
  page: PageIndex,
  contents: PageContents,
): Task<Result<PageContents | 'fault'>> {
  const entry = yield* walk(gpu, page, 'write');
  if (entry === 'none' || entry.access === 'read') return ok('fault');
  if (!ownsFrame(gpu.memory, entry.pfn)) {
    const written = yield* gpu.api.dmaWrite([targetOf(page, entry)], [contents]);
    return written.ok ? ok(contents) : written;
  }
  yield willWrite('engine.store', deviceFrameObject(gpu.memory, entry.pfn));
  writeDeviceFrame(gpu.memory, entry.pfn, contents);
  gpu.api.privateMemoryAccessed(page, entry.pfn, 'write', contents);
  return ok(contents);
}

function* walk(gpu: Gpu, page: PageIndex, access: Access): Task<MappedEntry | 'none'> {
  yield willRead('engine.walk', entryObject(gpu.pageTable, page));
  const entry = entryAt(gpu.pageTable, page);
  const through = gpu.translates?.(page, access) ?? true;
  return entry.state === 'none' || !through ? 'none' : entry;
}

function targetOf(page: PageIndex, { pfn }: MappedEntry): DmaTarget {
  return { page, pfn };
}

/** One try to enter what was found. */
export type Attempt = Result<'entered' | 'collided'>;

/**
 * Tries `attempt` until it does not collide. `loop` names the loop for an explorer: a round leaves the task with
 * nothing but the wish to try again. Returns: EBUSY once the budget is used up.
 */
export function* withinBudget(
  { context, retriesMax }: Gpu,
  loop: ObjectId,
  attempt: () => Task<Attempt>,
): Task<Result<void>> {
  // Without a limit no round knows how many there were before.
  if (retriesMax === Number.POSITIVE_INFINITY) enterLoop(context, loop);
  for (let tries = 0; tries <= retriesMax; tries += 1) {
    if (tries > 0) loopAgain(context, loop);
    const tried = yield* attempt();
    if (!tried.ok) return tried;
    if (tried.value === 'entered') return OK;
  }
  return fail('EBUSY');
}

/** Runs `body` with mmap_lock of the mirrored mm held for read. */
export function* underMmapLock<T>({ api }: Gpu, body: () => Task<T>): Task<T> {
  yield* api.mmapReadLock();
  const result = yield* body();
  yield* api.mmapReadUnlock();
  return result;
}

/**
 * hmm_range_fault() under mmap_lock. Returns: 'collided' for EBUSY, and the other errnos as they are.
 */
export function* rangeFault(
  gpu: Gpu,
  request: HmmRangeRequest,
): Task<Result<readonly HmmPfn[] | 'collided'>> {
  const walked: Result<readonly HmmPfn[]> = yield* underMmapLock(gpu, () =>
    gpu.api.hmmRangeFault(request),
  );
  return !walked.ok && walked.errno === 'EBUSY' ? ok('collided') : walked;
}

/**
 * Enters one page that hmm_range_fault() has given. Holds: the driver's lock, behind a check that nothing collided.
 * Returns: EFAULT for a page that does not allow `access`: the fault is cancelled.
 */
export function* enterFaulted(
  gpu: Gpu,
  at: string,
  page: PageIndex,
  pfn: HmmPfn,
  access: Access,
): Task<Attempt> {
  const allowed = hmmPfnHas(pfn, HMM_PFN_WRITE) ? 'write' : 'read';
  if (!hmmPfnHas(pfn, HMM_PFN_VALID) || (access === 'write' && allowed === 'read')) {
    return fail('EFAULT');
  }
  yield willWrite(at, entryObject(gpu.pageTable, page));
  setEntry(gpu.pageTable, page, { state: 'mapped', pfn: hmmPfnToPfn(pfn), access: allowed });
  return ok('entered');
}
