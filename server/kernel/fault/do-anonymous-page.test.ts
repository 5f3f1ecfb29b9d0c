import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../task/task.ts';
import { addressOf, virtualAddress } from '../../vocabulary/address.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import type { FaultAccess, FaultOutcome, FaultRequest, KernelFunctions } from '../kernel.ts';
import {
  assertAtRest,
  BASE,
  cpuApi,
  inUse,
  type KernelWorld,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  pteAt,
  run,
  store,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { mapcount, refcount } from '../memory/frames.ts';
import { allocPage } from '../memory/page-references.ts';
import { mkPte, PTE_DIRTY, PTE_WRITE, pteDirty, ptePfn, pteWrite } from '../memory/pte.ts';
import { lockPte, unlockPte } from '../memory/pte-lock.ts';
import { setLockedPte } from '../memory/set-pte.ts';
import { vmaLookup } from '../memory/vma.ts';
import { pageAddNewAnonRmap } from '../rmap/rmap.ts';

function brackets(world: KernelWorld): number {
  return world.events.filter(({ kind }) => kind === 'invalidate_range_start').length;
}

test('a read of an empty entry maps the zero page: no frame, no bracket', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  assert.equal(load(world, BASE), 0n);
  assert.equal(kindAt(world, BASE), 'zero');
  assert.ok(!pteWrite(pteAt(world, BASE)));
  assert.deepEqual([inUse(world), brackets(world)], [0, 0]);
  assertAtRest(world);
});

test('a write to an empty entry gets a page of zeros, writable and dirty, without a bracket', () => {
  const world = newKernelWorld();
  mapped(world, 1);
  assert.equal(store(world, BASE, 7n), 'done');
  const pte = pteAt(world, BASE);
  assert.equal(kindAt(world, BASE), 'present');
  assert.ok(pteWrite(pte) && pteDirty(pte));
  const { frames } = world.kernel;
  assert.deepEqual([refcount(frames, ptePfn(pte)), mapcount(frames, ptePfn(pte))], [1, 1]);
  assert.deepEqual([load(world, BASE), inUse(world), brackets(world)], [7n, 1, 0]);
  const next = virtualAddress(addressOf(BASE) + 8);
  assert.deepEqual(run(world, cpuApi(world).load(next)), { kind: 'done', value: 0n });
});

test('an access without a mapping or without the right gets SIGSEGV', () => {
  const world = newKernelWorld();
  assert.equal(load(world, BASE), 'SIGSEGV');
  const range = mapped(world, 1, { prot: 'r' });
  assert.equal(store(world, BASE, 1n), 'SIGSEGV');
  assert.equal(load(world, BASE), 0n);
  run(world, cpuApi(world).mprotect(range, 'none'));
  assert.equal(load(world, BASE), 'SIGSEGV');
  assert.equal(inUse(world), 0);
  assertAtRest(world);
});

test('without memory a write gets SIGBUS, and a read its zero page all the same', () => {
  const world = newKernelWorld({ config: { systemPages: 1 } });
  mapped(world, 2);
  assert.equal(store(world, BASE, 1n), 'done');
  const second = (BASE + 1) as typeof BASE;
  assert.equal(store(world, second, 1n), 'SIGBUS');
  assert.equal(load(world, second), 0n);
  assert.equal(store(world, second, 1n), 'SIGBUS');
  assert.equal(load(world, BASE), 1n);
  assertAtRest(world);
});

/** Faults of that kind on one page at once. Returns what the page became and how many frames are in use. */
function faultsTogether(
  accesses: readonly FaultAccess[],
  overrides: Partial<KernelFunctions> = {},
): { endings: Set<string>; schedules: number } {
  const endings = new Set<string>();
  const schedules = everySchedule(() => {
    const world = newKernelWorld({ overrides });
    const { kernel, mm, scheduler } = world;
    mapped(world, 1);
    const vma = vmaLookup(mm.vmas, BASE);
    assert.ok(vma !== 'none');
    for (const access of accesses) {
      const fault = kernel.fn.handleMmFault(kernel, { mm, vma, page: BASE, access });
      scheduler.spawn('cpu', access, fault);
    }
    return {
      scheduler,
      check: (stuck) => {
        assert.deepEqual(waitsOf(stuck), []);
        endings.add(`${kindAt(world, BASE)}, ${inUse(world)} frames`);
        assertAtRest(world);
      },
    };
  });
  return { endings, schedules };
}

test('under every schedule of two or three faults on one page no frame leaks', () => {
  const two = faultsTogether(['write', 'write']);
  assert.deepEqual([...two.endings], ['present, 1 frames']);
  assert.ok(two.schedules >= 20, `${two.schedules}`);
  const mixed = faultsTogether(['write', 'read']);
  // The zero page, if the write came first to the entry and then found it filled: it is done, and will fault again.
  assert.deepEqual([...mixed.endings].sort(), ['present, 1 frames', 'zero, 0 frames']);
  const three = faultsTogether(['write', 'read', 'write']);
  assert.deepEqual([...three.endings].sort(), ['present, 1 frames', 'zero, 0 frames']);
});

test('a fault that does not look again under the lock leaks a frame under some schedule', () => {
  const { endings } = faultsTogether(['write', 'write'], {
    *doAnonymousPage(k, { mm, vma, page }: FaultRequest): Task<FaultOutcome> {
      yield* k.fn.anonVmaPrepare(k, mm, vma);
      const pfn = allocPage(k);
      assert.ok(pfn !== 'none');
      const at = yield* lockPte(k, 'test.ptl', mm, vma, page);
      pageAddNewAnonRmap(k, mm, vma, page, pfn);
      setLockedPte(k, at, mkPte(pfn, PTE_WRITE | PTE_DIRTY));
      unlockPte(k, at);
      return 'done';
    },
  });
  assert.ok(endings.has('present, 2 frames'));
});

test('two threads store to one page at once: both values are there, with up to 3 preemptions', () => {
  const second = virtualAddress(addressOf(BASE) + 8);
  const schedules = everySchedule(
    () => {
      const world = newKernelWorld();
      mapped(world, 1);
      const { scheduler } = world;
      scheduler.spawn('cpu0', 'store', cpuApi(world, 'cpu0').store(addressOf(BASE), 1n));
      scheduler.spawn('cpu1', 'store', cpuApi(world, 'cpu1').store(second, 2n));
      return {
        scheduler,
        check: (stuck) => {
          assert.deepEqual(waitsOf(stuck), []);
          assert.equal(load(world, BASE), 1n);
          assert.deepEqual(run(world, cpuApi(world).load(second)), { kind: 'done', value: 2n });
          assert.equal(inUse(world), 1);
        },
      };
    },
    { preemptionsMax: 3 },
  );
  assert.ok(schedules > 100, `${schedules}`);
});
