import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagesFrom } from '../../vocabulary/address.ts';
import { fail, OK } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  kindAt,
  load,
  newKernelWorld,
  run,
  store,
} from '../kernel-world.fixture.ts';
import { mapcount } from '../memory/frames.ts';
import { findPtePage } from '../memory/page-table.ts';
import { plainMirror } from '../plain-mirror.fixture.ts';
import { createFile } from './create-file.ts';

const BLOCK = pagesFrom(BASE, 2);

test('MADV_COLLAPSE takes the table of a block of a file away, tells the devices, and loses nothing', () => {
  const world = newKernelWorld({ config: { ptrsPerPte: 2 } });
  const { kernel, mm } = world;
  createFile(kernel, 0, [pageOfU64(7n), pageOfU64(8n)]);
  run(
    world,
    cpuApi(world).mmap({ range: BLOCK, prot: 'rw', kind: 'file-shared', file: 0, offset: 0 }),
  );
  const mirror = plainMirror(world, 'gpu0');
  store(world, BASE, 9n);
  assert.equal(load(world, at(1)), 8n);
  assert.deepEqual(run(world, cpuApi(world).madvise(BLOCK, 'COLLAPSE')), OK);
  assert.deepEqual([kindAt(world, BASE), kindAt(world, at(1))], ['none', 'none']);
  assert.equal(findPtePage(mm.table, BASE), 'none');
  for (const pfn of kernel.files.get(0)?.pages.values() ?? []) {
    assert.equal(mapcount(kernel.frames, pfn), 0);
  }
  assert.deepEqual(
    mirror.told.map(({ event, range }) => `${event} ${range.end - range.first}`),
    ['clear 2'],
  );
  assert.deepEqual([load(world, BASE), load(world, at(1))], [9n, 8n]);
  assertAtRest(world);
});

test('anonymous memory is refused, and a range without a whole block is left alone', () => {
  const world = newKernelWorld({ config: { ptrsPerPte: 2 } });
  run(world, cpuApi(world).mmap({ range: BLOCK, prot: 'rw', kind: 'anon-private' }));
  store(world, BASE, 9n);
  assert.deepEqual(run(world, cpuApi(world).madvise(BLOCK, 'COLLAPSE')), fail('EINVAL'));
  assert.deepEqual(run(world, cpuApi(world).madvise(pagesFrom(BASE, 1), 'COLLAPSE')), OK);
  assert.equal(load(world, BASE), 9n);
});
