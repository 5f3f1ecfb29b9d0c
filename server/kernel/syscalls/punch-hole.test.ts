import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../vocabulary/address.ts';
import { fail, OK } from '../../vocabulary/errno.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  inUse,
  type KernelWorld,
  kindAt,
  load,
  mapped,
  newKernelWorld,
  pageAt,
  run,
  store,
} from '../kernel-world.fixture.ts';
import { plainMirror } from '../plain-mirror.fixture.ts';
import { createFile } from './create-file.ts';

/** A file of one page that holds 7, mapped shared at BASE and private at the page behind it. */
function worldWithFile(): KernelWorld {
  const world = newKernelWorld();
  createFile(world.kernel, 0, [pageOfU64(7n)]);
  const file = { prot: 'rw', file: 0, offset: 0 } as const;
  for (const [page, kind] of [
    [0, 'file-shared'],
    [1, 'file-private'],
  ] as const) {
    assert.deepEqual(run(world, cpuApi(world).mmap({ range: pageAt(page), kind, ...file })), OK);
  }
  return world;
}

const remove = (world: KernelWorld, page = 0) => cpuApi(world).madvise(pageAt(page), 'REMOVE');

test('MADV_REMOVE takes a page out of every mapping of its file, and what is read then is zero', () => {
  const world = worldWithFile();
  const mirror = plainMirror(world, 'gpu0');
  assert.deepEqual([load(world, BASE), load(world, at(1))], [7n, 7n]);
  assert.deepEqual(run(world, remove(world)), OK);
  assert.deepEqual([kindAt(world, BASE), kindAt(world, at(1))], ['none', 'none']);
  const told = mirror.told.map(({ event, range }) => `${event} ${range.first - BASE}`);
  assert.deepEqual(told, ['clear 0', 'clear 1']);
  assert.equal(inUse(world), 0);
  assert.deepEqual([load(world, BASE), load(world, at(1))], [0n, 0n]);
  assertAtRest(world);
});

test('a private copy stays where its file has lost the page', () => {
  const world = worldWithFile();
  store(world, at(1), 9n);
  assert.deepEqual(run(world, remove(world)), OK);
  assert.deepEqual([load(world, BASE), load(world, at(1))], [0n, 9n]);
});

test('what is no file, or not shared and writable, is refused', () => {
  const world = worldWithFile();
  mapped(world, 1, { first: at(2) });
  assert.deepEqual(run(world, remove(world, 1)), fail('EACCES'));
  assert.deepEqual(run(world, remove(world, 2)), fail('EINVAL'));
  assert.deepEqual(run(world, remove(world, 3)), fail('ENOMEM'));
});

test('a thread that reads while the page goes finds all of it or zeros, and no page is lost, in every order', () => {
  const ends = new Set<bigint | string>();
  everySchedule(
    () => {
      const world = worldWithFile();
      world.scheduler.spawn('cpu0', 'remove', remove(world));
      const reading = cpuApi(world, 'cpu1').load(addressOf(BASE));
      const reader = world.scheduler.spawn('cpu1', 'load', reading);
      return {
        scheduler: world.scheduler,
        check: (stuck) => {
          assert.deepEqual(stuck, []);
          const { value } = reader.result as { value: bigint };
          ends.add(value);
          assert.equal(load(world, BASE), 0n);
          assertAtRest(world);
        },
      };
    },
    { preemptionsMax: 3 },
  );
  assert.deepEqual([...ends].sort(), [0n, 7n]);
});
