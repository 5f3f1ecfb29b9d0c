import { invariant } from '../vocabulary/invariant.ts';
import { type HeldLock, type TaskContext, type TaskIdentity, touch, wake } from './context.ts';
import type { LockClass } from './lock-class.ts';
import { checkLockOrder, recordHeld, recordReleased } from './lock-order.ts';
import type { ObjectId } from './object-id.ts';
import type { Task, YieldPoint } from './task.ts';

/**
 * A fair read-write semaphore, after kernel/locking/rwsem.c: first come, first served, so a waiting writer
 * holds up readers that come later (and a task that read-locks twice can deadlock on a writer in between).
 */
export interface RwSem extends HeldLock {
  readonly class: LockClass;
  readonly object: ObjectId;
  /** What the order of arrival is called when tasks conflict on it. */
  readonly queue: ObjectId;
  writer: TaskIdentity | 'none';
  /** How often it was taken for writing: distinguishes one hold from the next. */
  writes: number;
  readonly readers: TaskIdentity[];
  /** Arrival order of those who wait. */
  readonly waiting: Ticket[];
}

interface Ticket {
  readonly mode: 'read' | 'write';
  readonly task: TaskIdentity;
}

export interface HeldForRead {
  readonly sem: RwSem;
  readonly reader: TaskIdentity;
}

export interface HeldForWrite {
  readonly sem: RwSem;
  readonly writer: TaskIdentity;
}

/** `object` and the number behind it must be the semaphore's own. */
export function newRwSem(lockClass: LockClass, object: ObjectId): RwSem {
  const queue = (object + 1) as ObjectId;
  return { class: lockClass, object, queue, writer: 'none', writes: 0, readers: [], waiting: [] };
}

/** Waits until no writer holds `sem` or came earlier, then holds it with other readers. Yields: yes. */
export function* readLock(context: TaskContext, at: YieldPoint, sem: RwSem): Task<HeldForRead> {
  checkLockOrder(context, at, sem);
  touch(context, sem.queue, 'read');
  const ticket = arrive(context, sem, 'read');
  yield { kind: 'block', at, on: sem.object, until: () => canRead(sem, ticket) };
  invariant(sem.writer === 'none', 'LK1', { class: sem.class });
  leaveQueue(context, sem, ticket);
  return holdToRead(context, sem);
}

function holdToRead(context: TaskContext, sem: RwSem): HeldForRead {
  touch(context, sem.object, 'acquire-read');
  const reader = recordHeld(context, sem, 'read');
  sem.readers.push(reader);
  return { sem, reader };
}

/** Waits until no task holds `sem` and none came earlier, then holds it alone. Yields: yes. */
export function* writeLock(context: TaskContext, at: YieldPoint, sem: RwSem): Task<HeldForWrite> {
  checkLockOrder(context, at, sem);
  return yield* queueToWrite(context, at, sem);
}

/** down_read_trylock(). Announce it with willRead(at, sem.object) before. */
export function tryReadLock(context: TaskContext, sem: RwSem): HeldForRead | 'busy' {
  touch(context, sem.queue, 'read');
  if (sem.writer !== 'none' || sem.waiting.some(({ mode }) => mode === 'write')) {
    touch(context, sem.object, 'read');
    return 'busy';
  }
  return holdToRead(context, sem);
}

/** down_write_trylock(). Announce it with willWrite(at, sem.object) before. */
export function tryWriteLock(context: TaskContext, sem: RwSem): HeldForWrite | 'busy' {
  touch(context, sem.queue, 'write');
  if (sem.writer !== 'none' || sem.readers.length > 0 || sem.waiting.length > 0) {
    touch(context, sem.object, 'read');
    return 'busy';
  }
  return holdToWrite(context, sem);
}

function holdToWrite(context: TaskContext, sem: RwSem): HeldForWrite {
  touch(context, sem.object, 'acquire-write');
  const writer = recordHeld(context, sem, 'write');
  sem.writer = writer;
  sem.writes += 1;
  return { sem, writer };
}

function* queueToWrite(context: TaskContext, at: YieldPoint, sem: RwSem): Task<HeldForWrite> {
  touch(context, sem.queue, 'write');
  const ticket = arrive(context, sem, 'write');
  yield { kind: 'block', at, on: sem.object, until: () => canWrite(sem, ticket) };
  invariant(sem.writer === 'none' && sem.readers.length === 0, 'LK1', { class: sem.class });
  leaveQueue(context, sem, ticket);
  return holdToWrite(context, sem);
}

/**
 * down_write_nest_lock(): a second semaphore of a class that the task holds already. The caller guarantees an order
 * within the class.
 */
export function* writeLockNested(
  context: TaskContext,
  at: YieldPoint,
  sem: RwSem,
): Task<HeldForWrite> {
  checkLockOrder(context, at, sem, 'nested');
  return yield* queueToWrite(context, at, sem);
}

/** Not a yield point. The reader may be another task than the one that took it (a device's later request). */
export function readUnlock(context: TaskContext, held: HeldForRead): void {
  const at = held.sem.readers.indexOf(held.reader);
  invariant(at >= 0, 'LK2', { class: held.sem.class });
  held.sem.readers.splice(at, 1);
  recordReleased(context, held.reader, held.sem);
  wake(context, held.sem.object, 'release-read');
}

export function writeUnlock(context: TaskContext, held: HeldForWrite): void {
  invariant(held.sem.writer === held.writer, 'LK2', { class: held.sem.class });
  held.sem.writer = 'none';
  recordReleased(context, held.writer, held.sem);
  wake(context, held.sem.object, 'release-write');
}

/**
 * downgrade_write(): whoever holds it alone goes on as a reader, and never lets go in between: no writer comes first.
 * The readers that wait before the first writer come in. Not a yield point.
 */
export function downgradeWrite(context: TaskContext, held: HeldForWrite): HeldForRead {
  const { sem, writer } = held;
  invariant(sem.writer === writer, 'LK2', { class: sem.class });
  sem.writer = 'none';
  recordReleased(context, writer, sem);
  wake(context, sem.object, 'downgrade');
  const reader = recordHeld(context, sem, 'read');
  sem.readers.push(reader);
  return { sem, reader };
}

function arrive({ current }: TaskContext, sem: RwSem, mode: Ticket['mode']): Ticket {
  const ticket: Ticket = { mode, task: current };
  sem.waiting.push(ticket);
  return ticket;
}

function leaveQueue(context: TaskContext, sem: RwSem, ticket: Ticket): void {
  sem.waiting.splice(sem.waiting.indexOf(ticket), 1);
  if (sem.waiting.length > 0) context.changed.push(sem.object);
}

function canRead(sem: RwSem, ticket: Ticket): boolean {
  if (sem.writer !== 'none') return false;
  for (const earlier of sem.waiting) {
    if (earlier === ticket) return true;
    if (earlier.mode === 'write') return false;
  }
  return true;
}

function canWrite(sem: RwSem, ticket: Ticket): boolean {
  return sem.writer === 'none' && sem.readers.length === 0 && sem.waiting[0] === ticket;
}
