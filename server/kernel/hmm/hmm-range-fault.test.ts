import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HmmRangeRequest, HmmRequestFlags } from '../../abi/device-api.ts';
import {
  HMM_PFN_DEVICE_PRIVATE,
  HMM_PFN_ERROR,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  HMM_PFN_ZERO,
  type HmmPfn,
  hmmPfnHas,
} from '../../abi/hmm-pfn.ts';
import type { Task } from '../../task/task.ts';
import { addressOf, type PageRange, pagesFrom } from '../../vocabulary/address.ts';
import { fail, type Result } from '../../vocabulary/errno.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  type KernelWorld,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  pteAt,
  run,
  runOnly,
  runUntil,
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { ptePfn } from '../memory/pte.ts';
import { moveToDevice, plainDevice, setUp } from '../plain-device.fixture.ts';
import { mirrorRead, type PlainMirror, plainMirror } from '../plain-mirror.fixture.ts';

const RETRIES_MAX = 5;

type Flags = Pick<HmmRangeRequest, 'defaultFlags' | 'pageFlags'>;

function walk(
  world: KernelWorld,
  mirror: PlainMirror,
  range: PageRange,
  flags: HmmRequestFlags | Flags,
): Result<readonly HmmPfn[]> {
  const wanted: Flags = typeof flags === 'string' ? { defaultFlags: flags } : flags;
  const { api, sub } = mirror;
  function* locked(): Task<Result<readonly HmmPfn[]>> {
    for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
      const notifierSeq = yield* api.mmuIntervalReadBegin(sub);
      yield* api.mmapReadLock();
      const walked = yield* api.hmmRangeFault({ sub, notifierSeq, range, ...wanted });
      yield* api.mmapReadUnlock();
      // A fault that replaces a page invalidates the very range.
      if (walked.ok || walked.errno !== 'EBUSY') return walked;
    }
    return fail('EBUSY');
  }
  return run(world, locked(), api.owner);
}

const NAMES = [
  [HMM_PFN_VALID, 'VALID'],
  [HMM_PFN_WRITE, 'WRITE'],
  [HMM_PFN_ZERO, 'ZERO'],
  [HMM_PFN_DEVICE_PRIVATE, 'PRIVATE'],
  [HMM_PFN_ERROR, 'ERROR'],
] as const;

/** `VALID|WRITE` and the like, one word a page; or the errno. */
function words(walked: Result<readonly HmmPfn[]>): readonly string[] | string {
  if (!walked.ok) return walked.errno;
  return walked.value.map(
    (entry) =>
      NAMES.filter(([flag]) => hmmPfnHas(entry, flag))
        .map(([, name]) => name)
        .join('|') || 'none',
  );
}

function world4(): { world: KernelWorld; mirror: PlainMirror; range: PageRange } {
  const world = newKernelWorld();
  const range = mapped(world, 4);
  store(world, at(1), 7n);
  load(world, at(2));
  return { world, mirror: plainMirror(world, 'gpu0'), range };
}

test('a snapshot reports what is there and faults nothing', () => {
  const { world, mirror, range } = world4();
  const seen = words(walk(world, mirror, range, 'snapshot'));
  assert.deepEqual(seen, ['none', 'VALID|WRITE', 'VALID|ZERO', 'none']);
  assert.deepEqual([kindAt(world, BASE), kindAt(world, at(3))], ['none', 'none']);
});

test('a fault for reading fills holes with the zero page', () => {
  const { world, mirror, range } = world4();
  const seen = words(walk(world, mirror, range, 'fault'));
  assert.deepEqual(seen, ['VALID|ZERO', 'VALID|WRITE', 'VALID|ZERO', 'VALID|ZERO']);
});

test('a fault for writing replaces the zero page', () => {
  const { world, mirror, range } = world4();
  const seen = words(walk(world, mirror, range, 'fault-write'));
  assert.deepEqual(seen, new Array(4).fill('VALID|WRITE'));
  assert.equal(load(world, at(1)), 7n);
});

test('what is wanted of single pages adds to the default, and never takes away', () => {
  const { world, mirror, range } = world4();
  const pageFlags = ['fault', 'snapshot', 'snapshot', 'fault-write'] as const;
  const seen = words(walk(world, mirror, range, { defaultFlags: 'snapshot', pageFlags }));
  // A fault takes the rest of its block with it.
  assert.deepEqual(seen, ['VALID|ZERO', 'VALID|WRITE', 'VALID|ZERO', 'VALID|WRITE']);
  const more = { defaultFlags: 'fault-write', pageFlags: new Array(4).fill('snapshot') } as const;
  assert.deepEqual(words(walk(world, mirror, range, more)), new Array(4).fill('VALID|WRITE'));
});

test('a gap is an error entry in a snapshot, and EFAULT where a fault is wanted', () => {
  const { world, mirror } = world4();
  const beyond = pagesFrom(at(3), 2);
  assert.deepEqual(words(walk(world, mirror, beyond, 'snapshot')), ['none', 'ERROR']);
  assert.equal(words(walk(world, mirror, beyond, 'fault')), 'EFAULT');
  run(world, cpuApi(world).mprotect(pageAt(1), 'none'));
  assert.equal(words(walk(world, mirror, pageAt(1), 'fault')), 'EFAULT');
  assert.deepEqual(words(walk(world, mirror, pageAt(1), 'snapshot')), ['ERROR']);
});

test('writing to a mapping that may only be read is EPERM', () => {
  const { world, mirror, range } = world4();
  run(world, cpuApi(world).mprotect(range, 'r'));
  assert.equal(words(walk(world, mirror, range, 'fault-write')), 'EPERM');
  assert.deepEqual(words(walk(world, mirror, pageAt(1), 'fault')), ['VALID']);
  assertAtRest(world);
});

test("a device's own private page is reported whatever is asked for; another's is brought home", () => {
  const world = newKernelWorld();
  mapped(world, 1);
  store(world, BASE, 7n);
  const owner = plainDevice(world, 'gpu0');
  run(world, moveToDevice(owner, pageAt(0)));
  const [own, other] = [plainMirror(world, 'gpu0'), plainMirror(world, 'gpu1')];
  for (const flags of ['snapshot', 'fault', 'fault-write'] as const) {
    assert.deepEqual(words(walk(world, own, pageAt(0), flags)), ['VALID|WRITE|PRIVATE']);
  }
  assert.deepEqual(words(walk(world, other, pageAt(0), 'snapshot')), ['none']);
  assert.deepEqual(owner.faults, []);
  assert.deepEqual(words(walk(world, other, pageAt(0), 'fault')), ['VALID|WRITE']);
  assert.deepEqual([owner.faults.length, kindAt(world, BASE)], [1, 'present']);
});

test('a swapped page comes back, and a migrating one is waited for', () => {
  const world = newKernelWorld({ config: { swapSlots: 2 } });
  mapped(world, 1);
  store(world, BASE, 7n);
  run(world, cpuApi(world).madvise(pageAt(0), 'PAGEOUT'));
  const mirror = plainMirror(world, 'gpu1');
  assert.deepEqual(words(walk(world, mirror, pageAt(0), 'snapshot')), ['none']);
  assert.equal(words(walk(world, mirror, pageAt(0), 'fault')).length, 1);
  const device = plainDevice(world, 'gpu0');
  const open = run(world, setUp(device, pageAt(0)));
  assert.deepEqual(words(walk(world, mirror, pageAt(0), 'snapshot')), ['none']);
  const reading = world.scheduler.spawn('gpu1', 'read', mirrorRead(world, mirror, BASE));
  world.scheduler.runFirstCome(1_000);
  assert.deepEqual(waitsOf(world.scheduler.blockedTasks()), ['gpu1: migration_entry_wait.sleep']);
  run(world, device.api.migrateVmaFinalize(open));
  assert.equal(reading.result, 7n);
  assertAtRest(world);
});

test('a range that was invalidated since the read side began is EBUSY', () => {
  const { world, mirror } = world4();
  const { api, sub } = mirror;
  const notifierSeq = run(world, api.mmuIntervalReadBegin(sub));
  run(world, cpuApi(world).madvise(pageAt(1), 'DONTNEED'));
  const request = { sub, notifierSeq, range: pageAt(1), defaultFlags: 'fault' } as const;
  assert.deepEqual(run(world, api.hmmRangeFault(request)), fail('EBUSY'));
});

test('the answer is only a snapshot: it may be void before it arrives, and the sequence tells', () => {
  const { world, mirror } = world4();
  const old = ptePfn(pteAt(world, at(1)));
  const { scheduler } = world;
  const reading = scheduler.spawn('gpu0', 'read', mirrorRead(world, mirror, at(1)));
  runUntil(world, reading, 'plain_mirror.fault_lock');
  const dropping = cpuApi(world).madvise(pageAt(1), 'DONTNEED');
  runOnly(world, scheduler.spawn('cpu0', 'madvise', dropping));
  runOnly(world, reading);
  assert.equal(reading.result, 0n);
  assert.notEqual(mirror.entries.get(at(1))?.pfn, old);
});

/** A device reads a page while a CPU changes it in that way; returns what the device reads afterwards. */
function readsAfter(change: 'store' | 'DONTNEED', flaw: PlainMirror['flaw']) {
  const values = new Set<string>();
  everySchedule(
    () => {
      const world = newKernelWorld();
      const mirror = plainMirror(world, 'gpu0', flaw);
      mapped(world, 2);
      if (change === 'store') load(world, BASE);
      else store(world, BASE, 7n);
      const cpu = cpuApi(world);
      function* reuse(): Task<void> {
        yield* cpu.madvise(pageAt(0), 'DONTNEED');
        // The frame that is free now is the next to be used.
        yield* cpu.store(addressOf(at(1)), 9n);
      }
      const { scheduler } = world;
      scheduler.spawn('gpu0', 'read', mirrorRead(world, mirror, BASE));
      const changing = change === 'store' ? cpu.store(addressOf(BASE), 7n) : reuse();
      scheduler.spawn<unknown>('cpu0', change, changing);
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          const expected = change === 'store' ? 7n : 0n;
          const seen = run(world, mirrorRead(world, mirror, BASE), 'gpu0');
          values.add(seen === expected ? 'what is there' : 'something stale');
        },
      };
    },
    { preemptionsMax: 2 },
  );
  return [...values].sort();
}

test('a device that keeps to the contract reads what is there, with up to 2 preemptions', () => {
  assert.deepEqual(readsAfter('store', 'none'), ['what is there']);
  assert.deepEqual(readsAfter('DONTNEED', 'none'), ['what is there']);
});

test('a device that does not retry, or ignores what it is told, reads something stale', () => {
  for (const flaw of ['skips-read-retry', 'ignores-invalidations'] as const) {
    assert.ok(readsAfter('store', flaw).includes('something stale'), flaw);
    assert.ok(readsAfter('DONTNEED', flaw).includes('something stale'), flaw);
  }
});
