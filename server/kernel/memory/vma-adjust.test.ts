/** In which order a walk meets the mappings of one page: recordings of 6.1 show it, as it decides who is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesFrom } from '../../vocabulary/address.ts';
import { OK } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import {
  at,
  BASE,
  cpuApi,
  type KernelWorld,
  mapped,
  newKernelWorld,
  run,
  store,
} from '../kernel-world.fixture.ts';
import { createFile } from '../syscalls/create-file.ts';

const FILE = 3;

function fileWorld(): KernelWorld {
  const world = newKernelWorld();
  createFile(world.kernel, FILE, [1n, 2n, 3n, 4n].map(pageOfU64));
  return world;
}

function mapFile(world: KernelWorld, first: number, offset: number, pages: number): void {
  const range = pagesFrom(at(first), pages);
  const request = { range, prot: 'rw', kind: 'file-shared', file: FILE, offset } as const;
  assert.deepEqual(run(world, cpuApi(world).mmap(request)), OK);
}

/** `0: 8-10` for each mapping: its process, and where it lies. */
function order(world: KernelWorld): string[] {
  const vmas = world.kernel.files.get(FILE)?.vmas ?? [];
  return vmas.map(({ mm, first, end }) => `${mm}: ${first - BASE}-${end - BASE}`);
}

test('mappings of a file come by their first page of it, then by their age', () => {
  const world = fileWorld();
  mapFile(world, 0, 2, 2);
  mapFile(world, 10, 0, 2);
  mapFile(world, 20, 2, 1);
  mapFile(world, 30, 0, 4);
  assert.deepEqual(order(world), ['0: 10-12', '0: 30-34', '0: 0-2', '0: 20-21']);
});

test('the copy of a fork stands directly behind its original', () => {
  const world = fileWorld();
  mapFile(world, 0, 0, 2);
  mapFile(world, 10, 0, 2);
  run(world, cpuApi(world).fork('child'));
  assert.deepEqual(order(world), ['0: 0-2', '1: 0-2', '0: 10-12', '1: 10-12']);
});

test('a mapping that is split goes in anew, behind those that begin alike', () => {
  const world = fileWorld();
  mapFile(world, 0, 0, 4);
  run(world, cpuApi(world).fork('child'));
  run(world, cpuApi(world).mprotect(pagesFrom(at(2), 2), 'r'));
  assert.deepEqual(order(world), ['1: 0-4', '0: 0-2', '0: 2-4']);
});

test('mappings of anonymous pages come in the same order, a moved one behind the one that it came from', () => {
  const world = newKernelWorld();
  mapped(world, 4);
  store(world, at(0), 1n);
  run(world, cpuApi(world).fork('child'));
  const [anonVma] = world.mm.vmas[0]?.chain ?? [];
  const shown = () =>
    anonVma?.vmas.map(({ mm, first, end }) => `${mm}: ${first - BASE}-${end - BASE}`);
  assert.deepEqual(shown(), ['0: 0-4', '1: 0-4']);
  run(world, cpuApi(world).mprotect(pagesFrom(at(2), 2), 'r'));
  assert.deepEqual(shown(), ['1: 0-4', '0: 0-2', '0: 2-4']);
  run(world, cpuApi(world, 'child').mremap(pagesFrom(at(0), 2), at(8)));
  assert.deepEqual(shown(), ['0: 0-2', '1: 8-10', '0: 2-4', '1: 2-4']);
});
