/**
 * Runs the tasks of one world. Which ready task goes next is the policy's decision and nothing else's; the
 * scheduler itself knows no clock and no chance.
 *
 * Rules: SC2 (docs/SPEC.md).
 */

import { serial, type TaskContext, type TaskIdentity, wake } from '../task/context.ts';
import { type ObjectId, objectId } from '../task/object-id.ts';
import type { Step, Task } from '../task/task.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { Parking } from './parking.ts';
import { type StepBudget, WITHOUT_END } from './step-budget.ts';

export interface RunningTask {
  readonly identity: TaskIdentity;
  readonly generator: Task<unknown>;
  /** What it is about to do. Meaningless once it is done. */
  pending: Step;
  state: 'ready' | 'blocked' | 'done';
  /** The return value, once it is done. */
  result: unknown;
  /** Changed when the task ends; wait on it to join. */
  readonly done: ObjectId;
}

/** Chooses which of the ready tasks (never empty) goes next: an index into `ready`. */
export type Policy = (ready: readonly RunningTask[]) => number;

/** Called for each step as it is taken, before it acts. */
export type StepListener = (task: RunningTask, step: Step) => void;

/** 'handled': the task ends there, without a result, and the others go on. */
export type ThrowListener = (task: RunningTask, thrown: unknown) => 'handled' | 'rethrow';

export class Scheduler {
  readonly context: TaskContext;
  /** In the order in which they became ready. A lock may have been taken since: see isReady(). */
  readonly #ready: RunningTask[] = [];
  readonly #blocked = new Parking<RunningTask>(waitsOn);
  #listener: StepListener | 'none';
  #steps = 0;
  #onThrow: ThrowListener | 'rethrow' = 'rethrow';
  /** Whether a parked task whose object has changed can go on; then it is ready from here on. */
  readonly #goesOn = (task: RunningTask): boolean => {
    if (!isReady(task)) return false;
    task.state = 'ready';
    this.#ready.push(task);
    return true;
  };

  constructor(context: TaskContext, listener: StepListener | 'none' = 'none') {
    this.context = context;
    this.#listener = listener;
  }

  /** From here on `listener` is told of each step, and no other is. */
  listen(listener: StepListener): void {
    this.#listener = listener;
  }

  /** From here on `listener` is asked about whatever a task throws, its own or one that it started. */
  catchThrown(listener: ThrowListener): void {
    this.#onThrow = listener;
  }

  /** Steps taken since the world began. */
  get steps(): number {
    return this.#steps;
  }

  /** Starts a task. Nothing of it runs before the policy picks it: its first step is `task.start`. */
  spawn<T>(
    actor: string,
    name: string,
    generator: Task<T>,
    parent: TaskIdentity | 'none' = 'none',
  ): RunningTask {
    const id = serial(this.context);
    const done = objectId('task', 0, id);
    const task: RunningTask = {
      identity: { id, actor, name, parent, held: [], heldAt: [] },
      generator,
      pending: { kind: 'access', at: 'task.start', object: done, mode: 'read' },
      state: 'ready',
      result: undefined,
      done,
    };
    this.#ready.push(task);
    return task;
  }

  /** The tasks that could take a step now, in the order in which they became ready. */
  readyTasks(): RunningTask[] {
    for (let at = this.#ready.length - 1; at >= 0; at -= 1) {
      const task = this.#ready[at];
      if (task !== undefined && !isReady(task)) {
        this.#ready.splice(at, 1);
        this.#park(task);
      }
    }
    return this.#ready.slice();
  }

  /** readyTasks(), with those that could not go on when their turn came. Changes nothing. */
  queuedTasks(): readonly RunningTask[] {
    return this.#ready;
  }

  /** The task with this number if it could take a step now: readyTasks() of one. */
  readyTask(id: number): RunningTask | 'not ready' {
    const found = this.#ready.find((task) => task.identity.id === id);
    return found !== undefined && isReady(found) ? found : 'not ready';
  }

  /** The tasks that wait, in the order in which they began to. */
  blockedTasks(): RunningTask[] {
    return this.#blocked.all().sort((a, b) => a.identity.id - b.identity.id);
  }

  /** Takes one step of a task that is ready. */
  step(task: RunningTask): void {
    const at = this.#ready.indexOf(task);
    invariant(at >= 0 && isReady(task), 'SC2', { task: task.identity.name });
    this.#ready.splice(at, 1);
    this.#resume(task);
    if (task.state === 'ready') this.#ready.push(task);
    this.#wakeChanged();
  }

  /** Lets `policy` choose until no task is ready, or `stepsMax` steps were taken. */
  run(policy: Policy, stepsMax: number): 'idle' | 'steps-used-up' {
    for (let taken = 0; taken < stepsMax; taken += 1) {
      const ready = this.readyTasks();
      if (ready.length === 0) return 'idle';
      const chosen = ready[policy(ready)];
      invariant(chosen !== undefined, 'SC2', { ready: ready.length });
      this.step(chosen);
    }
    return this.readyTasks().length === 0 ? 'idle' : 'steps-used-up';
  }

  /**
   * First come, first served: each task runs until it blocks or ends. The policy of the live world, without the
   * cost of asking. Stops as well where `budget` is used up: each step takes one, and what a step leads to may take
   * more.
   */
  runFirstCome(
    stepsMax: number,
    budget: StepBudget = { ...WITHOUT_END },
  ): 'idle' | 'steps-used-up' {
    const limit = this.#steps + stepsMax;
    if (this.context.changed.length > 0) this.#wakeChanged();
    if (this.#ready.length === 0) return 'idle';
    for (let task = this.#ready.shift(); task !== undefined; task = this.#ready.shift()) {
      for (;;) {
        if (!isReady(task)) {
          this.#park(task);
          break;
        }
        if (this.#steps >= limit || budget.left <= 0) {
          this.#ready.unshift(task);
          return 'steps-used-up';
        }
        budget.left -= 1;
        this.#resume(task);
        if (this.context.changed.length > 0) this.#wakeChanged();
        if (task.state === 'done') break;
      }
    }
    return 'idle';
  }

  #resume(task: RunningTask): void {
    const step = task.pending;
    if (this.#listener !== 'none') this.#listener(task, step);
    this.#steps += 1;
    if (step.kind === 'spawn') {
      const parent = step.detached === true ? 'none' : task.identity;
      for (const child of step.children) {
        this.spawn(child.actor, child.name, child.task, parent);
      }
    }
    this.context.current = task.identity;
    this.context.at = step.at;
    const next = this.#next(task);
    if (next.done === true) {
      task.state = 'done';
      task.result = next.value;
      wake(this.context, task.done);
    } else {
      task.pending = next.value;
      task.state = 'ready';
    }
  }

  #next(task: RunningTask): IteratorResult<Step, unknown> {
    if (this.#onThrow === 'rethrow') return task.generator.next();
    try {
      return task.generator.next();
    } catch (error) {
      if (this.#onThrow(task, error) === 'rethrow') throw error;
      return { done: true, value: undefined };
    }
  }

  #park(task: RunningTask): void {
    task.state = 'blocked';
    this.#blocked.add(task);
  }

  #wakeChanged(): void {
    const changed = this.context.changed;
    for (let at = 0; at < changed.length; at += 1) {
      this.#blocked.release(changed[at] as ObjectId, this.#goesOn);
    }
    while (changed.length > 0) changed.pop();
  }
}

function waitsOn(task: RunningTask): ObjectId {
  return task.pending.kind === 'block' ? task.pending.on : task.done;
}

/** A block step is ready while its condition holds; all others always are. */
export function isReady(task: RunningTask): boolean {
  return task.pending.kind !== 'block' || task.pending.until();
}
