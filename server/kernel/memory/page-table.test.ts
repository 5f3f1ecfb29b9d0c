import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTaskContext, type TaskContext } from '../../task/context.ts';
import { lock, tryLock, unlock } from '../../task/lock.ts';
import type { Task } from '../../task/task.ts';
import { type PageIndex, type Pfn, PTRS_PER_PTE, pageIndex } from '../../vocabulary/address.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { newKernelWorld, run } from '../kernel-world.fixture.ts';
import {
  allocPtePage,
  blockOf,
  endOfPtePage,
  findPtePage,
  newPageTable,
  nextCovered,
  type PageTable,
  type PtePage,
  ptePageNumber,
  readPte,
  setHardwareBits,
  tableObject,
  writePte,
} from './page-table.ts';
import { mkPte, PTE_DIRTY, PTE_NONE, pteDirty } from './pte.ts';

const PAGE = pageIndex(PTRS_PER_PTE + 7);
const ENTRY = mkPte(5 as Pfn, 0);

/** The table of the block, made by itself. */
function allocAlone(context: TaskContext, table: PageTable, page: PageIndex): PtePage {
  const held = tryLock(context, blockOf(table, page).ptl);
  assert.ok(held !== 'busy');
  const made = allocPtePage(held, table, page);
  unlock(context, held);
  return made;
}

test('a page-table page covers as many pages as the machine says and is made on demand', () => {
  for (const ptrs of [4, PTRS_PER_PTE]) {
    const context = newTaskContext();
    const table = newPageTable(0, ptrs, context);
    const page = pageIndex(ptrs + 3);
    assert.equal(findPtePage(table, page), 'none');
    assert.equal(readPte(table, page), PTE_NONE);
    const made = allocAlone(context, table, page);
    assert.equal(made.ptes.length, ptrs);
    assert.equal(allocAlone(context, table, pageIndex(ptrs)), made);
    assert.equal(findPtePage(table, pageIndex(2 * ptrs)), 'none');
    assert.deepEqual([ptePageNumber(table, page), endOfPtePage(table, page)], [1, 2 * ptrs]);
    assert.notEqual(allocAlone(context, table, pageIndex(0)).ptl, made.ptl);
  }
});

test('[LK2] a table is made under the lock of its block', () => {
  const context = newTaskContext();
  const table = newPageTable(0, PTRS_PER_PTE, context);
  const held = tryLock(context, blockOf(table, PAGE).ptl);
  assert.ok(held !== 'busy');
  unlock(context, held);
  assert.throws(
    () => allocPtePage(held, table, PAGE),
    (error) => error instanceof KernelBug && error.rule === 'LK2',
  );
  assert.equal(findPtePage(table, PAGE), 'none');
});

test('[PT1] an entry is written with the proof of the lock of its own page-table page, while it is held', () => {
  const context = newTaskContext();
  const table = newPageTable(0, PTRS_PER_PTE, context);
  const [own, other] = [allocAlone(context, table, PAGE), allocAlone(context, table, pageIndex(0))];
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
    const held = yield* lock(world.context, 'test.fill', blockOf(table, PAGE).ptl);
    const ptePage = allocPtePage(held, table, PAGE);
    writePte(held, table, ptePage, PAGE, ENTRY);
    unlock(world.context, held);
  }
  run(world, fill());
  setHardwareBits(table, PAGE, PTE_DIRTY);
  assert.ok(pteDirty(readPte(table, PAGE)));
});

test('a walk passes over what was never there, whether an explorer is told of it or not', () => {
  const context = newTaskContext();
  const table = newPageTable(0, PTRS_PER_PTE, context);
  const end = pageIndex(2 ** 35);
  const places = [7, 513, 2 ** 18 + 1, 2 ** 27, 2 ** 27 + 512, 2 ** 34 + 511];
  for (const place of places) allocAlone(context, table, pageIndex(place));
  const seen: number[] = [];
  for (let page = pageIndex(3); page < end; page = endOfPtePage(table, page)) {
    page = nextCovered(table, page, end);
    seen.push(page);
  }
  const starts = places.map((place) => Math.max(3, place - (place % PTRS_PER_PTE)));
  assert.deepEqual(seen, [...starts, end]);

  context.footprint = [];
  const near = pageIndex(2 ** 18 + 1024);
  assert.equal(nextCovered(table, pageIndex(1024), near), 2 ** 18);
  // Whoever fills one of the blocks that were passed over conflicts with the walk.
  const noted = new Set(context.footprint.map(({ object }) => object));
  for (const page of [1024, 1536, 2 ** 18 - 1]) {
    assert.ok(noted.has(tableObject(table, pageIndex(page))), `${page}`);
  }
});
