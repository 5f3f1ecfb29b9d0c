/**
 * Every interleaving of a small world, by depth-first search with re-execution: what the tests of the pure floors
 * share. It knows nothing of what commutes, so it stays small and right; keep the worlds small too.
 *
 * Named like a test to stay out of the package and of the model hash. Shown to find what it must find in
 * schedule-search.test.ts.
 */
import assert from 'node:assert/strict';
import type { RunningTask, Scheduler } from '../scheduler/scheduler.ts';

/** One execution: tasks that stand ready, and what must hold once none of them can go on. */
export interface Execution {
  readonly scheduler: Scheduler;
  /** Called at the end. `stuck` are the tasks that wait for ever. */
  readonly check: (stuck: readonly RunningTask[]) => void;
}

export interface SearchBound {
  /** More schedules than this fail the test: what was not tried is not shown. */
  readonly schedulesMax?: number;
  /** Switches away from a task that could have gone on; without a bound unless said. */
  readonly preemptionsMax?: number;
}

const SCHEDULES_MAX = 200_000;
const STEPS_MAX = 10_000;

/** A decision between several tasks: which was taken, of how many. */
interface Choice {
  taken: number;
  readonly of: number;
}

/**
 * Runs `build()` once for each schedule within the bound. Fails with the schedule, step by step, if a check fails
 * or a task throws.
 *
 * Returns: the number of schedules. Pin it: it changes when a yield point moves or a branch gets lost.
 */
export function everySchedule(build: () => Execution, bound: SearchBound = {}): number {
  const { schedulesMax = SCHEDULES_MAX, preemptionsMax = Number.POSITIVE_INFINITY } = bound;
  const path: Choice[] = [];
  for (let schedules = 1; ; schedules += 1) {
    execute(build(), path, preemptionsMax);
    if (!backtrack(path)) return schedules;
    assert.ok(schedules < schedulesMax, `more than ${schedulesMax} schedules`);
  }
}

/** Moves on to the next path; false after the last one. */
function backtrack(path: Choice[]): boolean {
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    last.taken += 1;
    if (last.taken < last.of) return true;
    path.pop();
  }
  return false;
}

function execute(execution: Execution, path: Choice[], preemptionsMax: number): void {
  const { scheduler } = execution;
  const trace: string[] = [];
  let depth = 0;
  let preemptions = 0;
  let running: RunningTask | 'none' = 'none';
  reportingSchedule(trace, () => {
    for (let ready = scheduler.readyTasks(); ready.length > 0; ready = scheduler.readyTasks()) {
      assert.ok(trace.length < STEPS_MAX, 'it goes in circles');
      const goesOn = running !== 'none' && ready.includes(running);
      const open = goesOn && running !== 'none' ? firstOf(running, ready) : ready;
      const width = goesOn && preemptions >= preemptionsMax ? 1 : open.length;
      const taken = width === 1 ? 0 : take(path, depth, width);
      if (width > 1) depth += 1;
      if (goesOn && taken > 0) preemptions += 1;
      running = open[taken] as RunningTask;
      trace.push(`${running.identity.actor} ${running.identity.name}: ${running.pending.at}`);
      scheduler.step(running);
    }
    execution.check(scheduler.blockedTasks());
  });
}

/** The choice at `depth`: as in the last execution, or the first of a new branch. */
function take(path: Choice[], depth: number, width: number): number {
  const again = path[depth];
  if (again === undefined) path.push({ taken: 0, of: width });
  // The same choices lead to the same ready steps (SC1), else this search proves nothing.
  else assert.equal(width, again.of, 'the same choices led somewhere else');
  return again?.taken ?? 0;
}

function firstOf(running: RunningTask, ready: readonly RunningTask[]): RunningTask[] {
  return [running, ...ready.filter((task) => task !== running)];
}

function reportingSchedule(trace: readonly string[], run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new Error(`under this schedule:\n  ${trace.join('\n  ')}\n${String(error)}`, {
      cause: error,
    });
  }
}

/** A number below the limit, another one each time; the same seed gives the same numbers. */
export type Chance = (limit: number) => number;

export function newChance(seed: number): Chance {
  let state = seed;
  // A linear congruential generator modulo 2^31; the low bits are poor.
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % limit;
  };
}

/** `count` schedules, by chance: for worlds too large for all of them. */
export function someSchedules(build: () => Execution, count: number, seed: number): void {
  const chance = newChance(seed);
  for (let at = 0; at < count; at += 1) oneSchedule(build(), chance);
}

/** One schedule, by chance. */
export function oneSchedule({ scheduler, check }: Execution, chance: Chance): void {
  const trace: string[] = [];
  reportingSchedule(trace, () => {
    scheduler.run((ready) => {
      const taken = chance(ready.length);
      const task = ready[taken] as RunningTask;
      trace.push(`${task.identity.actor} ${task.identity.name}: ${task.pending.at}`);
      return taken;
    }, STEPS_MAX);
    check(scheduler.blockedTasks());
  });
}
