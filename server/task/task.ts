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
   * 'watch': a read of which the task remembers nothing but what it does next.
   */
  readonly how?: 'raise' | 'lower' | 'watch';
}

/** Waits until `until()` holds; it may change only when a task calls wake(context, on). */
export interface BlockStep {
  readonly kind: 'block';
  readonly at: YieldPoint;
  readonly on: ObjectId;
  readonly until: () => boolean;
  /** See waitAgain(). */
  readonly awaited?: ObjectId;
}

/**
 * Starts tasks beside this one. Each is joined through a BlockStep on its `done` object, and runs under the locks of
 * this one; unless it is detached, as a work item is.
 */
export interface SpawnStep {
  readonly kind: 'spawn';
  readonly at: YieldPoint;
  readonly detached?: true;
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
 * As waitUntil(), for a wait that may have been over before it had to be waited for, and may have to be waited for once
 * more: writes to `awaited` make it wait, so it is also tried before the earliest of them. The steps that let it go on
 * note 'end', and the segment behind it 'ended'. `on` is only where it is woken.
 */
export function waitAgain(
  at: YieldPoint,
  on: ObjectId,
  awaited: ObjectId,
  until: () => boolean,
): BlockStep {
  return { kind: 'block', at, on, until, awaited };
}
