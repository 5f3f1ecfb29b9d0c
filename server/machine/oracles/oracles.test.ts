/** Each oracle that watches a running world fires on a mutant, and is silent on the same script without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setEntry } from '../../../clients/drivers/hardware/device-page-table.ts';
import type { MmuNotifyEvent } from '../../abi/device-api.ts';
import type { EventBody } from '../../abi/event.ts';
import { everySchedule } from '../../kernel/every-schedule.fixture.ts';
import { writePinned } from '../../kernel/hmm/pinned-io.ts';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { setContents } from '../../kernel/memory/frames.ts';
import { putPage } from '../../kernel/memory/page-references.ts';
import { readPte, writePte } from '../../kernel/memory/page-table.ts';
import { PTE_NONE, pteIsSwap, ptePfn, ptePresent, pteSwapSlot } from '../../kernel/memory/pte.ts';
import { lockPte, unlockPte } from '../../kernel/memory/pte-lock.ts';
import { vmaLookup } from '../../kernel/memory/vma.ts';
import { type MirrorFlaw, mirrorRead, plainMirror } from '../../kernel/plain-mirror.fixture.ts';
import { pageRemoveRmap } from '../../kernel/rmap/rmap.ts';
import type { Task } from '../../task/task.ts';
import { addressOf } from '../../vocabulary/address.ts';
import { ok } from '../../vocabulary/errno.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import {
  assertHealthy,
  at,
  brokenRules,
  cpu,
  device,
  load,
  type OpenedWorld,
  type OpenedWorldOptions,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';
import { threadOf } from '../world.ts';

type Mutant = (stock: KernelFunctions) => Partial<KernelFunctions>;

/** Brackets of that event are not opened: devices are told nothing. */
function withoutBracket(event: MmuNotifyEvent): Mutant {
  const unopened = -1;
  return (stock) => ({
    *mmuNotifierInvalidateRangeStart(k, mm, request) {
      if (request.event !== event) {
        return yield* stock.mmuNotifierInvalidateRangeStart(k, mm, request);
      }
      return ok({ id: unopened, by: k.context.current, mm, range: request.range, hit: [] });
    },
    *mmuNotifierInvalidateRangeEnd(k, invalidation) {
      if (invalidation.id === unopened) return;
      yield* stock.mmuNotifierInvalidateRangeEnd(k, invalidation);
    },
  });
}

const withoutFlush: Mutant = () => ({ *flushTlbRange() {} });

/** Runs a script on the stock kernel, where nothing may be reported, and on a mutant. Returns what that one breaks. */
function broken(script: (opened: OpenedWorld) => void, mutant: OpenedWorldOptions): OpenedWorld {
  const stock = openedWorld({ ...(mutant.config === undefined ? {} : { config: mutant.config }) });
  script(stock);
  assertHealthy(stock);
  const opened = openedWorld(mutant);
  script(opened);
  return opened;
}

test('[OR1] a page that is copied without a bracket leaves a device with the old one', () => {
  const script = (opened: OpenedWorld) => {
    verb(opened, 1, { verb: 'read', range: pages(0) });
    store(opened, 7n);
  };
  const opened = broken(script, { overrides: withoutBracket('clear') });
  assert.deepEqual(brokenRules(opened), ['OR1']);
  const [violation] = opened.world.oracles.violations;
  assert.ok(violation !== undefined);
  assert.match(
    violation.text,
    /^dev1 maps 0x100200000 to frame zero \(read\), but the CPU entry is /,
  );
  assert.deepEqual([violation.device, violation.page], ['dev1', at(0)]);
});

test('[OR1] a violation names what kernel and device did to the page before', () => {
  const script = (opened: OpenedWorld) => {
    verb(opened, 1, { verb: 'read', range: pages(0) });
    store(opened, 7n);
  };
  const { world } = broken(script, { overrides: withoutBracket('clear') });
  const [violation] = world.oracles.violations;
  assert.ok(violation !== undefined);
  const kinds = (history: readonly number[]) =>
    history.map((n) => world.log.kept.find((event) => event.n === n)?.kind);
  assert.ok(kinds(violation.cpuHistory).includes('pte'));
  assert.ok(kinds(violation.deviceHistory).includes('mirror'));
});

test('[OR1] a device keeps no right that mprotect took away', () => {
  const script = (opened: OpenedWorld) => {
    verb(opened, 1, { verb: 'write', range: pages(0), values: ['0x7'] });
    runAlone(opened.world, 'cpu0', cpu(opened).mprotect(pages(0), 'r'));
  };
  const opened = broken(script, { overrides: withoutBracket('protection_vma') });
  assert.deepEqual(brokenRules(opened), ['OR1', 'OR7']);
});

test('[OR1] a device that fork does not tell goes on writing what the child shares', () => {
  const script = (opened: OpenedWorld) => {
    verb(opened, 1, { verb: 'write', range: pages(0), values: ['0x7'] });
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
  };
  const opened = broken(script, { overrides: withoutBracket('protection_page') });
  assert.deepEqual(brokenRules(opened), ['OR1']);
});

test('[OR1] a device that makes a page exclusive is noticed by mirrors that are not told', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    verb(opened, 1, { verb: 'read', range: pages(0) });
    verb(opened, 0, { verb: 'exclusive', range: pages(0) });
  };
  const opened = broken(script, { overrides: withoutBracket('exclusive') });
  assert.deepEqual(brokenRules(opened), ['OR1']);
});

test('[OR1] [OR2] a driver that ignores invalidations is caught, and so is the frame that it keeps', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    verb(opened, 1, { verb: 'read', range: pages(0) });
    runAlone(opened.world, 'cpu0', cpu(opened).munmap(pages(0)));
  };
  const drivers = [{}, { ignoresInvalidation: () => true }];
  const opened = broken(script, { drivers });
  assert.deepEqual(brokenRules(opened), ['OR1', 'OR2', 'OR7']);
  assert.ok(opened.world.oracles.violations.every(({ device: owner }) => owner === 'dev1'));
});

test('[OR1] a device that maps another frame than the CPU is caught at its next access', () => {
  const opened = openedWorld();
  store(opened, 7n, 0);
  store(opened, 8n, 1);
  verb(opened, 1, { verb: 'read', range: pages(0, 2) });
  const { pageTable } = device(opened, 1);
  const other = pageTable.entries.get(at(1));
  assert.ok(other !== undefined);
  setEntry(pageTable, at(0), other);
  assert.deepEqual(brokenRules(opened), ['OR1']);
  verb(opened, 1, { verb: 'read', range: pages(0) });
  assert.deepEqual(brokenRules(opened), ['OR1', 'OR3']);
});

/** What the oracles see while a device reads and a CPU changes the page, over schedules. */
function readRace(flaw: MirrorFlaw): Set<string> {
  const rules = new Set<string>();
  everySchedule(
    () => {
      const opened = openedWorld({ drivers: [] });
      const { world } = opened;
      load(opened);
      const mirror = plainMirror(world, 'gpu0', flaw);
      world.scheduler.spawn('gpu0', 'read', mirrorRead(world, mirror, at(0)));
      world.scheduler.spawn('cpu0', 'store', cpu(opened).store(addressOf(at(0)), 7n));
      return {
        scheduler: world.scheduler,
        check: (stuck) => {
          if (flaw === 'none') assertHealthy(opened, stuck);
          for (const rule of brokenRules(opened)) rules.add(rule);
        },
      };
    },
    { preemptionsMax: 1 },
  );
  return rules;
}

test('[OR1] a driver that skips mmu_interval_read_retry is caught, one that does not never is', () => {
  assert.deepEqual(readRace('none'), new Set());
  assert.ok(readRace('skips-read-retry').has('OR1'));
});

test('[OR2] a frame that is freed before the TLBs are flushed is still mapped by a CPU', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').madvise(pages(0), 'DONTNEED'));
  };
  const opened = broken(script, { overrides: withoutFlush });
  assert.deepEqual(brokenRules(opened), ['OR10', 'OR2']);
  assert.match(
    String(opened.world.oracles.violations.find(({ rule }) => rule === 'OR2')?.text),
    /^the TLB of cpu0 still maps 0x100200000/,
  );
  load(opened);
  const texts = opened.world.oracles.violations.map(({ text }) => text);
  assert.ok(texts.some((text) => text.startsWith('cpu0 reached the freed frame')));
});

test('[OR2] a kernel that frees first and flushes afterwards is caught', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').madvise(pages(0), 'DONTNEED'));
  };
  const freesEarly: Mutant = (stock) => ({
    *zapPageRange(k, mm, range, event) {
      const vma = vmaLookup(mm.vmas, range.first);
      const seen = readPte(mm.table, range.first);
      if (vma !== 'none' && ptePresent(seen)) {
        const locked = yield* lockPte(k, 'mutant.ptl', mm, vma, range.first);
        writePte(locked.held, mm.table, locked.ptePage, range.first, PTE_NONE);
        pageRemoveRmap(k, ptePfn(seen));
        unlockPte(k, locked);
        yield* putPage(k, ptePfn(seen));
      }
      yield* stock.zapPageRange(k, mm, range, event);
    },
  });
  assert.deepEqual(brokenRules(broken(script, { overrides: freesEarly })), ['OR2']);
});

test('[OR3] a page that comes back from swap without its contents is noticed by the next read', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(0), 'PAGEOUT'));
    load(opened);
  };
  const forgets: Mutant = (stock) => ({
    *doSwapPage(k, request, seen) {
      const slot = pteIsSwap(seen) ? k.swap.slots.get(pteSwapSlot(seen)) : undefined;
      if (slot !== undefined) slot.contents = ZERO_CONTENTS;
      return yield* stock.doSwapPage(k, request, seen);
    },
  });
  const opened = broken(script, { overrides: forgets, config: { swapSlots: 1 } });
  assert.deepEqual(brokenRules(opened), ['OR3']);
  assert.match(
    String(opened.world.oracles.violations[0]?.text),
    /read 0x0 at 0x100200000, where 0x7 was/,
  );
});

test('[OR3] a copy on write that copies nothing is noticed', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
    // A pin for writing copies the page; nobody writes.
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).pin(1, pages(0), 'longterm')).ok);
    load(opened);
  };
  const copiesNothing: Mutant = (stock) => ({
    *wpPageCopy(k, request, seen) {
      const outcome = yield* stock.wpPageCopy(k, request, seen);
      setContents(k.frames, ptePfn(readPte(request.mm.table, request.page)), ZERO_CONTENTS);
      return outcome;
    },
  });
  assert.deepEqual(brokenRules(broken(script, { overrides: copiesNothing })), ['OR3']);
});

test('[OR3] a store through a TLB entry that a migration did not flush is a lost write', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
    store(opened, 8n);
    verb(opened, 0, { verb: 'read', range: pages(0) });
  };
  const opened = broken(script, { overrides: withoutFlush });
  assert.deepEqual(brokenRules(opened), ['OR10', 'OR2', 'OR3']);
});

test('[OR3] a device that reads through a stale entry reads something else than was written', () => {
  const script = (opened: OpenedWorld) => {
    verb(opened, 1, { verb: 'read', range: pages(0) });
    store(opened, 7n);
    verb(opened, 1, { verb: 'read', range: pages(0) });
  };
  const opened = broken(script, { overrides: withoutBracket('clear') });
  assert.deepEqual(brokenRules(opened), ['OR1', 'OR3']);
});

test('[OR7] rights that mprotect takes away are gone from TLBs when it returns', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').mprotect(pages(0), 'r'));
  };
  const opened = broken(script, { overrides: withoutFlush });
  assert.deepEqual(brokenRules(opened), ['OR10', 'OR7']);
  assert.match(
    String(opened.world.oracles.violations.find(({ rule }) => rule === 'OR7')?.text),
    /^the TLB of cpu0 allows write at 0x100200000, where the mapping allows read, and no /,
  );
});

test('[OR7] an entry that mprotect leaves as it was is found', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu0', cpu(opened).mprotect(pages(0), 'none'));
  };
  const forgetsEntries: Mutant = () => ({ *changeProtection() {} });
  assert.deepEqual(brokenRules(broken(script, { overrides: forgetsEntries })), ['OR7']);
});

test('[OR8] a page that is pinned for long is not copied away from its writer', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).pin(1, pages(0), 'longterm')).ok);
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
    store(opened, 8n);
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).unpin(1)).ok);
    runAlone(opened.world, 'child', cpu(opened, 'child').exit());
  };
  // Before 70e806e4e645: fork() shared pinned pages as all others.
  const forgetsPins: Mutant = (stock) => ({
    *fork(k, parent) {
      const { hasPinned } = parent;
      parent.hasPinned = false;
      const forked = yield* stock.fork(k, parent);
      parent.hasPinned = hasPinned;
      return forked;
    },
  });
  // MMF_HAS_PINNED is never set: what the oracle goes by may not be what the kernel forgets.
  const marksNobody: Mutant = (stock) => ({
    *getUserPages(k, mm, ...rest) {
      const got = yield* stock.getUserPages(k, mm, ...rest);
      mm.hasPinned = false;
      return got;
    },
  });
  assert.deepEqual(brokenRules(broken(script, { overrides: marksNobody })), ['OR8']);
  const opened = broken(script, { overrides: forgetsPins });
  assert.deepEqual(brokenRules(opened), ['OR8']);
  assert.match(
    String(opened.world.oracles.violations[0]?.text),
    /^frame 0x1 is pinned for long, and 0x100200000, where it was mapped, is present frame /,
  );
});

test('[OR8] I/O through a pin reaches the page that is mapped where it was pinned', () => {
  const opened = openedWorld();
  const { world } = opened;
  const alone = (task: Task<unknown>) => runAlone(world, 'cpu0', task);
  const write = (value: bigint) =>
    alone(writePinned(world.kernel, threadOf(world, 'cpu0'), { id: 1, page: 0 }, value));
  store(opened, 7n);
  alone(cpu(opened).pin(1, pages(0), 'longterm'));
  write(8n);
  load(opened);
  alone(cpu(opened).mremap(pages(0), at(40)));
  write(9n);
  assert.deepEqual(brokenRules(opened), []);
  const io = {
    kind: 'pin-access',
    id: 1,
    mm: 0,
    page: at(0),
    mode: 'write',
    value: '0x9',
  } as const;
  alone(cpu(opened).pin(2, pages(1), 'longterm'));
  const other = threadOf(world, 'cpu0').pins.get(2)?.frames[0] ?? 0;
  const says = (body: EventBody) =>
    alone(
      (function* () {
        world.emit(body);
      })(),
    );
  // Whoever took its page: an mremap() of its own process may.
  says({ ...io, pfn: other });
  assert.deepEqual(brokenRules(opened), []);
  says({ ...io, id: 2, page: at(1), pfn: threadOf(world, 'cpu0').pins.get(1)?.frames[0] ?? 0 });
  assert.deepEqual(brokenRules(opened), ['OR8']);
  assert.match(
    String(world.oracles.violations[0]?.text),
    /^cpu0 writes through its pin of 0x100201000 frame 0x1, and frame 0x\w is mapped there now$/,
  );
});

test('[OR3] what I/O wrote through a pin is what the address holds', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  runAlone(world, 'cpu0', cpu(opened).pin(1, pages(0), 'longterm'));
  const thread = threadOf(world, 'cpu0');
  runAlone(world, 'cpu0', writePinned(world.kernel, thread, { id: 1, page: 0 }, 8n));
  setContents(world.kernel.frames, thread.pins.get(1)?.frames[0] as never, ZERO_CONTENTS);
  load(opened);
  assert.deepEqual(brokenRules(opened), ['OR3']);
});

test('[OR8] a task that takes a pinned page away from itself may have another', () => {
  const opened = openedWorld();
  store(opened, 7n);
  assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).pin(1, pages(0), 'longterm')).ok);
  runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(0), 'DONTNEED'));
  store(opened, 8n);
  assert.deepEqual(brokenRules(opened), []);
});

test('[OR8] what another task takes away meanwhile is no excuse', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  assert.ok(runAlone(world, 'cpu0', cpu(opened).pin(1, pages(0), 'longterm')).ok);
  assert.ok(runAlone(world, 'cpu0', cpu(opened).fork('child')).ok);
  const says = (actor: string, body: EventBody) =>
    runAlone(
      world,
      actor,
      (function* () {
        world.emit(body);
      })(),
    );
  const pinned = { state: 'present', pfn: 1, access: 'write', dirty: 'yes' } as const;
  const page = at(0);
  for (const actor of ['child', 'cpu1']) {
    says(actor, { kind: 'call', function: 'exit', args: {} });
    const to = { ...pinned, pfn: 9 };
    says('cpu0', { kind: 'pte', mm: 0, page, from: pinned, to });
    assert.ok(brokenRules(opened).includes('OR8'), actor);
    world.oracles.violations.length = 0;
    says(actor, { kind: 'return', function: 'exit', result: 'OK' });
  }
});

test('[OR9] page_free() that comes twice, too early or never is found', () => {
  const free = 0x800000 as never;
  const opened = openedWorld();
  const { oracles } = opened.world;
  const rest = { pins: [], freeFrames: new Map() };
  store(opened, 7n);
  verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
  oracles.pageFreed('dev0', free);
  assert.match(String(oracles.violations.at(-1)?.text), /comes while it is in use$/);
  load(opened);
  assert.deepEqual(oracles.atRest('OR9', rest), []);
  oracles.pageFreed('dev0', free);
  assert.match(String(oracles.violations.at(-1)?.text), /comes twice$/);
  verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
  opened.world.emit({ kind: 'frame-free', pfn: free });
  assert.match(String(oracles.atRest('OR9', rest)[0]), /of dev0 never came$/);
});

test('[OR9] a frame is on the free list of its driver once, and only while it is free', () => {
  const opened = openedWorld();
  const { oracles } = opened.world;
  const atRest = (...free: readonly number[]): readonly string[] =>
    oracles.atRest('OR9', { pins: [], freeFrames: new Map([['dev0', free as never]]) });
  store(opened, 7n);
  verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
  assert.deepEqual(atRest(), []);
  assert.match(String(atRest(0x800000)), /is in use, and on the free list of its driver$/);
  load(opened);
  assert.deepEqual(atRest(0x800000), []);
  assert.match(String(atRest(0x800000, 0x800000)), /is 2 times on the free list/);
  assert.match(String(atRest()), /is not on the free list/);
});

test('[MN2] the sequence moves to even only when no invalidation is open any more', () => {
  const opened = openedWorld({
    overrides: (stock) => ({
      *mmuNotifierInvalidateRangeEnd(k, invalidation) {
        invalidation.mm.subscriptions.activeInvalidateRanges = 1;
        yield* stock.mmuNotifierInvalidateRangeEnd(k, invalidation);
      },
    }),
  });
  store(opened, 7n);
  const { kernel, mm } = opened.world;
  const request = {
    event: 'clear',
    range: pages(0),
    owner: 'none',
    blocking: 'blockable',
  } as const;
  const bracket = () =>
    runAlone(opened.world, 'cpu0', kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request));
  const [first] = [bracket(), bracket()];
  assert.ok(first?.ok);
  assert.throws(
    () =>
      runAlone(opened.world, 'cpu0', kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, first.value)),
    /MN2/,
  );
});

test('an access elsewhere in a page is not taken for one of its first word', () => {
  const opened = openedWorld();
  const next = (addressOf(at(0)) + 8) as ReturnType<typeof addressOf>;
  store(opened, 7n);
  runAlone(opened.world, 'cpu0', cpu(opened).store(next, 1n));
  assert.deepEqual(runAlone(opened.world, 'cpu0', cpu(opened).load(next)), {
    kind: 'done',
    value: 1n,
  });
  assert.equal(load(opened), 7n);
  verb(opened, 1, { verb: 'read', range: pages(0) });
  assertHealthy(opened);
});

test('memory that may go (DONTNEED, munmap, MADV_FREE) is not expected to keep its value', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(0), 'DONTNEED'));
  assert.equal(load(opened), 0n);
  store(opened, 8n);
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(0), 'FREE'));
  load(opened);
  store(opened, 9n);
  runAlone(world, 'cpu0', cpu(opened).munmap(pages(0)));
  const mapping = cpu(opened).mmap({ range: pages(0), prot: 'rw', kind: 'anon-private' });
  runAlone(world, 'cpu0', mapping);
  assert.equal(load(opened), 0n);
  assertHealthy(opened);
});

test('everything that two devices and two threads can do one after the other is in order', () => {
  const opened = openedWorld({ config: { swapSlots: 8 } });
  const { world } = opened;
  const range = pages(0, 4);
  const hot = cpu(opened, 'cpu1');
  const steps: readonly (() => unknown)[] = [
    () => store(opened, 1n, 0),
    () => verb(opened, 0, { verb: 'migrate-to-dev', range }),
    () => verb(opened, 0, { verb: 'write', range: pages(1), values: ['0x5'] }),
    () => verb(opened, 1, { verb: 'read', range }),
    () => assert.equal(load(opened, 1, 'cpu1'), 5n),
    () => verb(opened, 1, { verb: 'exclusive', range: pages(2) }),
    () => store(opened, 6n, 2, 'cpu1'),
    () => runAlone(world, 'cpu1', hot.madvise(range, 'PAGEOUT')),
    () => verb(opened, 0, { verb: 'write', range: pages(3), values: ['0x9'] }),
    () => assert.ok(runAlone(world, 'cpu1', hot.fork('child')).ok),
    () => store(opened, 2n, 0, 'child'),
    () => assert.equal(load(opened, 0), 1n),
    () => runAlone(world, 'cpu1', hot.mremap(pages(0, 2), at(6))),
    () => assert.equal(load(opened, 7), 5n),
    () => verb(opened, 0, { verb: 'release' }),
    () => runAlone(world, 'child', cpu(opened, 'child').exit()),
    () => runAlone(world, 'cpu0', cpu(opened).munmap(pages(0, 8))),
  ];
  for (const step of steps) {
    step();
    assertHealthy(opened);
  }
});
