/**
 * What a task is: a generator that may be preempted at each `yield`, and only there. A function that is not a
 * Task runs to its end as one atomic step. A step is yielded *before* the access it describes (announce, then
 * act): the explorer decides with it, the trace prints it.
 */
import type { ObjectId } from './object-id.ts';

/** Where in the code a step stands: `function.moment`, in the kernel's spelling. Unique and stable. */
export type YieldPoint = string;

export type AccessMode = 'read' | 'write';

/** About to read or write `object`. Always ready. */
export interface AccessStep {
  readonly kind: 'access';
  readonly at: YieldPoint;
  readonly object: ObjectId;
  readonly mode: AccessMode;
  /**
   * 'raise', 'lower': a write that commutes with writes of its own kind, as a counter going up, or going down.
   * 'watch': a read of which the task remembers nothing but what it does next. 'await': likewise, and what raises the
   * object does not change that.
   */
  readonly how?: 'raise' | 'lower' | 'watch' | 'await';
}

/** Waits until `until()` holds; it may change only when a task calls wake(context, on). */
export interface BlockStep {
  readonly kind: 'block';
  readonly at: YieldPoint;
  readonly on: ObjectId;
  readonly until: () => boolean;
  /** 'await': what raises `on` does not change `until`. */
  readonly how?: 'await';
}

/** Starts tasks beside this one. Each is joined through a BlockStep on its `done` object. */
export interface SpawnStep {
  readonly kind: 'spawn';
  readonly at: YieldPoint;
  readonly children: readonly Child[];
}

export type Step = AccessStep | BlockStep | SpawnStep;

/** May be preempted at each `yield`. */
export type Task<T> = Generator<Step, T, void>;

/** A task to be started: who it acts for, what it is called, what it does. */
export interface Child {
  readonly actor: string;
  readonly name: string;
  readonly done: ObjectId;
  readonly task: Task<unknown>;
}

export function willRead(at: YieldPoint, object: ObjectId): AccessStep {
  return { kind: 'access', at, object, mode: 'read' };
}

export function willWrite(at: YieldPoint, object: ObjectId): AccessStep {
  return { kind: 'access', at, object, mode: 'write' };
}

/** About to ask whether what was read at `object` before still stands there, and to remember only what follows. */
export function willCompare(at: YieldPoint, object: ObjectId): AccessStep {
  return { kind: 'access', at, object, mode: 'read', how: 'watch' };
}

/** As willCompare(), where what raises `object` does not change the answer. */
export function willCompareLowered(at: YieldPoint, object: ObjectId): AccessStep {
  return { kind: 'access', at, object, mode: 'read', how: 'await' };
}

/** About to count `object` up: commutes with others that do. */
export function willRaise(at: YieldPoint, object: ObjectId): AccessStep {
  return { kind: 'access', at, object, mode: 'write', how: 'raise' };
}

/** About to count `object` down: commutes with others that do. */
export function willLower(at: YieldPoint, object: ObjectId): AccessStep {
  return { kind: 'access', at, object, mode: 'write', how: 'lower' };
}

/** See BlockStep. The task that makes `until` true wakes `on` afterwards. */
export function waitUntil(at: YieldPoint, on: ObjectId, until: () => boolean): BlockStep {
  return { kind: 'block', at, on, until };
}

/**
 * Waits until `until()` holds, which no step that raises `on` can change: so the wait need not be tried before and
 * behind each of those. What else it depends on, the same step must touch.
 */
export function waitForLower(at: YieldPoint, on: ObjectId, until: () => boolean): BlockStep {
  return { kind: 'block', at, on, until, how: 'await' };
}
