/** A huge block that is zapped, and mapped by one entry anew, while others work on its parts: every schedule counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everySchedule } from '../kernel/every-schedule.fixture.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Task } from '../task/task.ts';
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

/** The block goes, and comes back by one entry. */
function* renew(opened: OpenedWorld, name: string): Task<void> {
  const own = cpu(opened, name);
  yield* own.madvise(BLOCK, 'DONTNEED');
  yield* own.store(addressOf(at(3)), 9n);
}

const ON_PARTS: { readonly [name: string]: (opened: OpenedWorld) => void } = {
  'DONTNEED of a part': (opened) => spawnCpu(opened, cpu(opened).madvise(pages(0, 2), 'DONTNEED')),
  'FREE of a part': (opened) => spawnCpu(opened, cpu(opened).madvise(pages(1, 2), 'FREE')),
  'PAGEOUT of a part': (opened) => spawnCpu(opened, cpu(opened).madvise(pages(1, 1), 'PAGEOUT')),
  'a migration of a part': (opened) =>
    spawnVerb(opened, 0, { verb: 'migrate-to-dev', range: pages(0, 1) }),
  'exclusive access to a part': (opened) =>
    spawnVerb(opened, 0, { verb: 'exclusive', range: pages(1, 1) }),
  'a pin of a part': (opened) => spawnCpu(opened, pinned(opened)),
};

/**
 * The reference driver maps a page that madvise() has taken meanwhile (scenario madvise-before-map), so what it maps
 * is not asked.
 */
const OF_WHAT_A_DEVICE_MAPS = ['OR1', 'OR2', 'OR3'];

for (const [name, start] of Object.entries(ON_PARTS)) {
  test(`[PT2] ${name} while another thread lets the block go and touches it again`, () => {
    const build = () => {
      const opened = blockWorld();
      const { scheduler } = opened.world;
      cpu(opened, 'cpu1');
      start(opened);
      scheduler.spawn('cpu1', 'renew', renew(opened, 'cpu1'));
      return {
        scheduler,
        check: (stuck: readonly RunningTask[]) => assertSound(opened, stuck, OF_WHAT_A_DEVICE_MAPS),
      };
    };
    assert.ok(everySchedule(build, { preemptionsMax: 3 }) > 100);
  });
}

test('[PT2] a child forks while the huge page that it shares is split for a migration', () => {
  const build = () => {
    const opened = blockWorld();
    const { scheduler } = opened.world;
    runAlone(opened.world, 'cpu0', cpu(opened).fork('child'));
    spawnVerb(opened, 0, { verb: 'migrate-to-dev', range: pages(0, 1) });
    scheduler.spawn('child', 'fork', cpu(opened, 'child').fork('grandchild'));
    return {
      scheduler,
      check: (stuck: readonly RunningTask[]) => {
        assertSound(opened, stuck, OF_WHAT_A_DEVICE_MAPS);
        for (const name of ['cpu0', 'child', 'grandchild']) {
          assert.equal(load(opened, 0, name), 7n, name);
          assert.equal(store(opened, 8n, 1, name), 'done');
        }
        assertSound(opened, [], OF_WHAT_A_DEVICE_MAPS);
      },
    };
  };
  assert.ok(everySchedule(build, { preemptionsMax: 2 }) > 100);
});
