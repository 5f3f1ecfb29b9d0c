import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PageIndex, pagesFrom } from '../../vocabulary/address.ts';
import type { MappedAt } from '../kernel.ts';
import {
  at,
  cpuApi,
  type KernelWorld,
  mapped,
  newKernelWorld,
  run,
  runOnly,
  runUntil,
  store,
} from '../kernel-world.fixture.ts';
import { readPte } from '../memory/page-table.ts';
import { ptePfn } from '../memory/pte.ts';
import { anonVmaPrepare } from './anon-vma-chain.ts';
import { pageAddAnonRmap, pageAddNewAnonRmap, rmapWalk } from './rmap.ts';

function storedPage() {
  const world = newKernelWorld();
  mapped(world, 4);
  store(world, at(1), 1n);
  return { world, pfn: ptePfn(readPte(world.mm.table, at(1))) };
}

/** A task that notes each place where it looks. */
function walking({ world, pfn }: ReturnType<typeof storedPage>) {
  const places: MappedAt[] = [];
  const walk = rmapWalk(world.kernel, pfn, {
    *visit(place) {
      yield { kind: 'access', at: 'test.visit', object: world.mm.flushPendingObject, mode: 'read' };
      places.push(place);
      return 'go-on';
    },
    done: () => false,
    mapped: 'only',
  });
  return { walk, places };
}

function shown(places: readonly MappedAt[]): [mm: number, page: PageIndex][] {
  return places.map(({ mm, page }) => [mm.id, page]);
}

test('a walk finds the page in every process that maps it', () => {
  const stored = storedPage();
  run(stored.world, cpuApi(stored.world).fork('child'));
  const { walk, places } = walking(stored);
  run(stored.world, walk);
  assert.deepEqual(shown(places), [
    [0, at(1)],
    [1, at(1)],
  ]);
});

function midway(world: KernelWorld, walk: ReturnType<typeof rmapWalk>) {
  const task = world.scheduler.spawn('dev0', 'walk', walk);
  runUntil(world, task, 'test.visit');
  return task;
}

test('mremap() to a place that the walk has passed waits for the end of the walk', () => {
  const stored = storedPage();
  const { world } = stored;
  run(world, cpuApi(world).fork('child'));
  const { walk, places } = walking(stored);
  const task = midway(world, walk);
  const range = pagesFrom(at(1), 1);
  const moving = world.scheduler.spawn('cpu0', 'mremap', cpuApi(world).mremap(range, at(8)));
  for (let ready = world.scheduler.readyTasks(); ready.includes(moving); ) {
    world.scheduler.step(moving);
    ready = world.scheduler.readyTasks();
  }
  assert.equal(moving.pending.at, 'anon_vma_clone.anon_vma_lock');
  runOnly(world, task);
  runOnly(world, moving);
  assert.deepEqual(shown(places), [
    [0, at(1)],
    [1, at(1)],
  ]);
});

test('mprotect() that splits a mapping waits for the end of the walk', () => {
  const stored = storedPage();
  const { world } = stored;
  const task = midway(world, walking(stored).walk);
  const range = pagesFrom(at(2), 1);
  const call = world.scheduler.spawn('cpu0', 'mprotect', cpuApi(world).mprotect(range, 'r'));
  assert.throws(() => runOnly(world, call), /it waits/);
  runOnly(world, task);
  runOnly(world, call);
});

test('[RM1] an anonymous page is not mapped before the mapping has an anon_vma', () => {
  const { world, pfn } = storedPage();
  mapped(world, 2, { first: at(100) });
  const vma = world.mm.vmas.at(-1);
  assert.ok(vma !== undefined && vma.anonVma === 'none');
  const map = () => pageAddNewAnonRmap(world.kernel, world.mm, vma, at(100), pfn);
  assert.throws(map, /RM1/);
  run(world, anonVmaPrepare(world.kernel, world.mm, vma));
  map();
});

test('[RM2] a page is not mapped where its reverse map does not look for it', () => {
  const { world, pfn } = storedPage();
  const vma = world.mm.vmas.at(-1);
  assert.ok(vma !== undefined);
  const map = (page: PageIndex) =>
    pageAddAnonRmap(world.kernel, world.mm, vma, page, pfn, 'shared');
  assert.throws(() => map(at(2)), /RM2/);
  map(at(1));
});
