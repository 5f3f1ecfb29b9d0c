/** A schedule of the model as steps of threads: what a callback does, it does in the thread that invalidates. */

import { independent } from '../explorer/dependence.ts';
import { type ExecutedStep, takeStep } from '../explorer/execution.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun } from '../scenario/scenario-world.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { TaskIdentity } from '../task/context.ts';
import type { Hold } from './vcpus.ts';

export interface ThreadStep {
  /** A program of the scenario, by its place in the plan. */
  readonly thread: number;
  /** Which of its operations, from 0. */
  readonly op: number;
  readonly at: string;
  /** How the thread can be held before it takes the step. */
  readonly hold: Hold;
  readonly touches: ExecutedStep['touches'];
}

export interface ThreadSteps {
  readonly steps: readonly ThreadStep[];
  readonly run: ScenarioRun;
  /** What each operation came to in the model, by `THREAD/OP`: a value, OK, an errno or a signal. */
  readonly results: ReadonlyMap<string, string>;
}

/** Locks under which a kernel does not sleep. */
const SPINLOCKS: ReadonlySet<string> = new Set(['ptl', 'device_memory_lock']);

/**
 * Executes `choices` (numbers of tasks), and then whatever there is left to do, without a further switch.
 *
 * Throws: RangeError where a chosen task cannot go on.
 */
export function threadSteps(plan: ScenarioPlan, choices: readonly number[]): ThreadSteps {
  const begun = new Map<string, number>();
  const results = new Map<string, string>();
  const run = newScenarioRun({ ...plan, threads: plan.threads.map(counted) });
  const roots = run.scheduler.readyTasks().map(({ identity }) => identity.id);
  const first = Math.min(...roots);
  const steps: ThreadStep[] = [];
  const take = (task: RunningTask): void => {
    const root = rootOf(task.identity);
    const hold = holdOf(task.identity);
    const { step, touches } = takeStep(run, task);
    const thread = root.id - first;
    const op = Math.max(0, (begun.get(`${thread}`) ?? 0) - 1);
    steps.push({ thread, op, at: step.at, hold, touches });
  };
  for (const [depth, choice] of choices.entries()) {
    const task = run.scheduler.readyTask(choice);
    if (task === 'not ready') throw new RangeError(`task ${choice} cannot take step ${depth + 1}`);
    take(task);
  }
  for (;;) {
    const ready = run.scheduler.readyTasks();
    const same = (steps.at(-1)?.thread ?? 0) + first;
    const next = ready.find(({ identity }) => rootOf(identity).id === same) ?? ready[0];
    if (next === undefined) break;
    take(next);
  }
  return { steps, run, results };

  function counted(
    thread: ScenarioPlan['threads'][number],
    number: number,
  ): ScenarioPlan['threads'][number] {
    const ops = thread.ops.map((op) => ({
      ...op,
      *run(...args: Parameters<typeof op.run>): ReturnType<typeof op.run> {
        const nth = begun.get(`${number}`) ?? 0;
        begun.set(`${number}`, nth + 1);
        const result = yield* op.run(...args);
        results.set(`${number}/${nth}`, result);
        return result;
      },
    }));
    return { ...thread, ops };
  }
}

/**
 * The same run with switches only where a thread can be held: a few of its steps come earlier or later than they did,
 * if they commute with what comes between. Where there is no such place, the switch stays as it is.
 */
export function heldWhere(
  steps: readonly ThreadStep[],
  canHold: (at: string) => boolean,
): ThreadStep[] {
  const moved = steps.slice();
  for (let at = 1; at < moved.length; at += 1) {
    const last = moved[at - 1] as ThreadStep;
    if (moved[at]?.thread === last.thread) continue;
    const next = moved.findIndex((step, other) => other > at && step.thread === last.thread);
    const held = moved[next];
    if (held === undefined || held.op !== last.op || canHold(held.at)) continue;
    const between = moved.slice(at, next);
    const commutes = (step: ThreadStep): boolean =>
      between.every((other) => independent(other.touches, step.touches));
    const back = stepsBack(moved, at, commutes, canHold);
    const on = stepsOn(moved, next, commutes, canHold);
    if (back !== 'none' && (on === 'none' || back <= on)) {
      // They come behind what came between.
      const late = moved.splice(at - back, back);
      moved.splice(next - back, 0, ...late);
      at = Math.max(0, at - back - 1);
    } else if (on !== 'none') {
      const early = moved.splice(next, on);
      moved.splice(at, 0, ...early);
      at += on;
    }
  }
  return moved;
}

/** How many of the steps before `at` have to come later, so that the thread is held at the first of them. */
function stepsBack(
  steps: readonly ThreadStep[],
  at: number,
  commutes: (step: ThreadStep) => boolean,
  canHold: (at: string) => boolean,
): number | 'none' {
  const { thread, op } = steps[at - 1] as ThreadStep;
  for (let back = 1; back <= at; back += 1) {
    const step = steps[at - back] as ThreadStep;
    if (step.thread !== thread || step.op !== op || !commutes(step)) return 'none';
    // Before its first step of all it is not held: it has not begun.
    if (canHold(step.at)) return back;
  }
  return 'none';
}

/** How many steps of the thread, from `next` on, have to come earlier, so that it is held behind them. */
function stepsOn(
  steps: readonly ThreadStep[],
  next: number,
  commutes: (step: ThreadStep) => boolean,
  canHold: (at: string) => boolean,
): number | 'none' {
  const { thread, op } = steps[next] as ThreadStep;
  for (let on = 1; next + on < steps.length; on += 1) {
    const step = steps[next + on - 1] as ThreadStep;
    const behind = steps[next + on] as ThreadStep;
    if (step.thread !== thread || !commutes(step)) return 'none';
    if (behind.thread !== thread || behind.op !== op) return 'none';
    if (canHold(behind.at)) return on;
  }
  return 'none';
}

function rootOf(identity: TaskIdentity): TaskIdentity {
  return identity.parent === 'none' ? identity : rootOf(identity.parent);
}

function holdOf({ held, parent }: TaskIdentity): Hold {
  if (held.some((lock) => SPINLOCKS.has(lock.class))) return 'spin';
  return parent === 'none' ? 'yield' : holdOf(parent);
}
