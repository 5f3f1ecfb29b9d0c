/** Oracle 11: what an entry may write no other entry maps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { clearFlag, PAGE_ANON_EXCLUSIVE } from '../../kernel/memory/frames.ts';
import { PTE_WRITE, pteWithFlags } from '../../kernel/memory/pte.ts';
import type { Task } from '../../task/task.ts';
import type { Result } from '../../vocabulary/errno.ts';
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

type Mutant = (stock: KernelFunctions) => Partial<KernelFunctions>;

function broken(script: (opened: OpenedWorld) => void, overrides: Mutant): string[] {
  const stock = openedWorld();
  script(stock);
  assertHealthy(stock);
  const opened = openedWorld({ overrides });
  script(opened);
  return brokenRules(opened);
}

function forked(opened: OpenedWorld): void {
  store(opened, 7n);
  assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).fork('child')).ok);
}

test('[OR11] a fork that leaves the parent or the child the right to write', () => {
  const parentWrites: Mutant = (stock) => ({
    *copyPresentPte(k, copy, source, pte) {
      const shared = { ...copy, from: { ...copy.from, kind: 'anon-shared' as const } };
      return yield* stock.copyPresentPte(k, shared, source, pte);
    },
  });
  assert.deepEqual(broken(forked, parentWrites), ['OR11']);
});

test('[OR11] a shared page that migration brings back writable', () => {
  const script = (opened: OpenedWorld) => {
    forked(opened);
    verb(opened, 0, { verb: 'migrate-to-dev', range: pages(0) });
  };
  const bringsBackForWriting: Mutant = (stock) => ({
    restoredPte: (k, at, entry, from, to) =>
      pteWithFlags(stock.restoredPte(k, at, entry, from, to), PTE_WRITE),
  });
  const rules = broken(script, bringsBackForWriting);
  assert.ok(rules.includes('OR11'), rules.join());
});

test('[OR11] a page that is reused without being marked as its own', () => {
  const script = (opened: OpenedWorld) => {
    forked(opened);
    runAlone(opened.world, 'child', cpu(opened, 'child').exit());
    store(opened, 8n);
    load(opened);
  };
  const forgetsTheMark: Mutant = (stock) => ({
    pageMoveAnonRmap(k, vma, pfn) {
      stock.pageMoveAnonRmap(k, vma, pfn);
      clearFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
    },
  });
  assert.deepEqual(broken(script, forgetsTheMark), ['OR11']);
});

test('[OR8] a pinned page that a migration begins with, and gives up', () => {
  const script = (opened: OpenedWorld) => {
    store(opened, 7n);
    for (const call of [cpu(opened).pin(1, pages(0), 'longterm'), cpu(opened).compact(pages(0))]) {
      assert.ok(runAlone(opened.world, 'cpu0', call as Task<Result<unknown>>).ok);
    }
  };
  const asksForNoPins: Mutant = () => ({
    pageTryShareAnonRmap(k, pfn) {
      clearFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
      return 'shared';
    },
  });
  assert.deepEqual(broken(script, asksForNoPins), ['OR8']);
});
