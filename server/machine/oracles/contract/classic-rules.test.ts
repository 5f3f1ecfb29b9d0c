/** What a classic notifier may not do, each kept and broken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MmuNotifierOps } from '../../../abi/device-api.ts';
import { MIRROR_NONE } from '../../../abi/device-api.ts';
import { lock, tryLock, unlock } from '../../../task/lock.ts';
import { at, cpu, pages, runAlone } from '../../opened-world.fixture.ts';
import {
  type ContractBench,
  enter,
  fault,
  newBench,
  rulesOf,
  runOn,
} from './contract-device.fixture.ts';

const PAGE = at(0);

/** A device of both kinds whose interval callback keeps the contract; what is called is the classic one alone. */
function benchWith(opsOf: (bench: ContractBench) => MmuNotifierOps): ContractBench {
  const bench = newBench();
  runOn(bench, fault(bench, PAGE));
  bench.driver.mmuNotifier = opsOf(bench);
  runOn(bench, bench.api.mmuNotifierRegister());
  return bench;
}

function reap(bench: ContractBench): readonly string[] {
  const { world } = bench.opened;
  runAlone(world, 'reaper', world.kernel.fn.oomReapTaskMm(world.kernel, world.mm));
  return rulesOf(bench);
}

function dontneed(bench: ContractBench): readonly string[] {
  runAlone(bench.opened.world, 'cpu0', cpu(bench.opened).madvise(pages(0), 'DONTNEED'));
  return rulesOf(bench);
}

test('[CR9] a start may refuse what may not block, unless the driver hears of ends', () => {
  const refusing = (): MmuNotifierOps => ({
    *invalidateRangeStart({ blocking }) {
      return blocking === 'blockable' ? 'done' : 'again';
    },
  });
  assert.deepEqual(reap(benchWith(refusing)), []);
  const both = (): MmuNotifierOps => ({ ...refusing(), *invalidateRangeEnd() {} });
  assert.deepEqual(reap(benchWith(both)), ['CR9']);
});

test('[CR8] a start that may not wait does not, and keeps no lock when it refuses', () => {
  const keeping = (bench: ContractBench): MmuNotifierOps => ({
    *invalidateRangeStart() {
      tryLock(bench.opened.world.context, bench.lock);
      return 'again';
    },
  });
  assert.deepEqual(reap(benchWith(keeping)), ['CR8']);
});

test('[CR7] a start refuses nothing that may block', () => {
  const refusing = (): MmuNotifierOps => ({
    *invalidateRangeStart() {
      return 'again';
    },
  });
  assert.deepEqual(dontneed(benchWith(refusing)), ['CR7']);
});

test('[CR6] nothing of the range is left when a start returns', () => {
  const dropping = (bench: ContractBench): MmuNotifierOps => ({
    *invalidateRangeStart() {
      const held = yield* lock(bench.opened.world.context, 'test.lock', bench.lock);
      enter(bench, PAGE, MIRROR_NONE);
      unlock(bench.opened.world.context, held);
      return 'done';
    },
  });
  const kept = (bench: ContractBench): MmuNotifierOps => ({
    *invalidateRangeStart() {
      // The interval callback has run, and has left the entry as well.
      assert.notEqual(bench.entries.size, 0);
      return 'done';
    },
  });
  const leaves = (opsOf: typeof kept) => {
    const bench = benchWith(opsOf);
    bench.driver.invalidate = function* (sub, _range, seq) {
      sub.invalidateSeq = seq;
      return 'done';
    };
    return dontneed(bench).filter((rule) => rule === 'CR6');
  };
  assert.deepEqual(leaves(dropping), []);
  assert.deepEqual(leaves(kept), ['CR6']);
});
