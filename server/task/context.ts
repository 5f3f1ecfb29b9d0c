import type { LockClass } from './lock-class.ts';
import type { ObjectId } from './object-id.ts';

/** A lock as it stands in the record of who holds what. */
export interface HeldLock {
  readonly class: LockClass;
  readonly object: ObjectId;
}

/** Who is running. One per task; children know their parent, whose locks they run under. */
export interface TaskIdentity {
  readonly id: number;
  /** The device, CPU thread or kernel worker that the task acts for. */
  readonly actor: string;
  readonly name: string;
  readonly parent: TaskIdentity | 'none';
  /** Locks taken and not yet released, oldest first. */
  readonly held: HeldLock[];
}

export const NOBODY: TaskIdentity = {
  id: 0,
  actor: 'nobody',
  name: 'nobody',
  parent: 'none',
  held: [],
};

/** Two locks were taken in an order that LOCK_ORDER forbids; reported, whether or not it deadlocked. */
export interface LockOrderViolation {
  readonly task: TaskIdentity;
  readonly at: string;
  readonly outer: HeldLock;
  readonly wanted: HeldLock;
}

/**
 * How a segment touched an object. 'add' commutes with itself (a reference count), and so do 'raise' and 'lower',
 * but not with each other; an acquire is ordered after the
 * release before it, and two acquires race unless both are for reading.
 */
export type TouchMode =
  | 'read'
  | 'write'
  | 'add'
  | 'raise'
  | 'lower'
  | 'acquire-read'
  | 'acquire-write'
  | 'release-read'
  | 'release-write';

/**
 * What is touched, and in which way, may depend only on what the same segment touches as well, in a way that conflicts
 * with whoever changes it: an explorer remembers what a step would touch while others that commute with it go first.
 */
export interface Touch {
  readonly object: ObjectId;
  readonly mode: TouchMode;
}

/** How a lock is held. */
export type LockMode = 'read' | 'write';

/** Who is told of locks that are taken and let go of, in the order in which it happens. */
export interface LockListener {
  readonly taken: (lock: HeldLock, mode: LockMode, by: TaskIdentity) => void;
  readonly released: (lock: HeldLock, holder: TaskIdentity) => void;
}

/** What all tasks of one world share with their scheduler, and nothing else does. */
export interface TaskContext {
  /** The running task. Set by the scheduler before each step. */
  current: TaskIdentity;
  /** Objects changed since the scheduler last looked; it looks again at whoever waits on them. */
  readonly changed: ObjectId[];
  readonly lockOrderViolations: LockOrderViolation[];
  /** What the running segment has touched, for an explorer; 'off' where nobody asks. */
  footprint: Touch[] | 'off';
  /** 'off' where nobody asks. */
  lockListener: LockListener | 'off';
  /** Running number for objects that have no natural index (answers, children). */
  nextSerial: number;
}

export function newTaskContext(): TaskContext {
  return {
    current: NOBODY,
    changed: [],
    lockOrderViolations: [],
    footprint: 'off',
    lockListener: 'off',
    nextSerial: 1,
  };
}

/** Tells the scheduler that waiters on `object` should look again. Not a yield point. */
export function wake(context: TaskContext, object: ObjectId, mode: TouchMode = 'write'): void {
  context.changed.push(object);
  touch(context, object, mode);
}

/** Notes an access that no step announces: what a lock covers, or a count. Not a yield point. */
export function touch(context: TaskContext, object: ObjectId, mode: TouchMode): void {
  const { footprint } = context;
  if (footprint === 'off') return;
  // Accessors note each look, so the same comes often several times in a row.
  const last = footprint.at(-1);
  if (last?.object !== object || last.mode !== mode) footprint.push({ object, mode });
}

/** A number not handed out before in this world. */
export function serial(context: TaskContext): number {
  const value = context.nextSerial;
  context.nextSerial = value + 1;
  return value;
}
