/**
 * Who happened before whom in one execution, and which steps raced. A clock says of each task how many events of
 * the execution, counted from 1, are surely before.
 */

import type { TouchMode } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import { orders, races } from './dependence.ts';
import type { ExecutedStep } from './execution.ts';

/** By task number; absent means 0. Event numbers count from 1. */
export type Clock = Map<number, number>;

interface Access {
  readonly event: number;
  readonly task: number;
  readonly mode: TouchMode;
  readonly clock: Clock;
}

export interface TimedStep extends ExecutedStep {
  readonly event: number;
  /** What was surely before it, without the order of the locks that it takes itself. */
  readonly before: Clock;
  readonly clock: Clock;
}

/** `earlier` and `later` conflict and could have been the other way round. Event numbers. */
export interface Race {
  readonly earlier: number;
  readonly later: number;
}

export class Timeline {
  readonly steps: TimedStep[] = [];
  readonly #tasks = new Map<number, Clock>();
  readonly #accesses = new Map<ObjectId, Access[]>();
  readonly #known = new Set<number>();

  /**
   * Adds a step and returns its races with earlier ones. `spawned` are the tasks that it started.
   */
  add(executed: ExecutedStep, spawned: readonly number[]): Race[] {
    const event = this.steps.length + 1;
    const before = new Map(this.#tasks.get(executed.task) ?? []);
    const clock = new Map(before);
    const found: Race[] = [];
    for (const touch of executed.touches) {
      const accesses = this.#accesses.get(touch.object) ?? [];
      for (const access of accesses) {
        if (access.task === executed.task) continue;
        if (orders(access.mode, touch.mode)) join(clock, access.clock);
        if (!races(access.mode, touch.mode)) continue;
        if ((before.get(access.task) ?? 0) < access.event) {
          found.push({ earlier: access.event, later: event });
        }
      }
    }
    clock.set(executed.task, event);
    for (const touch of executed.touches)
      this.#note(touch.object, touch.mode, event, executed.task, clock);
    this.#tasks.set(executed.task, clock);
    for (const child of spawned) this.#tasks.set(child, new Map(clock));
    this.#known.add(executed.task);
    this.steps.push({ ...executed, event, before, clock });
    return immediate(found, this.steps);
  }

  #note(object: ObjectId, mode: TouchMode, event: number, task: number, clock: Clock): void {
    let accesses = this.#accesses.get(object);
    if (accesses === undefined) {
      accesses = [];
      this.#accesses.set(object, accesses);
    }
    // What this access is ordered after matters to nobody who conflicts with this one as well.
    if (mode === 'write' || mode === 'acquire-write') accesses.length = 0;
    accesses.push({ event, task, mode, clock });
  }
}

/** A race is worth reversing only if no third step stands between the two in the order. */
function immediate(found: Race[], steps: readonly TimedStep[]): Race[] {
  if (found.length < 2) return found;

  return found.filter(({ earlier }) => {
    const first = steps[earlier - 1] as TimedStep;
    return !found.some((other) => {
      if (other.earlier <= earlier) return false;
      const middle = steps[other.earlier - 1] as TimedStep;
      return (middle.clock.get(first.task) ?? 0) >= first.event && middle.task !== first.task;
    });
  });
}

function join(into: Clock, other: Clock): void {
  for (const [task, event] of other) if ((into.get(task) ?? 0) < event) into.set(task, event);
}
