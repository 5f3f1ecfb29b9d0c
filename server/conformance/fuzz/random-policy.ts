/**
 * Schedules from a seed. A task keeps the CPU with a probability that the seed chooses: nearly always leads deep
 * into one task before the next gets a turn, seldom mixes them finely. Races differ in which they need.
 */
import type { Policy, RunningTask } from '../../scheduler/scheduler.ts';
import { newRandom } from './random.ts';

/** Out of 64: how often the task that ran goes on. Never always, so that every schedule is fair. */
const STAYS_OF_64 = [0, 32, 48, 56, 60, 62] as const;

/** Chooses among the ready tasks by `seed` alone. */
export function randomPolicy(seed: number): Policy {
  const random = newRandom(seed);
  const stays = random.pick(STAYS_OF_64);
  let last: RunningTask | 'none' = 'none';
  return (ready) => {
    let at = ready.length === 1 ? 0 : lastIndex(ready, last);
    if (ready.length > 1 && (at < 0 || !random.chance(stays, 64))) at = random.below(ready.length);
    last = ready[at] ?? 'none';
    return at;
  };
}

/** The task that ran last stands last, unless it woke another. */
function lastIndex(ready: readonly RunningTask[], last: RunningTask | 'none'): number {
  for (let at = ready.length - 1; at >= 0; at -= 1) if (ready[at] === last) return at;
  return -1;
}
