import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTaskContext } from '../../task/context.ts';
import { lock, tryLock, unlock } from '../../task/lock.ts';
import type { Task } from '../../task/task.ts';
import { type Pfn, PTRS_PER_PTE, pageIndex } from '../../vocabulary/address.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { newKernelWorld, run } from '../kernel-world.fixture.ts';
import {
  allocPtePage,
  endOfPtePage,
  findPtePage,
  newPageTable,
  ptePageNumber,
  readPte,
  setHardwareBits,
  writePte,
} from './page-table.ts';
import { mkPte, PTE_DIRTY, PTE_NONE, pteDirty } from './pte.ts';

const PAGE = pageIndex(PTRS_PER_PTE + 7);
const ENTRY = mkPte(5 as Pfn, 0);

test('a page-table page covers 512 pages and is made on demand', () => {
  const table = newPageTable(0, newTaskContext());
  assert.equal(findPtePage(table, PAGE), 'none');
  assert.equal(readPte(table, PAGE), PTE_NONE);
  const made = allocPtePage(table, PAGE);
  assert.equal(allocPtePage(table, pageIndex(PTRS_PER_PTE)), made);
  assert.equal(findPtePage(table, pageIndex(2 * PTRS_PER_PTE)), 'none');
  assert.deepEqual([ptePageNumber(PAGE), endOfPtePage(PAGE)], [1, 2 * PTRS_PER_PTE]);
  assert.notEqual(allocPtePage(table, pageIndex(0)).ptl, made.ptl);
});

test('[PT1] an entry is written with the proof of the lock of its own page-table page, while it is held', () => {
  const context = newTaskContext();
  const table = newPageTable(0, newTaskContext());
  const [own, other] = [allocPtePage(table, PAGE), allocPtePage(table, pageIndex(0))];
  const held = tryLock(context, own.ptl);
  const foreign = tryLock(context, other.ptl);
  assert.ok(held !== 'busy' && foreign !== 'busy');
  writePte(held, table, own, PAGE, ENTRY);
  assert.equal(readPte(table, PAGE), ENTRY);
  assert.throws(
    () => writePte(foreign, table, own, PAGE, PTE_NONE),
    (error) => error instanceof KernelBug && error.rule === 'LK4',
  );
  unlock(context, held);
  assert.throws(
    () => writePte(held, table, own, PAGE, PTE_NONE),
    (error) => error instanceof KernelBug && error.rule === 'LK2',
  );
  assert.equal(readPte(table, PAGE), ENTRY);
});

test('hardware sets bits without a lock, and only where there is a page-table page', () => {
  const world = newKernelWorld();
  const { table } = world.mm;
  setHardwareBits(table, PAGE, PTE_DIRTY);
  assert.equal(findPtePage(table, PAGE), 'none');
  function* fill(): Task<void> {
    const ptePage = allocPtePage(table, PAGE);
    const held = yield* lock(world.context, 'test.fill', ptePage.ptl);
    writePte(held, table, ptePage, PAGE, ENTRY);
    unlock(world.context, held);
  }
  run(world, fill());
  setHardwareBits(table, PAGE, PTE_DIRTY);
  assert.ok(pteDirty(readPte(table, PAGE)));
});
