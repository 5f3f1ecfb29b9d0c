/**
 * A watched world with one device whose driver says what a test tells it to: each rule of the contract is kept by one
 * script and broken by a mutant of it. Named like a test to stay out of the package and of the model hash.
 */
import assert from 'node:assert/strict';
import {
  type DeviceApi,
  type DeviceDriver,
  type DeviceFault,
  type IntervalSub,
  MIRROR_NONE,
  type MigrateVma,
  type MirrorEntry,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../abi/device-api.ts';
import type { Event } from '../../../abi/event.ts';
import {
  HMM_PFN_NONE,
  HMM_PFN_WRITE,
  type HmmPfn,
  hmmPfnHas,
  hmmPfnToPfn,
} from '../../../abi/hmm-pfn.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_WRITE,
  type MigratePfn,
  migratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../../abi/migrate-pfn.ts';
import { type Held, type Lock, lock, newLock, tryLock, unlock } from '../../../task/lock.ts';
import { objectId } from '../../../task/object-id.ts';
import type { Task } from '../../../task/task.ts';
import {
  contains,
  PAGES_MAX,
  type PageIndex,
  type Pfn,
  pageIndex,
  pagesFrom,
} from '../../../vocabulary/address.ts';
import { OK, type Result } from '../../../vocabulary/errno.ts';
import { CONTRACT_ORACLE } from '../../../vocabulary/rules.ts';
import type { Seq } from '../../../vocabulary/seq.ts';
import { at, type OpenedWorld, openedWorld, pages, runAlone } from '../../opened-world.fixture.ts';
import { deviceOf } from '../../world.ts';

/** Private frames of each device. */
const CHUNK_PAGES = 4;

export interface ContractBench {
  readonly opened: OpenedWorld;
  readonly api: DeviceApi;
  readonly lock: Lock<'driver_lock'>;
  readonly entries: Map<PageIndex, MirrorEntry>;
  /** What the kernel calls; a test puts its own in their place. */
  readonly driver: { -readonly [Name in keyof DeviceDriver]: DeviceDriver[Name] };
  readonly private: Pfn[];
  sub: IntervalSub;
}

/** A bench whose device keeps the contract, subscribed to everything. */
export function newBench(
  name = 'gpu0',
  opened = openedWorld({ drivers: [], contract: 'watched' }),
) {
  const { world } = opened;
  const number = world.oracles.mirrors.numbers.size;
  const api = deviceOf(world, name, () => driver);
  const driver: ContractBench['driver'] = {
    invalidate: (sub, range, seq) => drop(bench, sub, range, seq),
    migrateToRam: (fault) => bringBack(bench, fault),
    *pageFree(pfn) {
      bench.private.push(pfn);
    },
    *release() {
      for (const page of [...bench.entries.keys()]) enter(bench, page, MIRROR_NONE);
    },
  };
  const bench: ContractBench = {
    opened,
    api,
    lock: newLock('driver_lock', objectId('driver_lock', number, 0)),
    entries: new Map(),
    driver,
    private: [],
    sub: undefined as unknown as IntervalSub,
  };
  const memory = runAlone(world, name, api.memremapPages(CHUNK_PAGES));
  assert.ok(memory.ok);
  for (let left = CHUNK_PAGES; left > 0; left -= 1)
    bench.private.push((memory.value + left - 1) as Pfn);
  const made = runAlone(
    world,
    name,
    api.mmuIntervalNotifierInsert(pagesFrom(pageIndex(0), PAGES_MAX)),
  );
  assert.ok(made.ok);
  bench.sub = made.value;
  return bench;
}

export function runOn<T>(bench: ContractBench, task: Task<T>): T {
  return runAlone(bench.opened.world, bench.api.owner, task);
}

/** What the contract found, as `[CR14] gpu0 mapped ...`. */
export function breachesOf(bench: ContractBench): string[] {
  return violationsOf(bench).map(({ rule, text }) => `[${rule}] ${text}`);
}

export function violationsOf({ opened }: ContractBench): Extract<Event, { kind: 'violation' }>[] {
  return opened.world.oracles.violations.filter(({ oracle }) => oracle === CONTRACT_ORACLE);
}

export function rulesOf(bench: ContractBench): string[] {
  return [...new Set(violationsOf(bench).map(({ rule }) => rule))];
}

export function enter(bench: ContractBench, page: PageIndex, entry: MirrorEntry): void {
  if (entry.state === 'none') bench.entries.delete(page);
  else bench.entries.set(page, entry);
  bench.api.mirrorChanged(page, entry);
}

export function* locked<T>(bench: ContractBench, body: () => Task<T>): Task<T> {
  const held = yield* lock(bench.opened.world.context, 'bench.lock', bench.lock);
  const value = yield* body();
  unlock(bench.opened.world.context, held);
  return value;
}

/** The invalidate callback of a driver that keeps the contract. */
export function* drop(
  bench: ContractBench,
  sub: IntervalSub,
  { range, blocking }: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  const { context } = bench.opened.world;
  const held: Held<'driver_lock'> | 'busy' =
    blocking === 'blockable'
      ? yield* lock(context, 'bench.invalidate', bench.lock)
      : tryLock(context, bench.lock);
  if (held === 'busy') return 'again';
  mmuIntervalSetSeq(sub, seq);
  for (const page of [...bench.entries.keys()]) {
    if (contains(range, page)) enter(bench, page, MIRROR_NONE);
  }
  unlock(context, held);
  return 'done';
}

export interface Seen {
  readonly begun: Seq;
  readonly entry: HmmPfn;
}

/** Looks one page up, as a fault does. */
export function* look(
  bench: ContractBench,
  page: PageIndex,
  want: 'fault' | 'fault-write' | 'snapshot' = 'fault',
): Task<Seen> {
  const { api, sub } = bench;
  const begun = yield* api.mmuIntervalReadBegin(sub);
  yield* api.mmapReadLock();
  const walked = yield* api.hmmRangeFault({
    sub,
    notifierSeq: begun,
    range: pagesFrom(page, 1),
    defaultFlags: want,
  });
  yield* api.mmapReadUnlock();
  return { begun, entry: walked.ok ? (walked.value[0] ?? HMM_PFN_NONE) : HMM_PFN_NONE };
}

export function mappedAs(entry: HmmPfn): MirrorEntry {
  const access = hmmPfnHas(entry, HMM_PFN_WRITE) ? 'write' : 'read';
  return { state: 'mapped', pfn: hmmPfnToPfn(entry), access };
}

/** Enters what was seen, unless it was invalidated since. */
export function* install(
  bench: ContractBench,
  page: PageIndex,
  { begun, entry }: Seen,
): Task<void> {
  yield* locked(bench, function* () {
    if (!mmuIntervalReadRetry(bench.sub, begun)) enter(bench, page, mappedAs(entry));
  });
}

export function* fault(
  bench: ContractBench,
  page: PageIndex,
  want: 'fault' | 'fault-write' = 'fault',
): Task<void> {
  yield* install(bench, page, yield* look(bench, page, want));
}

/** Sets the migration of page 0 to the device up. Holds: mmap_lock. */
export function* setUpContractDevice(
  bench: ContractBench,
  page: PageIndex = at(0),
): Task<MigrateVma> {
  const { api } = bench;
  const range = pagesFrom(page, 1);
  const made = yield* api.migrateVmaSetup({
    mm: api.mm,
    range,
    select: 'system',
    faultPage: 'none',
  });
  assert.ok(made.ok);
  return made.value;
}

/** A private frame for each source that may move, copied. */
export function* destinations(bench: ContractBench, { src }: MigrateVma): Task<MigratePfn[]> {
  const dst: MigratePfn[] = [];
  for (const [index, entry] of src.entries()) {
    const frame = migratePfnHas(entry, MIGRATE_PFN_MIGRATE) ? bench.private.pop() : undefined;
    if (frame === undefined) {
      dst.push(MIGRATE_PFN_NONE);
      continue;
    }
    const source = migratePfnToPfn(entry);
    if (source !== 'none') yield* bench.api.dmaRead([{ page: at(index), pfn: source }]);
    bench.api.zoneDevicePageInit(frame);
    dst.push(migratePfn(frame, MIGRATE_PFN_WRITE));
  }
  return dst;
}

/** Enters what moved. */
export function* enterMoved(
  bench: ContractBench,
  page: PageIndex,
  src: readonly MigratePfn[],
  dst: readonly MigratePfn[],
): Task<void> {
  yield* locked(bench, function* () {
    for (const [index, entry] of dst.entries()) {
      const pfn = migratePfnToPfn(entry);
      if (pfn === 'none' || !migratePfnHas(src[index] ?? MIGRATE_PFN_NONE, MIGRATE_PFN_MIGRATE))
        continue;
      enter(bench, pageIndex(page + index), { state: 'mapped', pfn, access: 'write' });
    }
  });
}

/** A whole migration of one page to the device. */
export function* migrateRange(bench: ContractBench, page: PageIndex = at(0)): Task<void> {
  const { api } = bench;
  yield* api.mmapReadLock();
  const made = yield* setUpContractDevice(bench, page);
  const dst = yield* destinations(bench, made);
  const src = yield* api.migrateVmaPages(made, dst);
  yield* enterMoved(bench, page, src, dst);
  yield* api.migrateVmaFinalize(made);
  yield* api.mmapReadUnlock();
}

/** migrate_to_ram() of a driver that keeps the contract. */
export function* bringBack(
  bench: ContractBench,
  { mm, page, pfn }: DeviceFault,
): Task<Result<void>> {
  return yield* bringBackAs(bench, { mm, page, pfn }, pfn);
}

export function* bringBackAs(
  { api }: ContractBench,
  { mm, page }: DeviceFault,
  faultPage: Pfn | 'none',
): Task<Result<void>> {
  const range = pagesFrom(page, 1);
  const made = yield* api.migrateVmaSetup({ mm, range, select: 'device-private', faultPage });
  if (!made.ok) return made;
  const frames = yield* api.allocPages(1);
  assert.ok(frames.ok);
  const [to] = frames.value;
  assert.ok(to !== undefined);
  if (migratePfnHas(made.value.src[0] ?? MIGRATE_PFN_NONE, MIGRATE_PFN_MIGRATE)) {
    yield* api.migrateVmaPages(made.value, [migratePfn(to, MIGRATE_PFN_WRITE)]);
  } else yield* api.putDevicePage(to);
  yield* api.migrateVmaFinalize(made.value);
  return OK;
}

/** Makes page 0 exclusive. */
export function* makeExclusive(
  bench: ContractBench,
  then: (frames: readonly Pfn[]) => Task<void>,
): Task<void> {
  const { api } = bench;
  yield* api.mmapReadLock();
  const made = yield* api.makeDeviceExclusiveRange(pages(0));
  assert.ok(made.ok);
  yield* then(made.value.filter((frame) => frame !== 'none'));
  yield* api.mmapReadUnlock();
}
