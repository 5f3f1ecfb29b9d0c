/**
 * Who happened before whom in one execution, and which steps raced. A clock says of each task how many events of
 * the execution, counted from 1, are surely before. Executions share prefixes, so a timeline can be cut back.
 */
import type { Touch, TouchMode } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import { orders, races, touchesNothing } from './dependence.ts';
import type { ExecutedStep } from './execution.ts';
import { locksDuring } from './held-locks.ts';

/** By task index (see TimedStep.index); absent means 0. Never changed once made. */
export type Clock = readonly number[];

export interface Access {
  readonly event: number;
  readonly index: number;
  readonly mode: TouchMode;
  readonly clock: Clock;
  /** Locks that order it: see locksDuring(). */
  readonly locks: readonly ObjectId[];
  /** Accesses that no later one needs to look at, but for an 'await'. */
  readonly covered: readonly Access[];
}

export interface TimedStep extends ExecutedStep {
  /** From 1. */
  readonly event: number;
  /** Dense number of the task within this timeline. */
  readonly index: number;
  /** What was surely before it, without the order of the locks that it takes itself. */
  readonly before: Clock;
  readonly clock: Clock;
  /** What adding it changed, to take it back. */
  readonly undo: readonly (() => void)[];
}

/** `earlier` and `later` conflict and could have been the other way round. Event numbers. */
export interface Race {
  readonly earlier: number;
  readonly later: number;
}

const COVERING: ReadonlySet<TouchMode> = new Set(['write', 'note', 'acquire-write']);
const NO_ACCESSES: readonly Access[] = [];
const NO_CLOCK: Clock = [];
const NO_LOCKS: readonly ObjectId[] = [];

/** Events of the task with `index` that a clock knows of. */
export function knows(clock: Clock, index: number): number {
  return clock[index] ?? 0;
}

export class Timeline {
  readonly steps: TimedStep[] = [];
  /** By task index. */
  readonly #clocks: Clock[] = [];
  readonly #indices = new Map<number, number>();
  readonly #accesses = new Map<ObjectId, readonly Access[]>();

  /** Takes back every step behind the first `count`. */
  cutTo(count: number): void {
    while (this.steps.length > count) {
      const { undo } = this.steps.pop() as TimedStep;
      for (let at = undo.length - 1; at >= 0; at -= 1) undo[at]?.();
    }
  }

  /**
   * Adds a step and returns its races with earlier ones. `spawned` are the tasks that it started, `held` the locks that
   * its task held before.
   */
  add(
    executed: ExecutedStep,
    spawned: readonly number[],
    held: readonly ObjectId[] = NO_LOCKS,
  ): Race[] {
    const event = this.steps.length + 1;
    const undo: (() => void)[] = [];
    const index = this.#indexOf(executed.task);
    const before = this.#clocks[index] ?? NO_CLOCK;
    const clock = before.slice();
    const found: Race[] = [];
    const touches = distinct(executed.touches);
    for (const touch of touches) {
      for (const access of this.accessesOf(touch.object, touch.mode)) {
        if (access.index === index) continue;
        if (orders(access.mode, touch.mode)) join(clock, access.clock);
        if (races(access.mode, touch.mode) && knows(before, access.index) < access.event) {
          found.push({ earlier: access.event, later: event });
        }
      }
    }
    clock[index] = event;
    for (const touch of touches) {
      const { object, mode } = touch;
      const locks = locksDuring(touch, executed, held);
      this.#note(object, { event, index, mode, clock, locks, covered: NO_ACCESSES }, undo);
    }
    this.#setClock(index, clock, undo);
    for (const child of spawned) this.#setClock(this.#indexOf(child), clock, undo);
    this.steps.push({ ...executed, event, index, before, clock, undo });
    // A wait may be over before an earlier step, though not before one that comes between: see waitAgain().
    return executed.step.kind === 'block' && executed.step.awaited !== undefined
      ? found
      : immediate(found, this.steps);
  }

  /** Accesses to `object` that a later one in `mode` may race with. */
  accessesOf(object: ObjectId, mode: TouchMode): readonly Access[] {
    const accesses = this.#accesses.get(object) ?? NO_ACCESSES;
    return mode === 'await' ? withCovered(accesses) : accesses;
  }

  /** What is surely before the next step of `task`. */
  clockOf(task: number): Clock {
    const index = this.#indices.get(task);
    return (index === undefined ? undefined : this.#clocks[index]) ?? NO_CLOCK;
  }

  #indexOf(task: number): number {
    const known = this.#indices.get(task);
    if (known !== undefined) return known;
    const index = this.#indices.size;
    this.#indices.set(task, index);
    return index;
  }

  #setClock(index: number, clock: Clock, undo: (() => void)[]): void {
    const old = this.#clocks[index] ?? NO_CLOCK;
    this.#clocks[index] = clock;
    undo.push(() => {
      this.#clocks[index] = old;
    });
  }

  #note(object: ObjectId, access: Access, undo: (() => void)[]): void {
    const old = this.#accesses.get(object) ?? NO_ACCESSES;
    // What a write is ordered after does not matter to a step that conflicts with the write as well.
    const covers = COVERING.has(access.mode);
    this.#accesses.set(object, covers ? [{ ...access, covered: old }] : [...old, access]);
    undo.push(() => this.#accesses.set(object, old));
  }
}

function withCovered(accesses: readonly Access[]): readonly Access[] {
  return accesses.flatMap((access) => [...withCovered(access.covered), access]);
}

/** A step that touches one object often in one way touches it once. */
function distinct(touches: readonly Touch[]): readonly Touch[] {
  return touches.filter(
    (touch, at) =>
      !(
        touchesNothing(touch.mode) ||
        touches.some(
          (other, before) =>
            before < at && other.object === touch.object && other.mode === touch.mode,
        )
      ),
  );
}

/** A race is worth reversing only if no third step stands between the two in the order. */
function immediate(found: Race[], steps: readonly TimedStep[]): Race[] {
  if (found.length < 2) return found;
  return found.filter(({ earlier }) => {
    const first = steps[earlier - 1] as TimedStep;
    return !found.some((other) => {
      if (other.earlier <= earlier) return false;
      const middle = steps[other.earlier - 1] as TimedStep;
      return knows(middle.clock, first.index) >= first.event && middle.index !== first.index;
    });
  });
}

function join(into: number[], other: Clock): void {
  for (let index = 0; index < other.length; index += 1) {
    const event = other[index] ?? 0;
    if (event > (into[index] ?? 0)) into[index] = event;
  }
}
