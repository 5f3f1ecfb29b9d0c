/** Oracle 10: what CPUs remember goes with the entry, in time, in whatever order other threads come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { allocPage } from '../../kernel/memory/page-references.ts';
import { mkPte, PTE_DIRTY, PTE_WRITE, PTE_YOUNG } from '../../kernel/memory/pte.ts';
import { lockPte, unlockPte } from '../../kernel/memory/pte-lock.ts';
import { setLockedPte } from '../../kernel/memory/set-pte.ts';
import { flushesOwed, newTlbBatch, setTlbUbcFlushPending } from '../../kernel/memory/tlb-batch.ts';
import { endTlbFlushPending } from '../../kernel/memory/tlb-flush-pending.ts';
import { collectFlushAfterUnlock } from '../../patches/collect-flush-after-unlock.ts';
import {
  assertHealthy,
  brokenRules,
  cpu,
  load,
  type OpenedWorld,
  type OpenedWorldOptions,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

/** What the oracles say of a script with a mutant. Without it they say nothing. */
function broken(script: (opened: OpenedWorld) => void, mutant: OpenedWorldOptions): OpenedWorld {
  const stock = openedWorld({ ...(mutant.config === undefined ? {} : { config: mutant.config }) });
  script(stock);
  assertHealthy(stock);
  const opened = openedWorld(mutant);
  script(opened);
  return opened;
}

function texts({ world }: OpenedWorld, rule: string): string[] {
  return world.oracles.violations.filter((one) => one.rule === rule).map(({ text }) => text);
}

const withoutFlush = (): Partial<KernelFunctions> => ({ *flushTlbRange() {} });

test('[OR10] an entry that becomes another page before the flush is found, whichever CPU reads', () => {
  const script = (opened: OpenedWorld) => {
    load(opened);
    store(opened, 7n, 0, 'cpu1');
  };
  const setsBeforeItFlushes = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *wpPageCopy(k, request, seen) {
      const { mm, vma, page } = request;
      yield* stock.anonVmaPrepare(k, mm, vma);
      const made = allocPage(k);
      assert.ok(made !== 'none');
      const bracket = yield* stock.mmuNotifierInvalidateRangeStart(k, mm, {
        event: 'clear',
        range: pages(0),
        owner: 'none',
        blocking: 'blockable',
      });
      const at = yield* lockPte(k, 'mutant.ptl', mm, vma, page);
      stock.pageAddNewAnonRmap(k, mm, vma, page, made);
      setLockedPte(k, at, mkPte(made, PTE_YOUNG | PTE_DIRTY | PTE_WRITE));
      yield* stock.flushTlbRange(k, mm, pages(0));
      unlockPte(k, at);
      assert.ok(bracket.ok && seen !== undefined);
      yield* stock.mmuNotifierInvalidateRangeEnd(k, bracket.value);
      return 'done';
    },
  });
  const opened = broken(script, { overrides: setsBeforeItFlushes });
  assert.deepEqual(brokenRules(opened), ['OR10']);
  assert.match(
    String(texts(opened, 'OR10')[0]),
    /^0x100200000 becomes frame 0x1 while the TLB of cpu0 remembers frame zero \(read\): no flush/,
  );
});

test('[OR10] a flush behind the lock of the page table is found without any other thread', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
    load(opened);
    verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
  };
  const opened = broken(script, { patches: [collectFlushAfterUnlock] });
  assert.deepEqual(brokenRules(opened), ['OR10']);
  assert.match(
    String(texts(opened, 'OR10')[0]),
    /^0x100200000 changed, and the TLBs were flushed only after its lock was let go of$/,
  );
});

test('[OR10] a flush that is not pending any more comes too late', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').madvise(pages(0), 'DONTNEED'));
  };
  const endsEarly = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *finishBatch(k, mm, range, batch) {
      endTlbFlushPending(k, mm);
      yield* stock.flushTlbRange(k, mm, range);
      mm.tlbFlushPending += 1;
      yield* stock.finishBatch(k, mm, range, batch);
    },
  });
  assert.deepEqual(brokenRules(broken(script, { overrides: endsEarly })), ['OR10']);
});

test('[OR10] a fork that leaves parents the right to write in their TLBs', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    assert.ok(runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').fork('child')).ok);
  };
  assert.deepEqual(brokenRules(broken(script, { overrides: withoutFlush })), ['OR10']);
});

test('[OR10] a dirty bit that MADV_FREE takes from the entry only', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').madvise(pages(0), 'FREE'));
  };
  assert.deepEqual(brokenRules(broken(script, { overrides: withoutFlush })), ['OR10']);
});

test('[OR10] a batch that was flushed excuses nothing that comes behind it', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    const { kernel, mm } = opened.world;
    const batch = newTlbBatch();
    setTlbUbcFlushPending(kernel, mm, batch, 'clean');
    runAlone(opened.world, 'cpu1', kernel.fn.tryToUnmapFlush(kernel, batch));
    store(opened, 7n);
    assert.ok(flushesOwed(kernel, mm), 'as in Linux, until somebody asks');
    assert.ok(runAlone(opened.world, 'cpu1', cpu(opened, 'cpu1').fork('child')).ok);
  };
  const flushesForBatches = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *flushTlbRange(k, mm, range) {
      if (mm.tlbBatches > 0) yield* stock.flushTlbRange(k, mm, range);
    },
  });
  assert.deepEqual(brokenRules(broken(script, { overrides: flushesForBatches })), ['OR10']);
});

test('[OR10] what a TLB still has at rest is told, however it came there', () => {
  const opened = openedWorld();
  store(opened, 7n);
  const rest = { pins: [], freeFrames: new Map() };
  assert.deepEqual(opened.world.oracles.atRest('OR10', rest), []);
  const [tlb] = opened.world.mm.tlbs;
  const entry = tlb?.entries.get(pages(0).first);
  assert.ok(tlb !== undefined && entry !== undefined);
  tlb.entries.set(pages(1).first, entry);
  assert.deepEqual(opened.world.oracles.atRest('OR10', rest), [
    'the TLB of cpu0 remembers frame 0x1 (write) at 0x100201000, which is not so',
  ]);
});
