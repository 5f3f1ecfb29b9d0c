/** Oracle 3 at rest: what was lost is found though no actor reads it again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { setContents } from '../../kernel/memory/frames.ts';
import { cachedIn } from '../../kernel/memory/page-references.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import { ptePfn } from '../../kernel/memory/pte.ts';
import { writeSlot } from '../../kernel/memory/swap.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import {
  assertHealthy,
  cpu,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

function lost({ world }: OpenedWorld): readonly string[] {
  return world.oracles.atRest('OR3', { pins: [], freeFrames: new Map() });
}

const CONFIG = { swapSlots: 2 };

function checked(
  script: (opened: OpenedWorld) => void,
  mutant: (stock: KernelFunctions) => Partial<KernelFunctions>,
) {
  const stock = openedWorld({ config: CONFIG });
  script(stock);
  assertHealthy(stock);
  const opened = openedWorld({ config: CONFIG, overrides: mutant });
  script(opened);
  return lost(opened);
}

test('[OR3] a page that is swapped out without its contents, and stays there', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(0), 'PAGEOUT'));
  };
  const writesNothing = (stock: KernelFunctions) => ({
    *removeMapping(
      k: Parameters<typeof stock.removeMapping>[0],
      pfn: Parameters<typeof stock.removeMapping>[1],
    ) {
      const slot = cachedIn(k, pfn);
      yield* stock.removeMapping(k, pfn);
      if (slot !== 'none') writeSlot(k.swap, slot, ZERO_CONTENTS);
    },
  });
  assert.deepEqual(checked(script, writesNothing), [
    'a read of 0x100200000 would find 0x0, where 0x7 was written last',
  ]);
});

test('[OR3] a write to a page that MADV_FREE has marked is not thrown away with it', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(0), 'FREE'));
    store(opened, 8n);
    runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(0), 'PAGEOUT'));
  };
  const forgetsDirt = (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *ptepClearFlush(k, at, pfn) {
      const before = k.frames.system.columns.flags[pfn - 1] ?? 0;
      const pte = yield* stock.ptepClearFlush(k, at, pfn);
      k.frames.system.columns.flags[pfn - 1] = before;
      return pte;
    },
  });
  assert.deepEqual(checked(script, forgetsDirt), [
    'a read of 0x100200000 would find 0x0, where 0x8 was written last',
  ]);
});

test("[OR3] what a device wrote to its own memory stands there, and a child's page is its own", () => {
  const opened = openedWorld();
  store(opened, 7n);
  verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
  verb(opened, 0, { verb: 'write', range: pages(0), values: ['0x9'] });
  assert.deepEqual(lost(opened), []);
  assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
  store(opened, 1n, 0, 'child');
  assert.deepEqual(lost(opened), []);
  const { world } = opened;
  const child = world.cpus.get('child');
  assert.ok(child !== undefined);
  setContents(world.kernel.frames, ptePfn(readPte(child.mm.table, pages(0).first)), ZERO_CONTENTS);
  assert.deepEqual(lost(opened), [
    'a read of 0x100200000 of mm 1 would find 0x0, where 0x1 was written last',
  ]);
});
