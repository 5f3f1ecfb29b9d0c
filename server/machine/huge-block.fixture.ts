/** A block that one huge entry maps, few pages large, so that every schedule can be tried. */
import assert from 'node:assert/strict';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Task } from '../task/task.ts';
import {
  brokenRules,
  cpu,
  left,
  type OpenedWorld,
  openedWorld,
  pages,
  store,
} from './opened-world.fixture.ts';
import { waitingFor } from './world.ts';

const PTRS_PER_PTE = 4;
export const BLOCK = pages(0, PTRS_PER_PTE);

/** CPU 0 has written 7 into the block; one device is open. */
export function blockWorld(): OpenedWorld {
  const config = { thp: 'always', ptrsPerPte: PTRS_PER_PTE, swapSlots: 8 } as const;
  const opened = openedWorld({ config, drivers: [{}] });
  store(opened, 7n);
  return opened;
}

/** Nothing is left, nobody waits, and no oracle complains but by rules `unasked`. */
export function assertSound(
  opened: OpenedWorld,
  stuck: readonly RunningTask[],
  unasked: readonly string[] = [],
): void {
  assert.deepEqual(stuck.map(waitingFor), []);
  assert.deepEqual(left(opened), []);
  assert.deepEqual(opened.world.context.lockOrderViolations, []);
  assert.deepEqual(
    brokenRules(opened).filter((rule) => !unasked.includes(rule)),
    [],
  );
}

/** CPU 0 does `task` beside what else is started. */
export function spawnCpu({ world }: OpenedWorld, task: Task<unknown>): void {
  world.scheduler.spawn('cpu0', 'beside', task);
}

/** The second page of the block is pinned for long, if it can be, and let go. */
export function* pinned(opened: OpenedWorld): Task<void> {
  const own = cpu(opened);
  if ((yield* own.pin(1, pages(1, 1), 'longterm')).ok) yield* own.unpin(1);
}
