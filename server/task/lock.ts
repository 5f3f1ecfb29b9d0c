import { invariant } from '../vocabulary/invariant.ts';
import { type HeldLock, type TaskContext, type TaskIdentity, touch, wake } from './context.ts';
import type { LockClass } from './lock-class.ts';
import { checkLockOrder, recordHeld, recordReleased } from './lock-order.ts';
import type { ObjectId } from './object-id.ts';
import type { Task, YieldPoint } from './task.ts';

/** A mutex or a spinlock: with one scheduler and visible yields there is no difference but the class. */
export interface Lock<Class extends LockClass = LockClass> extends HeldLock {
  readonly class: Class;
  readonly object: ObjectId;
  holder: TaskIdentity | 'none';
  /** How often it was taken: distinguishes one hold from the next. */
  holds: number;
  readonly isFree: () => boolean;
}

/** The proof that a lock is held: the lock itself, in the type that only lock() and tryLock() give. */
export type Held<Class extends LockClass = LockClass> = Lock<Class> & { readonly __held: true };

export function newLock<Class extends LockClass>(lockClass: Class, object: ObjectId): Lock<Class> {
  const lock: Lock<Class> = {
    class: lockClass,
    object,
    holder: 'none',
    holds: 0,
    isFree: () => lock.holder === 'none',
  };
  return lock;
}

/** Waits for `lock` and takes it. Yields: yes. */
export function* lock<Class extends LockClass>(
  context: TaskContext,
  at: YieldPoint,
  wanted: Lock<Class>,
): Task<Held<Class>> {
  checkLockOrder(context, at, wanted);
  yield { kind: 'block', at, on: wanted.object, until: wanted.isFree };
  return take(context, wanted);
}

/**
 * spin_lock_nested(): a second lock of a class that the task holds already. The caller guarantees an order within
 * the class, so only the classes inside it are checked.
 */
export function* lockNested<Class extends LockClass>(
  context: TaskContext,
  at: YieldPoint,
  wanted: Lock<Class>,
): Task<Held<Class>> {
  checkLockOrder(context, at, wanted, 'nested');
  yield { kind: 'block', at, on: wanted.object, until: wanted.isFree };
  return take(context, wanted);
}

/** Takes `lock` if it is free. Announce it with willWrite(at, lock.object) before. */
export function tryLock<Class extends LockClass>(
  context: TaskContext,
  wanted: Lock<Class>,
): Held<Class> | 'busy' {
  return wanted.holder === 'none' ? take(context, wanted) : 'busy';
}

/** Not a yield point: a release commutes with everything but waiting for it. */
export function unlock<Class extends LockClass>(context: TaskContext, held: Held<Class>): void {
  const lock: Lock<Class> = held;
  invariant(lock.holder !== 'none', 'LK2', { class: lock.class });
  recordReleased(context, lock.holder, lock);
  lock.holder = 'none';
  wake(context, lock.object, 'release-write');
}

/** `proof` is the proof for exactly `guard`, and still valid. */
export function assertHeld(proof: Held, guard: Lock): void {
  invariant(proof === guard, 'LK4', { class: guard.class });
  invariant(guard.holder !== 'none', 'LK2', { class: guard.class });
}

function take<Class extends LockClass>(context: TaskContext, wanted: Lock<Class>): Held<Class> {
  invariant(wanted.holder === 'none', 'LK1', { class: wanted.class });
  wanted.holder = recordHeld(context, wanted, 'write');
  wanted.holds += 1;
  touch(context, wanted.object, 'acquire-write');
  return wanted as Held<Class>;
}
