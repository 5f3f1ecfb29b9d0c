/** Oracle 12: entries change as Linux's own checks demand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { PAGE_ANON_EXCLUSIVE, setFlag } from '../../kernel/memory/frames.ts';
import { unlockPage } from '../../kernel/memory/page-lock.ts';
import { dropSwapCache } from '../../kernel/memory/page-references.ts';
import {
  assertHealthy,
  brokenRules,
  cpu,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';
import { pinsOf } from '../world.ts';

type Mutant = (stock: KernelFunctions) => Partial<KernelFunctions>;

const config = { swapSlots: 2 };

/** What is broken, during `script` or at rest behind it; stock it must hold. */
function broken(script: (opened: OpenedWorld) => void, overrides: Mutant): string[] {
  const stock = openedWorld({ config });
  script(stock);
  assertHealthy(stock);
  assert.deepEqual(atRest(stock), []);
  const opened = openedWorld({ overrides, config });
  try {
    script(opened);
  } catch (error) {
    return [...brokenRules(opened), error instanceof Error ? error.message : String(error)];
  }
  return [...brokenRules(opened), ...(atRest(opened).length > 0 ? ['OR12'] : [])];
}

function atRest({ world }: OpenedWorld): readonly string[] {
  return world.oracles.atRest('OR12', { pins: pinsOf(world), freeFrames: new Map() });
}

function migrated(opened: OpenedWorld): void {
  store(opened, 7n);
  verb(opened, 0, { verb: 'migrate', range: pages(0) });
}

test('[OR12] a page that leaves its entry and stays marked as one process’s alone', () => {
  const staysMarked: Mutant = (stock) => ({
    pageTryShareAnonRmap(k, pfn) {
      const shared = stock.pageTryShareAnonRmap(k, pfn);
      if (shared === 'shared') setFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
      return shared;
    },
  });
  assert.ok(broken(migrated, staysMarked).includes('OR12'));
});

test('[OR12] a migration entry of a page that is not locked', () => {
  const unlocksEarly: Mutant = (stock) => ({
    *removeMigrationPtes(k, from, to) {
      unlockPage(k, from);
      yield* stock.removeMigrationPtes(k, from, to);
    },
  });
  assert.ok(broken(migrated, unlocksEarly).includes('OR12'));
});

test('[OR12] a fault that fills an address space behind the reaper', () => {
  const script = (opened: OpenedWorld) => {
    const { world } = opened;
    store(opened, 7n);
    runAlone(world, 'reaper', world.kernel.fn.oomReapTaskMm(world.kernel, world.mm));
    load(opened);
  };
  const goesOn: Mutant = (stock) => ({
    *doAnonymousPage(k, request) {
      request.mm.unstable = false;
      const outcome = yield* stock.doAnonymousPage(k, request);
      request.mm.unstable = true;
      return outcome;
    },
  });
  assert.ok(broken(script, goesOn).includes('OR12'));
});

test('[SW1] a page in use leaves the swap cache although an entry names its slot', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    const range = pages(0);
    runAlone(opened.world, 'cpu0', cpu(opened).pin(1, range, 'get'));
    runAlone(opened.world, 'cpu0', cpu(opened).madvise(range, 'PAGEOUT'));
    runAlone(opened.world, 'cpu0', cpu(opened).unpin(1));
  };
  const dropsUsed: Mutant = (stock) => ({
    *removeMapping(k, pfn) {
      yield* stock.removeMapping(k, pfn);
      yield* dropSwapCache(k, pfn);
    },
  });
  assert.match(broken(script, dropsUsed).join(), /SW1/);
});
