/** Each rule of the driver contract: a script that keeps it, and a mutant that breaks it and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIRROR_NONE, mmuIntervalReadRetry, mmuIntervalSetSeq } from '../../../abi/device-api.ts';
import { hmmPfnToPfn } from '../../../abi/hmm-pfn.ts';
import {
  MIGRATE_PFN_NONE,
  MIGRATE_PFN_WRITE,
  migratePfn,
  migratePfnToPfn,
} from '../../../abi/migrate-pfn.ts';
import { eagainWithoutEnd } from '../../../patches/eagain-without-end.ts';
import type { Patch } from '../../../patches/patch.ts';
import { removeSecondInvalidate } from '../../../patches/remove-second-invalidate.ts';
import { tryLock, unlock } from '../../../task/lock.ts';
import type { Task } from '../../../task/task.ts';
import { type Pfn, pagesFrom } from '../../../vocabulary/address.ts';
import { fail, OK } from '../../../vocabulary/errno.ts';
import { pageOfU64 } from '../../../vocabulary/page-contents.ts';
import { seq } from '../../../vocabulary/seq.ts';
import {
  at,
  cpu,
  left,
  load,
  openedWorld,
  pages,
  runAlone,
  store,
} from '../../opened-world.fixture.ts';
import { runTask } from '../../world.ts';
import type { ContractRule } from './contract.ts';
import {
  breachesOf,
  bringBack,
  bringBackAs,
  type ContractBench,
  destinations,
  drop,
  enter,
  enterMoved,
  fault,
  install,
  locked,
  look,
  makeExclusive,
  mappedAs,
  migrateRange,
  newBench,
  rulesOf,
  runOn,
  setUpContractDevice,
  violationsOf,
} from './contract-device.fixture.ts';
import { checkAtRest } from './watched-device.ts';

type How = 'kept' | 'broken';

const PAGE = at(0);

function dontneed(bench: ContractBench): void {
  runAlone(bench.opened.world, 'cpu0', cpu(bench.opened).madvise(pages(0), 'DONTNEED'));
}

/** Under mmap_lock, between migrate_vma_setup() and migrate_vma_finalize(). */
function migrating(
  bench: ContractBench,
  body: (migrate: Parameters<typeof destinations>[1]) => Task<void>,
): void {
  runOn(
    bench,
    (function* () {
      yield* bench.api.mmapReadLock();
      const made = yield* setUpContractDevice(bench);
      yield* body(made);
      yield* bench.api.migrateVmaFinalize(made);
      yield* bench.api.mmapReadUnlock();
    })(),
  );
}

/** The callback of the bench, with something else done in its place where the rule is to be broken. */
function calledBack(
  bench: ContractBench,
  how: How,
  instead: ContractBench['driver']['invalidate'],
): void {
  runOn(bench, fault(bench, PAGE));
  if (how === 'broken') bench.driver.invalidate = instead;
  dontneed(bench);
}

const ALL = {
  mm: 0,
  range: pages(0),
  event: 'clear',
  owner: 'none',
  blocking: 'blockable',
} as const;

function reap(bench: ContractBench): void {
  const { world } = bench.opened;
  runOn(bench, fault(bench, PAGE));
  runAlone(world, 'reaper', world.kernel.fn.oomReapTaskMm(world.kernel, world.mm));
}

/** Enters page 0 as it was seen, but for what a test says. */
function enterSeen(bench: ContractBench, otherwise: { pfn?: Pfn; access?: 'write' }): void {
  runOn(
    bench,
    (function* () {
      const { begun, entry } = yield* look(bench, PAGE, 'snapshot');
      yield* locked(bench, function* () {
        if (mmuIntervalReadRetry(bench.sub, begun)) return;
        const seen = mappedAs(entry);
        if (seen.state === 'mapped') enter(bench, PAGE, { ...seen, ...otherwise });
      });
    })(),
  );
}

function* forgetAll(bench: ContractBench): Task<void> {
  for (const page of [...bench.entries.keys()]) enter(bench, page, MIRROR_NONE);
}

/** Its own migrations are no event for it, as for dmirror. */
function ignoreOwn(bench: ContractBench): void {
  const { driver, api } = bench;
  const { invalidate } = driver;
  driver.invalidate = function* (sub, range, current) {
    if (range.event === 'migrate' && range.owner === api.owner) return 'done';
    return yield* invalidate(sub, range, current);
  };
}

function* enterExclusive(bench: ContractBench, frames: readonly Pfn[]): Task<void> {
  yield* locked(bench, function* () {
    const [pfn] = frames;
    if (pfn !== undefined) enter(bench, PAGE, { state: 'mapped', pfn, access: 'exclusive' });
  });
}

/** Brings page 0 back without being asked. */
function* bringHome(bench: ContractBench): Task<void> {
  const { api } = bench;
  yield* api.mmapReadLock();
  yield* bringBackAs(bench, { mm: api.mm, page: PAGE, pfn: 0 as Pfn }, 'none');
  yield* api.mmapReadUnlock();
}

function rest(bench: ContractBench): void {
  const { contract } = bench.opened.world;
  if (contract !== 'off') checkAtRest(contract, new Set());
}

/** The script that keeps the contract is not complained of; the mutant breaks `rule` and nothing else. */
function bothWays(rule: ContractRule, play: (bench: ContractBench, how: How) => void): void {
  const good = newBench();
  play(good, 'kept');
  assert.deepEqual(breachesOf(good), []);
  const bad = newBench();
  play(bad, 'broken');
  assert.deepEqual(rulesOf(bad), [rule], breachesOf(bad).join('\n'));
}

test('[CR1] is the sequence asked in the same hold of the lock, or else unmoved since it was?', () => {
  bothWays('CR1', (bench, how) => {
    runOn(
      bench,
      (function* () {
        const seen = yield* look(bench, PAGE);
        const moved = yield* locked(bench, function* () {
          return mmuIntervalReadRetry(bench.sub, seen.begun);
        });
        assert.equal(moved, false);
        if (how === 'broken') yield* cpu(bench.opened).madvise(pages(0), 'DONTNEED');
        yield* locked(bench, function* () {
          enter(bench, PAGE, mappedAs(seen.entry));
        });
      })(),
    );
  });
});

test('[CR1] may the answer be kept in a flag that the callback clears under the same lock?', () => {
  const bench = newBench();
  let pagesValid = false;
  bench.driver.invalidate = function* (sub, range, seq) {
    pagesValid = false;
    return yield* drop(bench, sub, range, seq);
  };
  runOn(
    bench,
    (function* () {
      const seen = yield* look(bench, PAGE);
      yield* locked(bench, function* () {
        pagesValid = !mmuIntervalReadRetry(bench.sub, seen.begun);
      });
      yield* locked(bench, function* () {
        if (pagesValid) enter(bench, PAGE, mappedAs(seen.entry));
      });
    })(),
  );
  assert.equal(bench.entries.get(PAGE)?.state, 'mapped');
  assert.deepEqual(breachesOf(bench), []);
});

test('[CR1] is a lock that no task asks for a breach at once?', () => {
  const bench = newBench();
  runOn(
    bench,
    (function* () {
      const seen = yield* look(bench, PAGE);
      yield* locked(bench, function* () {
        enter(bench, PAGE, mappedAs(seen.entry));
      });
    })(),
  );
  assert.deepEqual(rulesOf(bench), ['CR1']);
});

test('[CR1] is the lock held at all?', () => {
  bothWays('CR1', (bench, how) => {
    runOn(
      bench,
      (function* () {
        const seen = yield* look(bench, PAGE);
        if (how === 'kept') {
          yield* install(bench, PAGE, seen);
          return;
        }
        if (!mmuIntervalReadRetry(bench.sub, seen.begun)) enter(bench, PAGE, mappedAs(seen.entry));
      })(),
    );
  });
});

test('[CR1] is a page that migrated still there when it is entered?', () => {
  bothWays('CR1', (bench, how) => {
    store(bench.opened, 7n);
    migrating(bench, function* (made) {
      const dst = yield* destinations(bench, made);
      const src = yield* bench.api.migrateVmaPages(made, dst);
      if (how === 'broken') yield* cpu(bench.opened).madvise(pages(0), 'DONTNEED');
      yield* enterMoved(bench, PAGE, src, dst);
      if (how === 'broken') yield* drop(bench, bench.sub, ALL, bench.sub.invalidateSeq);
    });
  });
});

test('[CR2] does the answer of mmu_interval_read_retry() decide?', () => {
  bothWays('CR2', (bench, how) => {
    store(bench.opened, 7n);
    const seen = runOn(bench, look(bench, PAGE));
    dontneed(bench);
    const enterAnyway = function* (): Task<void> {
      mmuIntervalReadRetry(bench.sub, seen.begun);
      enter(bench, PAGE, mappedAs(seen.entry));
    };
    if (how === 'kept') runOn(bench, install(bench, PAGE, seen));
    else runOn(bench, locked(bench, enterAnyway));
  });
});

test('[CR3] does the sequence of a lookup come from mmu_interval_read_begin()?', () => {
  bothWays('CR3', (bench, how) => {
    runOn(
      bench,
      (function* () {
        const begun = yield* bench.api.mmuIntervalReadBegin(bench.sub);
        const notifierSeq = how === 'kept' ? begun : seq(begun + 1_000);
        yield* bench.api.mmapReadLock();
        yield* bench.api.hmmRangeFault({
          sub: bench.sub,
          notifierSeq,
          range: pages(0),
          defaultFlags: 'fault',
        });
        yield* bench.api.mmapReadUnlock();
      })(),
    );
  });
});

test('[CR4] is the sequence set under the lock?', () => {
  bothWays('CR4', (bench, how) => {
    calledBack(bench, how, function* (sub, range, current) {
      mmuIntervalSetSeq(sub, current);
      return yield* locked(bench, function* () {
        for (const page of [...bench.entries.keys()]) {
          if (range.range.first <= page && page < range.range.end) enter(bench, page, MIRROR_NONE);
        }
        return 'done' as const;
      });
    });
  });
});

test('[CR5] is the sequence set?', () => {
  bothWays('CR5', (bench, how) => {
    calledBack(bench, how, function* () {
      for (const page of [...bench.entries.keys()]) enter(bench, page, MIRROR_NONE);
      return 'done';
    });
  });
});

test('[CR6] is every entry of the range gone?', () => {
  bothWays('CR6', (bench, how) => {
    calledBack(bench, how, (sub, _range, current) =>
      locked(bench, function* () {
        mmuIntervalSetSeq(sub, current);
        return 'done' as const;
      }),
    );
  });
});

test('[CR7] is what may wait carried out?', () => {
  bothWays('CR7', (bench, how) => {
    calledBack(bench, how, function* (sub, range, current) {
      yield* drop(bench, sub, range, current);
      return 'again';
    });
  });
});

test('[CR8] does a callback that may not wait wait?', () => {
  bothWays('CR8', (bench, how) => {
    if (how === 'broken') {
      bench.driver.invalidate = (sub, range, current) =>
        drop(bench, sub, { ...range, blocking: 'blockable' }, current);
    }
    reap(bench);
  });
});

test('[CR8] does a callback that refuses give its locks back?', () => {
  bothWays('CR8', (bench, how) => {
    const { context } = bench.opened.world;
    const other = newBench('gpu1', bench.opened).lock;
    bench.driver.invalidate = function* (_sub, { blocking }) {
      if (blocking === 'blockable') return 'done';
      const held = tryLock(context, other);
      if (held !== 'busy' && how === 'kept') unlock(context, held);
      return 'again';
    };
    reap(bench);
  });
});

test('[CR11] is the lock free while the device looks up?', () => {
  bothWays('CR11', (bench, how) => {
    const begin = () => bench.api.mmuIntervalReadBegin(bench.sub);
    if (how === 'kept') runOn(bench, begin());
    else runOn(bench, locked(bench, begin));
  });
});

test('[CR12] is mmap_lock held for the walk?', () => {
  bothWays('CR12', (bench, how) => {
    const { api, sub } = bench;
    runOn(
      bench,
      (function* () {
        const notifierSeq = yield* api.mmuIntervalReadBegin(sub);
        if (how === 'kept') yield* api.mmapReadLock();
        yield* api.hmmRangeFault({ sub, notifierSeq, range: pages(0), defaultFlags: 'snapshot' });
        if (how === 'kept') yield* api.mmapReadUnlock();
      })(),
    );
  });
});

test('[CR14] is an entry writable only where the CPU wrote?', () => {
  bothWays('CR14', (bench, how) => {
    load(bench.opened);
    enterSeen(bench, how === 'kept' ? {} : { access: 'write' });
  });
});

test('[CR14] does a call stand behind the frame?', () => {
  bothWays('CR14', (bench, how) => {
    load(bench.opened);
    enterSeen(bench, how === 'kept' ? {} : { pfn: 77 as Pfn });
  });
});

test('[CR15] does the device reach only what it maps?', () => {
  bothWays('CR15', (bench, how) => {
    store(bench.opened, 7n);
    const { entry } = runOn(bench, look(bench, PAGE));
    if (how === 'kept') runOn(bench, fault(bench, PAGE));
    runOn(bench, bench.api.dmaRead([{ page: PAGE, pfn: hmmPfnToPfn(entry) }]));
  });
});

test('[CR17] is private memory mapped by its owner only?', () => {
  bothWays('CR17', (bench, how) => {
    const other = newBench('gpu1', bench.opened);
    store(bench.opened, 7n);
    runOn(other, migrateRange(other));
    const [entry] = other.entries.values();
    assert.ok(entry?.state === 'mapped');
    if (how === 'broken') enterSeen(bench, { pfn: entry.pfn });
    runOn(other, bringHome(other));
  });
});

test('[CR18] does a fresh subscription grant nothing?', () => {
  bothWays('CR18', (bench, how) => {
    const { api } = bench;
    runOn(
      bench,
      (function* () {
        const fresh = yield* api.mmuIntervalNotifierInsert(pages(0));
        assert.ok(fresh.ok);
        const sub = fresh.value;
        const notifierSeq =
          how === 'kept' ? yield* api.mmuIntervalReadBegin(sub) : sub.invalidateSeq;
        yield* api.mmapReadLock();
        yield* api.hmmRangeFault({ sub, notifierSeq, range: pages(0), defaultFlags: 'fault' });
        yield* api.mmapReadUnlock();
        yield* api.mmuIntervalNotifierRemove(sub);
      })(),
    );
  });
});

test('[CR19] does an entry outlive its subscription?', () => {
  bothWays('CR19', (bench, how) => {
    runOn(bench, fault(bench, PAGE));
    if (how === 'kept')
      runOn(
        bench,
        locked(bench, () => forgetAll(bench)),
      );
    runOn(bench, bench.api.mmuIntervalNotifierRemove(bench.sub));
  });
});

test('[CR20] is a subscription removed from a callback?', () => {
  bothWays('CR20', (bench, how) => {
    const { api } = bench;
    const made = runOn(bench, api.mmuIntervalNotifierInsert(pagesFrom(at(4), 1)));
    assert.ok(made.ok);
    const { driver } = bench;
    const remove = () => api.mmuIntervalNotifierRemove(made.value);
    if (how === 'kept') runOn(bench, remove());
    else {
      driver.invalidate = function* (sub, range, current) {
        bench.opened.world.scheduler.spawn('gpu0', 'worker', drop(bench, sub, range, current));
        yield* remove();
        return 'done';
      };
      // It waits for itself.
      const task = cpu(bench.opened).madvise(pages(0), 'DONTNEED');
      assert.equal(runTask(bench.opened.world, 'cpu0', 'madvise', task).kind, 'stuck');
    }
  });
});

test('[CR22] is the old entry gone when an own migration ends?', () => {
  bothWays('CR22', (bench, how) => {
    store(bench.opened, 7n);
    ignoreOwn(bench);
    runOn(bench, fault(bench, PAGE));
    migrating(bench, function* (made) {
      const dst = yield* destinations(bench, made);
      const src = yield* bench.api.migrateVmaPages(made, dst);
      if (how === 'kept') yield* enterMoved(bench, PAGE, src, dst);
    });
  });
});

test('[CR22] is a page written that an own migration copies?', () => {
  bothWays('CR22', (bench, how) => {
    store(bench.opened, 7n);
    ignoreOwn(bench);
    runOn(bench, fault(bench, PAGE, 'fault-write'));
    migrating(bench, function* (made) {
      const [entry] = bench.entries.values();
      assert.ok(entry?.state === 'mapped');
      if (how === 'broken') {
        yield* bench.api.dmaWrite([{ page: PAGE, pfn: entry.pfn }], [pageOfU64(9n)]);
      }
      const dst = yield* destinations(bench, made);
      const src = yield* bench.api.migrateVmaPages(made, dst);
      yield* enterMoved(bench, PAGE, src, dst);
    });
  });
});

test('[CR23] is an event of another device ignored?', () => {
  bothWays('CR23', (bench, how) => {
    calledBack(bench, how, function* () {
      return 'done';
    });
  });
});

test('[CR24] is mmap_lock kept from setup to finalize?', () => {
  bothWays('CR24', (bench, how) => {
    const { api } = bench;
    runOn(
      bench,
      (function* () {
        yield* api.mmapReadLock();
        const made = yield* setUpContractDevice(bench);
        if (how === 'broken') {
          yield* api.mmapReadUnlock();
          yield* api.mmapReadLock();
        }
        yield* api.migrateVmaFinalize(made);
        yield* api.mmapReadUnlock();
      })(),
    );
  });
});

test('[CR24] is a destination entered before the commit?', () => {
  bothWays('CR24', (bench, how) => {
    store(bench.opened, 7n);
    migrating(bench, function* (made) {
      const dst = yield* destinations(bench, made);
      if (how === 'broken') yield* enterMoved(bench, PAGE, made.src, dst);
      const src = yield* bench.api.migrateVmaPages(made, dst);
      yield* enterMoved(bench, PAGE, src, dst);
    });
  });
});

test('[CR26] is every migration finalized?', () => {
  bothWays('CR26', (bench, how) => {
    const { api } = bench;
    runOn(
      bench,
      (function* () {
        yield* api.mmapReadLock();
        const made = yield* setUpContractDevice(bench);
        if (how === 'kept') yield* api.migrateVmaFinalize(made);
      })(),
    );
    rest(bench);
  });
});

test('[CR24] [CR26] [OR4] a migration that has collected nothing may be forgotten', () => {
  const bench = newBench();
  const { api, opened } = bench;
  store(opened, 7n);
  runOn(bench, migrateRange(bench));
  bench.driver.migrateToRam = function* (fault) {
    // As nouveau_dmem_migrate_to_ram(): if (!args.cpages) return 0.
    const { mm, page } = fault;
    const range = pagesFrom(page, 1);
    const made = yield* api.migrateVmaSetup({ mm, range, select: 'system', faultPage: fault.pfn });
    assert.deepEqual(made.ok && made.value.src, [MIGRATE_PFN_NONE]);
    return yield* bringBack(bench, fault);
  };
  load(opened);
  runOn(
    bench,
    (function* () {
      yield* api.mmapReadLock();
      const made = yield* api.migrateVmaSetup({
        mm: api.mm,
        range: pages(0),
        select: 'device-private',
        faultPage: 'none',
      });
      assert.ok(made.ok);
      yield* api.mmapReadUnlock();
    })(),
  );
  rest(bench);
  assert.deepEqual(breachesOf(bench), []);
  assert.deepEqual(left(opened), []);
});

test('[CR15] is the entry still there when the device reaches the page?', () => {
  bothWays('CR15', (bench, how) => {
    store(bench.opened, 7n);
    runOn(bench, fault(bench, PAGE));
    const entry = bench.entries.get(PAGE);
    assert.ok(entry?.state === 'mapped');
    const dma = bench.api.dmaRead([{ page: PAGE, pfn: entry.pfn }]);
    // It has asked, and is about to reach the page.
    assert.equal(dma.next().done, false);
    if (how === 'broken') {
      runAlone(bench.opened.world, 'cpu0', cpu(bench.opened).madvise(pages(0), 'DONTNEED'));
    }
    runOn(bench, dma);
  });
});

test('[CR26] does a CPU fault end with its migration?', () => {
  bothWays('CR26', (bench, how) => {
    store(bench.opened, 7n);
    runOn(bench, migrateRange(bench));
    if (how === 'broken') {
      bench.driver.migrateToRam = function* ({ mm, page, pfn }) {
        const { api } = bench;
        const range = pagesFrom(page, 1);
        yield* api.migrateVmaSetup({ mm, range, select: 'device-private', faultPage: pfn });
        return fail('EIO');
      };
    }
    load(bench.opened);
  });
});

test('[CR27] has every page with a destination the MIGRATE flag?', () => {
  bothWays('CR27', (bench, how) => {
    store(bench.opened, 7n);
    assert.ok(
      runAlone(bench.opened.world, 'cpu0', cpu(bench.opened).pin(1, pages(0), 'longterm')).ok,
    );
    migrating(bench, function* (made) {
      // A pinned page is not collected.
      const frame = bench.private.at(-1) as Pfn;
      bench.api.zoneDevicePageInit(frame);
      const dst = how === 'kept' ? 0 : migratePfn(frame, MIGRATE_PFN_WRITE);
      yield* bench.api.migrateVmaPages(made, [dst as never]);
      if (how === 'kept') yield* bench.api.putDevicePage(frame);
    });
  });
});

test('[CR28] are losers entered?', () => {
  bothWays('CR28', (bench, how) => {
    load(bench.opened);
    const other = newBench('gpu1', bench.opened);
    migrating(bench, function* (made) {
      const dst = yield* destinations(bench, made);
      yield* migrateRange(other);
      const src = yield* bench.api.migrateVmaPages(made, dst);
      yield* enterMoved(bench, PAGE, how === 'kept' ? src : made.src, dst);
    });
  });
});

test('[CR29] is a copy under way when the migration ends?', () => {
  bothWays('CR29', (bench, how) => {
    store(bench.opened, 7n);
    const { scheduler } = bench.opened.world;
    migrating(bench, function* (made) {
      const source = migratePfnToPfn(made.src[0] as never);
      assert.ok(source !== 'none');
      const copy = scheduler.spawn(
        'gpu0',
        'copy',
        bench.api.dmaRead([{ page: PAGE, pfn: source }]),
      );
      scheduler.step(copy);
      if (how === 'kept') scheduler.step(copy);
    });
  });
});

test('[CR30] does migrate_to_ram() name the faulting page?', () => {
  bothWays('CR30', (bench, how) => {
    store(bench.opened, 7n);
    runOn(bench, migrateRange(bench));
    const { driver } = bench;
    if (how === 'broken') {
      let served = 0;
      // Without it the page has one reference too many, and stays: the next fault is served as it should be.
      driver.migrateToRam = (each) => {
        served += 1;
        return bringBackAs(bench, each, served === 1 ? 'none' : each.pfn);
      };
    }
    load(bench.opened);
  });
});

test('[CR31] does migrate_to_ram() return 0 for nothing?', () => {
  bothWays('CR31', (bench, how) => {
    store(bench.opened, 7n);
    runOn(bench, migrateRange(bench));
    const { driver } = bench;
    const serve = driver.migrateToRam;
    let served = 0;
    driver.migrateToRam = function* (each) {
      served += 1;
      if (how === 'broken' && served === 1) return OK;
      return yield* serve(each);
    };
    load(bench.opened);
  });
});

test('[CR34] does a page migrate to where it is?', () => {
  bothWays('CR34', (bench, how) => {
    store(bench.opened, 7n);
    runOn(bench, migrateRange(bench));
    const { api } = bench;
    runOn(
      bench,
      (function* () {
        yield* api.mmapReadLock();
        const made = yield* api.migrateVmaSetup({
          mm: api.mm,
          range: pages(0),
          select: 'device-private',
          faultPage: 'none',
        });
        assert.ok(made.ok);
        const system = yield* api.allocPages(1);
        assert.ok(system.ok);
        const frame = bench.private.pop() as Pfn;
        api.zoneDevicePageInit(frame);
        const to = how === 'kept' ? (system.value[0] as Pfn) : frame;
        yield* api.migrateVmaPages(made.value, [migratePfn(to, MIGRATE_PFN_WRITE)]);
        yield* api.migrateVmaFinalize(made.value);
        yield* api.mmapReadUnlock();
      })(),
    );
  });
});

test('[CR35] is an exclusive page entered while it is locked?', () => {
  bothWays('CR35', (bench, how) => {
    store(bench.opened, 7n);
    runOn(
      bench,
      makeExclusive(bench, function* (frames) {
        if (how === 'broken') yield* bench.api.unlockAndPutPages(frames);
        yield* enterExclusive(bench, frames);
        if (how === 'kept') yield* bench.api.unlockAndPutPages(frames);
      }),
    );
  });
});

test('[CR35] is a page still exclusive when it is entered?', () => {
  bothWays('CR35', (bench, how) => {
    store(bench.opened, 7n);
    runOn(
      bench,
      makeExclusive(bench, function* (frames) {
        if (how === 'broken') yield* cpu(bench.opened).madvise(pages(0), 'DONTNEED');
        yield* enterExclusive(bench, frames);
        yield* bench.api.unlockAndPutPages(frames);
      }),
    );
  });
});

test('[CR36] does a touch of the CPU end exclusivity?', () => {
  bothWays('CR36', (bench, how) => {
    store(bench.opened, 7n);
    runOn(
      bench,
      makeExclusive(bench, function* (frames) {
        yield* enterExclusive(bench, frames);
        yield* bench.api.unlockAndPutPages(frames);
      }),
    );
    if (how === 'broken') {
      bench.driver.invalidate = (sub, _range, current) =>
        locked(bench, function* () {
          mmuIntervalSetSeq(sub, current);
          return 'done' as const;
        });
    }
    load(bench.opened);
  });
});

test('[CR37] is no reference on the address space dropped in a callback?', () => {
  bothWays('CR37', (bench, how) => {
    const dropped = how === 'broken' ? bench.api.mmput : bench.api.mmputAsync;
    bench.driver.invalidate = (sub, _range, current) =>
      locked(bench, function* () {
        mmuIntervalSetSeq(sub, current);
        if (yield* bench.api.mmgetNotZero()) yield* dropped();
        return 'done' as const;
      });
    store(bench.opened, 7n);
    runAlone(bench.opened.world, 'cpu0', cpu(bench.opened).madvise(pages(0), 'DONTNEED'));
  });
});

test('[CR38] is nothing entered after release()?', () => {
  bothWays('CR38', (bench, how) => {
    store(bench.opened, 7n);
    const seen = runOn(bench, look(bench, PAGE));
    runAlone(bench.opened.world, 'cpu0', cpu(bench.opened).exit());
    const enterAnyway = function* (): Task<void> {
      enter(bench, PAGE, mappedAs(seen.entry));
    };
    if (how === 'kept') runOn(bench, install(bench, PAGE, seen));
    else runOn(bench, locked(bench, enterAnyway));
  });
});

test('[CR10] an invalidation that was refused, and is not ended, is found when nothing goes on', () => {
  const refusing = (patches: readonly Patch[]) => {
    const bench = newBench('gpu0', openedWorld({ drivers: [], contract: 'watched', patches }));
    bench.driver.invalidate = function* (_sub, { blocking }) {
      return blocking === 'blockable' ? 'done' : 'again';
    };
    const { world } = bench.opened;
    runAlone(world, 'reaper', world.kernel.fn.oomReapTaskMm(world.kernel, world.mm));
    rest(bench);
    return rulesOf(bench);
  };
  assert.deepEqual(refusing([]), []);
  assert.deepEqual(refusing([eagainWithoutEnd]), ['CR10']);
});

test('[CR40] [OR6] a migration that replaces the zero page without a bracket is found, with its events', () => {
  const migrated = (patches: readonly Patch[]) => {
    const bench = newBench('gpu0', openedWorld({ drivers: [], contract: 'watched', patches }));
    load(bench.opened);
    runOn(bench, migrateRange(bench));
    return violationsOf(bench);
  };
  assert.deepEqual(migrated([]), []);
  const [found] = migrated([removeSecondInvalidate]);
  assert.equal(found?.rule, 'CR40');
  assert.equal(found?.oracle, 'OR6');
  assert.match(
    found.text,
    /^gpu0 changed the entry of 0x100200000 from zero to .* \(event \d+\) outside/,
  );
  assert.ok(found.cpuHistory.length > 0);
});

test('[OR6] a breach names the rule, the call and the events that led to it', () => {
  const bench = newBench();
  store(bench.opened, 7n);
  const seen = runOn(bench, look(bench, PAGE));
  dontneed(bench);
  const enterStale = locked(bench, function* () {
    mmuIntervalReadRetry(bench.sub, seen.begun);
    enter(bench, PAGE, mappedAs(seen.entry));
  });
  runOn(bench, enterStale);
  const [found] = violationsOf(bench);
  assert.ok(found !== undefined);
  assert.equal(found.rule, 'CR2');
  assert.equal(
    found.text,
    'gpu0 mapped 0x100200000 to frame 0x1 (write): it was looked up under sequence 1 (event 8), ' +
      'which has moved to 3',
  );
  const { kept } = bench.opened.world.log;
  const told = found.deviceHistory.map((n) => kept.find((event) => event.n === n)?.kind);
  assert.deepEqual(told.slice(0, 3), ['call', 'callback', 'mirror']);
});

test('[OR6] the same breach is told once, and no device that is cut off breaks anything', () => {
  const bench = newBench();
  const begin = () => locked(bench, () => bench.api.mmuIntervalReadBegin(bench.sub));
  runOn(bench, begin());
  runOn(bench, begin());
  assert.equal(violationsOf(bench).length, 1);
  const other = newBench();
  other.opened.world.kernel.cutOff.add('gpu0');
  runOn(
    other,
    locked(other, () => other.api.mmuIntervalReadBegin(other.sub)),
  );
  assert.deepEqual(breachesOf(other), []);
});

test('[OR6] a world without oracles has no contract, and its devices no witness', () => {
  const opened = openedWorld({ drivers: [] });
  assert.equal(opened.world.contract, 'off');
  const bench = newBench('gpu0', opened);
  runOn(
    bench,
    locked(bench, () => bench.api.mmuIntervalReadBegin(bench.sub)),
  );
  assert.deepEqual(breachesOf(bench), []);
});

test('[OR6] breaches of one rule end somewhere, and leave room for what comes of them', () => {
  const patches = [removeSecondInvalidate];
  const bench = newBench('gpu0', openedWorld({ drivers: [], contract: 'watched', patches }));
  const { world } = bench.opened;
  const range = pagesFrom(at(1024), 40);
  const mapping = cpu(bench.opened).mmap({ range, prot: 'rw', kind: 'anon-private' });
  assert.ok(runAlone(world, 'cpu0', mapping).ok);
  for (let page = 1024; page < 1064; page += 1) {
    load(bench.opened, page);
    runOn(bench, migrateRange(bench, at(page)));
    // Brings it home, so that the device has memory for the next.
    store(bench.opened, 7n, page);
  }
  assert.equal(violationsOf(bench).length, 16);
  assert.equal(world.oracles.violations.length, 16);
});
