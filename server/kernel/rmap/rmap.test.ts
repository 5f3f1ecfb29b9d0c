import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesFrom } from '../../vocabulary/address.ts';
import { at, cpuApi, mapped, newKernelWorld, run, store } from '../kernel-world.fixture.ts';
import { readPte } from '../memory/page-table.ts';
import { ptePfn } from '../memory/pte.ts';
import { rmapWalk } from './rmap.ts';

function storedPage() {
  const world = newKernelWorld();
  mapped(world, 4);
  store(world, at(1), 1n);
  return { world, pfn: ptePfn(readPte(world.mm.table, at(1))) };
}

test('a walk finds the page in every process that maps it', () => {
  const { world, pfn } = storedPage();
  run(world, cpuApi(world).fork('child'));
  const places = [...rmapWalk(world.kernel, pfn)].map(({ mm, page }) => [mm.id, page]);
  assert.deepEqual(places, [
    [0, at(1)],
    [1, at(1)],
  ]);
});

test('a walk that mremap() disturbs looks again, and finds the page in its new place', () => {
  const { world, pfn } = storedPage();
  run(world, cpuApi(world).fork('child'));
  const walk = rmapWalk(world.kernel, pfn)[Symbol.iterator]();
  walk.next();
  run(world, cpuApi(world).mremap(pagesFrom(at(1), 1), at(8)));
  const pages: number[] = [];
  for (let next = walk.next(); next.done !== true; next = walk.next()) {
    if (next.value.mm.id === 0) pages.push(next.value.page);
  }
  assert.deepEqual(pages, [at(8)]);
});
