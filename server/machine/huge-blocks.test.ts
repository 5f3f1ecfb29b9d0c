/** A huge block that is zapped, and mapped by one entry anew, while others work on its parts: every schedule counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everySchedule } from '../kernel/every-schedule.fixture.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Task } from '../task/task.ts';
import { addressOf } from '../vocabulary/address.ts';
import {
  at,
  brokenRules,
  cpu,
  left,
  load,
  type OpenedWorld,
  openedWorld,
  pages,
  runAlone,
  spawnVerb,
  store,
} from './opened-world.fixture.ts';
import { waitingFor } from './world.ts';

/** Pages of a block: few, so that every schedule can be tried. */
const PTRS_PER_PTE = 4;
const config = { thp: 'always', ptrsPerPte: PTRS_PER_PTE, swapSlots: 8 } as const;

function blockWorld(): OpenedWorld {
  const opened = openedWorld({ config, drivers: [{}] });
  store(opened, 7n);
  return opened;
}

/** The block goes, and comes back by one entry. */
function* renew(opened: OpenedWorld, name: string): Task<void> {
  const own = cpu(opened, name);
  yield* own.madvise(pages(0, PTRS_PER_PTE), 'DONTNEED');
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

function spawnCpu({ world }: OpenedWorld, task: Task<unknown>): void {
  world.scheduler.spawn('cpu0', 'part', task);
}

function* pinned(opened: OpenedWorld): Task<void> {
  const own = cpu(opened);
  if ((yield* own.pin(1, pages(1, 1), 'longterm')).ok) yield* own.unpin(1);
}

const OF_WHAT_A_DEVICE_MAPS = ['OR1', 'OR2', 'OR3'];

/**
 * What the kernel answers for. The reference driver maps a page that madvise() has taken meanwhile (scenario
 * madvise-before-map), so what it maps is not asked.
 */
function assertSound(opened: OpenedWorld, stuck: readonly RunningTask[]): void {
  assert.deepEqual(stuck.map(waitingFor), []);
  assert.deepEqual(left(opened), []);
  assert.deepEqual(opened.world.context.lockOrderViolations, []);
  const rules = brokenRules(opened).filter((rule) => !OF_WHAT_A_DEVICE_MAPS.includes(rule));
  assert.deepEqual(rules, []);
}

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
        check: (stuck: readonly RunningTask[]) => assertSound(opened, stuck),
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
        assertSound(opened, stuck);
        for (const name of ['cpu0', 'child', 'grandchild']) {
          assert.equal(load(opened, 0, name), 7n, name);
          assert.equal(store(opened, 8n, 1, name), 'done');
        }
        assertSound(opened, []);
      },
    };
  };
  assert.ok(everySchedule(build, { preemptionsMax: 2 }) > 100);
});
