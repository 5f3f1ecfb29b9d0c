/** A huge page that moves as a whole while others work on it: every schedule counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everySchedule } from '../kernel/every-schedule.fixture.ts';
import { isHuge, readPte } from '../kernel/memory/page-table.ts';
import { ptePfn } from '../kernel/memory/pte.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import { addressOf } from '../vocabulary/address.ts';
import { assertSound, BLOCK, blockWorld, pinned, spawnCpu } from './huge-block.fixture.ts';
import {
  at,
  cpu,
  load,
  type OpenedWorld,
  pages,
  runAlone,
  spawnVerb,
  store,
} from './opened-world.fixture.ts';

function frameOf({ world }: OpenedWorld, page: number): number {
  return ptePfn(readPte(world.mm.table, at(page)));
}

test('a huge page moves as a whole, and stays one', () => {
  const opened = blockWorld();
  const before = frameOf(opened, 0);
  runAlone(opened.world, 'cpu0', cpu(opened).compact(pages(1, 1)));
  assert.ok(isHuge(opened.world.mm.table, at(0)));
  assert.notEqual(frameOf(opened, 0), before);
  assert.equal(frameOf(opened, 3), frameOf(opened, 0) + 3);
  assert.equal(load(opened, 0), 7n);
  assertSound(opened, []);
});

test('a huge page with a pinned part stays where it is', () => {
  const opened = blockWorld();
  const before = frameOf(opened, 0);
  assert.ok(runAlone(opened.world, 'cpu0', cpu(opened).pin(1, pages(2, 1), 'longterm')).ok);
  runAlone(opened.world, 'cpu0', cpu(opened).compact(BLOCK));
  assert.equal(frameOf(opened, 0), before);
  assert.ok(isHuge(opened.world.mm.table, at(0)));
  assert.equal(store(opened, 8n, 0), 'done');
  runAlone(opened.world, 'cpu0', cpu(opened).unpin(1));
  assertSound(opened, []);
});

test('a huge page that a child maps by small entries moves there as well', () => {
  const opened = blockWorld();
  runAlone(opened.world, 'cpu0', cpu(opened).fork('child'));
  runAlone(opened.world, 'child', cpu(opened, 'child').mprotect(pages(0, 2), 'r'));
  runAlone(opened.world, 'child', cpu(opened, 'child').munmap(pages(0, 1)));
  const before = frameOf(opened, 0);
  runAlone(opened.world, 'cpu0', cpu(opened).compact(BLOCK));
  assert.notEqual(frameOf(opened, 0), before);
  assert.equal(store(opened, 9n, 1), 'done');
  assert.equal(load(opened, 1, 'child'), 0n);
  assertSound(opened, []);
});

const BESIDE: { readonly [name: string]: (opened: OpenedWorld) => void } = {
  'a store': (opened) => spawnCpu(opened, cpu(opened).store(addressOf(at(1)), 9n)),
  'DONTNEED of the block': (opened) => spawnCpu(opened, cpu(opened).madvise(BLOCK, 'DONTNEED')),
  'DONTNEED of a part': (opened) => spawnCpu(opened, cpu(opened).madvise(pages(1, 2), 'DONTNEED')),
  'FREE of the block': (opened) => spawnCpu(opened, cpu(opened).madvise(BLOCK, 'FREE')),
  'FREE of a part': (opened) => spawnCpu(opened, cpu(opened).madvise(pages(1, 2), 'FREE')),
  'PAGEOUT of a part': (opened) => spawnCpu(opened, cpu(opened).madvise(pages(1, 1), 'PAGEOUT')),
  'munmap of a part': (opened) => spawnCpu(opened, cpu(opened).munmap(pages(1, 1))),
  'mprotect of the block': (opened) => spawnCpu(opened, cpu(opened).mprotect(BLOCK, 'r')),
  'mprotect of a part': (opened) => spawnCpu(opened, cpu(opened).mprotect(pages(1, 1), 'r')),
  'mremap of the block': (opened) => spawnCpu(opened, cpu(opened).mremap(BLOCK, at(32))),
  'mremap of a part': (opened) => spawnCpu(opened, cpu(opened).mremap(pages(2, 2), at(33))),
  'a fork': (opened) => spawnCpu(opened, cpu(opened).fork('child')),
  'a pin of a part': (opened) => spawnCpu(opened, pinned(opened)),
  'a migration of a part': (opened) =>
    spawnVerb(opened, 0, { verb: 'migrate-to-dev', range: pages(0, 1) }),
  'exclusive access to its first part': (opened) =>
    spawnVerb(opened, 0, { verb: 'exclusive', range: pages(0, 1) }),
  'a device that writes': (opened) =>
    spawnVerb(opened, 0, { verb: 'write', range: pages(0, 1), values: ['0x5'] }),
  'another migration': (opened) => spawnCpu(opened, cpu(opened).compact(BLOCK)),
  'the end of the process': (opened) => spawnCpu(opened, cpu(opened).exit()),
};

for (const [name, start] of Object.entries(BESIDE)) {
  test(`${name} while a huge page moves as a whole`, () => {
    const build = () => {
      const opened = blockWorld();
      const { scheduler } = opened.world;
      const mover = cpu(opened, 'kcompactd');
      start(opened);
      scheduler.spawn('kcompactd', 'compact', mover.compact(BLOCK));
      return {
        scheduler,
        check: (stuck: readonly RunningTask[]) => assertSound(opened, stuck),
      };
    };
    assert.ok(everySchedule(build, { preemptionsMax: 2 }) > 20);
  });
}
