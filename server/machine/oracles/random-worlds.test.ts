/**
 * Random programs of threads and devices under random schedules: on the stock kernel no oracle says a word and
 * nothing is left behind; of each mutant some oracle hears. The devices keep to the contract (the reference driver
 * does not, in all things).
 *
 * Leaves out: MADV_FREE, because a device has no way to say that it has dirtied a page which may be discarded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuApi } from '../../abi/cpu-api.ts';
import { type Chance, newChance, oneSchedule } from '../../kernel/every-schedule.fixture.ts';
import { readPinned, writePinned } from '../../kernel/hmm/pinned-io.ts';
import type { KernelConfig, KernelFunctions } from '../../kernel/kernel.ts';
import type { KernelDeviceWorld } from '../../kernel/kernel-world.fixture.ts';
import { framesInUse } from '../../kernel/memory/frames.ts';
import { onlyCached } from '../../kernel/memory/swap-cache.ts';
import {
  moveToDeviceLocked,
  moveToSystem,
  type PlainDevice,
  plainDevice,
} from '../../kernel/plain-device.fixture.ts';
import {
  mirrorRead,
  mirrorWrite,
  type PlainMirror,
  plainMirror,
} from '../../kernel/plain-mirror.fixture.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, type PageRange, pageCount, pagesFrom } from '../../vocabulary/address.ts';
import {
  assertHealthy,
  at,
  brokenRules,
  cpu,
  left,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
} from '../opened-world.fixture.ts';
import { deviceOf, threadOf, type World, waitingFor } from '../world.ts';

/** The pages that all fight for. */
const HOT_PAGES = 4;
/** Where a thread takes pages to and has them back from. */
const AWAY = at(40);
const CALLS = 4;
const DEVICE_PAGES = 8;

interface RandomWorld {
  readonly opened: OpenedWorld;
  readonly migrators: readonly PlainDevice[];
  readonly chance: Chance;
}

type Overrides = (stock: KernelFunctions) => Partial<KernelFunctions>;

function randomWorld(
  seed: number,
  overrides: Overrides,
  more: Partial<KernelConfig> = {},
): RandomWorld {
  const chance = newChance(seed);
  const config = { swapSlots: 8, ...more };
  const opened = openedWorld({ drivers: [], overrides, config, contract: 'watched' });
  const world: KernelDeviceWorld = {
    ...opened.world,
    connect: (owner, driver) => deviceOf(opened.world, owner, () => driver),
  };
  const migrators = [plainDevice(world, 'gpu0'), plainDevice(world, 'gpu1')];
  const mirrors = [plainMirror(world, 'gpu2'), plainMirror(world, 'gpu3')];
  const { scheduler } = world;
  scheduler.spawn('cpu0', 'program', thread(opened, 'cpu0', chance));
  scheduler.spawn('cpu1', 'program', thread(opened, 'cpu1', chance));
  for (const device of migrators)
    scheduler.spawn(device.api.owner, 'program', migrate(device, chance));
  for (const mirror of mirrors) {
    scheduler.spawn(mirror.api.owner, 'program', access(opened, mirror, chance));
  }
  return { opened, migrators, chance };
}

function* thread(opened: OpenedWorld, name: string, chance: Chance): Task<void> {
  const own = cpu(opened, name);
  for (let call = 0; call < CALLS; call += 1) {
    const range = anyRange(chance);
    const address = addressOf(at(chance(HOT_PAGES)));
    const value = BigInt(1 + chance(1_000_000));
    switch (chance(10)) {
      case 0:
        yield* own.madvise(range, 'DONTNEED');
        break;
      case 1:
        yield* own.madvise(range, 'PAGEOUT');
        break;
      case 2:
        yield* own.mprotect(range, chance(2) === 0 ? 'r' : 'rw');
        break;
      case 3:
        if (chance(3) === 0) {
          yield* own.mremap(range, AWAY);
          yield* own.mremap(pagesFrom(AWAY, pageCount(range)), range.first);
          break;
        }
        yield* own.munmap(range);
        yield* own.mmap({ range, prot: 'rw', kind: 'anon-private' });
        break;
      case 4:
        yield* doPinnedIo(opened.world, own, name, range, chance);
        break;
      case 5:
        yield* forkOnce(opened, name, chance);
        break;
      case 6:
      case 7:
        yield* own.load(address);
        break;
      default:
        yield* own.store(address, value);
    }
  }
}

function* doPinnedIo(
  world: World,
  own: CpuApi,
  name: string,
  range: PageRange,
  chance: Chance,
): Task<void> {
  if (!(yield* own.pin(1, range, chance(2) === 0 ? 'longterm' : 'get')).ok) return;
  const at = { id: 1, page: 0 };
  yield* writePinned(world.kernel, threadOf(world, name), at, BigInt(1 + chance(1_000_000)));
  yield* readPinned(world.kernel, threadOf(world, name), at);
  yield* own.unpin(1);
}

/** A child that reads and writes, in the task of its parent. */
function* forkOnce(opened: OpenedWorld, name: string, chance: Chance): Task<void> {
  const child = `${name} child`;
  if (opened.world.cpus.has(child) || !(yield* cpu(opened, name).fork(child)).ok) return;
  const address = addressOf(at(chance(HOT_PAGES)));
  yield* cpu(opened, child).load(address);
  yield* cpu(opened, child).store(address, BigInt(1 + chance(1_000_000)));
}

function* migrate(device: PlainDevice, chance: Chance): Task<void> {
  const { api } = device;
  for (let call = 0; call < CALLS; call += 1) {
    const range = pages(chance(HOT_PAGES));
    yield* api.mmapReadLock();
    const vma = yield* api.findVma(range.first);
    if (vma.ok && vma.value.range.first <= range.first) {
      if (chance(3) === 0) yield* moveToSystem(device, 0, range, 'none');
      else yield* moveToDeviceLocked(device, range);
    }
    yield* api.mmapReadUnlock();
  }
}

function* access({ world }: OpenedWorld, mirror: PlainMirror, chance: Chance): Task<void> {
  const { api } = mirror;
  for (let call = 0; call < CALLS; call += 1) {
    const page = at(chance(HOT_PAGES));
    const value = BigInt(1 + chance(1_000_000));
    const kind = chance(5);
    if (kind < 2) yield* mirrorRead(world, mirror, page);
    else if (kind < 4) yield* mirrorWrite(world, mirror, page, value);
    else {
      yield* api.mmapReadLock();
      const made = yield* api.makeDeviceExclusiveRange({ first: page, end: at(page - at(0) + 1) });
      const frames = made.ok ? made.value.filter((frame) => frame !== 'none') : [];
      yield* api.unlockAndPutPages(frames);
      yield* api.mmapReadUnlock();
    }
  }
}

function anyRange(chance: Chance): PageRange {
  const first = chance(HOT_PAGES);
  return pages(first, 1 + chance(HOT_PAGES - first));
}

/** Everything is given back when all processes have ended. */
function assertNothingRemains({ opened, migrators }: RandomWorld): void {
  const { world } = opened;
  for (const [name, { mm }] of [...world.cpus]) {
    if (mm.alive) runAlone(world, name, cpu(opened, name).exit());
  }
  assertHealthy(opened);
  const { frames, swap } = world.kernel;
  const held = framesInUse(frames).filter((pfn) => !onlyCached(world.kernel, pfn));
  assert.deepEqual(held, []);
  for (const slot of swap.slots.values()) assert.ok(slot.uses === 0 && slot.cached !== 'none');
  for (const { free } of migrators) assert.equal(free.length, DEVICE_PAGES);
}

test('[OR1] [OR2] [OR3] [OR4] [OR5] [OR6] in 200 random worlds the stock kernel gives no cause for complaint', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const made = randomWorld(seed, () => ({}));
    const check = (stuck: readonly RunningTask[]) => {
      assertHealthy(made.opened, stuck);
      assertNothingRemains(made);
    };
    oneSchedule({ scheduler: made.opened.world.scheduler, check }, made.chance);
  }
});

/** A block is all that is fought for, a part of it, or two halves of it and others. */
for (const ptrsPerPte of [2, 4, 8]) {
  test(`[OR1] [OR2] [OR3] [OR4] [OR5] [PT2] nor in 200 with huge pages of ${ptrsPerPte} small ones`, () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const made = randomWorld(seed, () => ({}), { thp: 'always', ptrsPerPte });
      const check = (stuck: readonly RunningTask[]) => {
        assertHealthy(made.opened, stuck);
        assertNothingRemains(made);
      };
      oneSchedule({ scheduler: made.opened.world.scheduler, check }, made.chance);
    }
  });
}

/** What is noticed of a mutant in random worlds: rules, 'OR5' for a task that waits for ever, or a broken rule. */
function noticed(overrides: Overrides, worlds: number): Set<string> {
  const rules = new Set<string>();
  for (let seed = 1; seed <= worlds; seed += 1) {
    const { opened, chance } = randomWorld(seed, overrides);
    const check = (stuck: readonly RunningTask[]) => {
      for (const rule of brokenRules(opened)) rules.add(rule);
      if (left(opened).length > 0) rules.add('OR4');
      if (stuck.map(waitingFor).length > 0) rules.add('OR5');
    };
    try {
      oneSchedule({ scheduler: opened.world.scheduler, check }, chance);
    } catch (error) {
      rules.add(/\[([A-Z]{2}\d)\]/.exec(String(error))?.[1] ?? String(error));
    }
  }
  return rules;
}

const MUTANTS: { readonly [name: string]: { readonly hears: string; readonly mutant: Overrides } } =
  {
    'no TLB flush': { hears: 'OR2', mutant: () => ({ *flushTlbRange() {} }) },
    'a copy on write that tells nobody': {
      hears: 'OR1',
      mutant: (stock) => ({
        *wpPageCopy(k, request, seen) {
          const silent = {
            ...k.fn,
            *mmuNotifierInvalidateRangeStart() {
              return { ok: false, errno: 'EAGAIN' } as const;
            },
          };
          return yield* stock.wpPageCopy({ ...k, fn: silent }, request, seen);
        },
      }),
    },
    'a migration that is not undone': {
      hears: 'OR4',
      mutant: () => ({ *removeMigrationPtes() {} }),
    },
    'an end of an invalidation that is forgotten': {
      hears: 'OR5',
      mutant: () => ({ *mmuNotifierInvalidateRangeEnd() {} }),
    },
  };

for (const [name, { hears, mutant }] of Object.entries(MUTANTS)) {
  test(`${name}: ${hears} hears of it in 30 random worlds`, () => {
    const rules = noticed(mutant, 30);
    assert.ok(rules.has(hears), [...rules].join());
  });
}
