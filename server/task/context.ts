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
  /** What it does now: a program does one operation after the other. */
  name: string;
  readonly parent: TaskIdentity | 'none';
  /** Locks taken and not yet released, oldest first. */
  readonly held: HeldLock[];
  /** For each of them the step at which it was taken. */
  readonly heldAt: string[];
}

export const NO_TASK: TaskIdentity = {
  id: 0,
  actor: 'nobody',
  name: 'nobody',
  parent: 'none',
  held: [],
  heldAt: [],
};

/** Two locks were taken in an order that LOCK_ORDER forbids; reported, whether or not it deadlocked. */
export interface LockOrderViolation {
  readonly task: TaskIdentity;
  readonly at: string;
  readonly outer: HeldLock;
  /** The step at which that was taken. */
  readonly outerAt: string;
  readonly wanted: HeldLock;
}

/**
 * How a segment touched an object. 'add' commutes with itself (a reference count), and so do 'raise' and 'lower',
 * but not with each other; an acquire is ordered after the release before it, and two acquires race unless both are
 * for reading; a 'downgrade' is a release to readers. 'watch' is a read and 'note' a write of a listener of the log:
 * the running task learns nothing by them.
 * 'await' is a 'watch' by a task that waits there: see waitAgain(). 'end' and 'ended' commute with all, themselves as
 * well, but for the order in which they come: what 'ended' notes could not be before the 'end'.
 * 'enter', 'again' and 'hold' touch nothing: see enterLoop() and holdToCompare().
 */
export type TouchMode =
  | 'read'
  | 'write'
  | 'add'
  | 'raise'
  | 'lower'
  | 'watch'
  | 'await'
  | 'end'
  | 'ended'
  | 'note'
  | 'enter'
  | 'again'
  | 'hold'
  | 'acquire-read'
  | 'acquire-write'
  | 'release-read'
  | 'release-write'
  | 'downgrade';

/**
 * What is touched, and in which way, may depend only on what the same segment touches as well, in a way that conflicts
 * with the task that changes it: an explorer remembers what a step would touch while others that commute with it go
 * first.
 */
export interface Touch {
  readonly object: ObjectId;
  readonly mode: TouchMode;
  /** Of 'hold': what is held. */
  readonly value?: number;
  /** Of 'again': what the task still knows of what it has learnt since it entered. */
  readonly known?: string;
}

/** How a lock is held. */
export type LockMode = 'read' | 'write';

/** Called for locks that are taken and released, in the order in which it happens. */
export interface LockListener {
  readonly taken: (lock: HeldLock, mode: LockMode, by: TaskIdentity) => void;
  readonly released: (lock: HeldLock, holder: TaskIdentity) => void;
}

/** What all tasks of one world share with their scheduler, and nothing else does. */
export interface TaskContext {
  /** The running task. Set by the scheduler before each step. */
  current: TaskIdentity;
  /** The step that it has taken last. */
  at: string;
  /** Objects changed since the scheduler last looked; it looks again at the tasks that wait on them. */
  readonly changed: ObjectId[];
  readonly lockOrderViolations: LockOrderViolation[];
  /** What the running segment has touched, for an explorer; 'off' without one. */
  footprint: Touch[] | 'off';
  /** Whose touches come now: the running task's, or those of a listener of the event log. */
  observer: 'task' | 'listener';
  /** 'off' without a listener. */
  lockListener: LockListener | 'off';
  /** 'runs': it may keep something for a task that nobody else knows of. See keepOnly(). */
  userCode: 'none' | 'runs';
  /** Takes the notes of user code (assertions.ts); 'off' where they are not read. */
  onNote: ((text: string) => void) | 'off';
  /** Objects that user code has allocated, by name (assertions.ts). */
  readonly allocated: Map<string, number>;
  /** Running number for objects that have no natural index (answers, children). */
  nextSerial: number;
}

export function newTaskContext(): TaskContext {
  return {
    current: NO_TASK,
    at: 'none',
    changed: [],
    lockOrderViolations: [],
    footprint: 'off',
    observer: 'task',
    lockListener: 'off',
    userCode: 'none',
    onNote: 'off',
    allocated: new Map(),
    nextSerial: 1,
  };
}

/** Lets the tasks that wait on `object` look again. Not a yield point. */
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
  const kind = context.observer === 'task' ? mode : (LOOKING_ON[mode] ?? mode);
  if (last?.object !== object || last.mode !== kind) footprint.push({ object, mode: kind });
}

/** What touches of a listener of the log come to. */
const LOOKING_ON: { readonly [Mode in TouchMode]?: TouchMode } = {
  read: 'watch',
  write: 'note',
  add: 'note',
  raise: 'note',
  lower: 'note',
};

/**
 * Marks for an explorer that the running task begins something, named by `loop`, of which it will forget most: a loop
 * that tries until nothing comes in between, a call of which it keeps the answer.
 */
export function enterLoop(context: TaskContext, loop: ObjectId): void {
  touch(context, loop, 'enter');
}

/** The task begins another round, and knows no more than at enterLoop(), not even which round it is. */
export function loopAgain(context: TaskContext, loop: ObjectId): void {
  touch(context, loop, 'again');
}

/**
 * From here on the task knows no more than at enterLoop(), and `known`: what else it has learnt since decides nothing
 * that it does. Where user code runs it goes on knowing all.
 */
export function keepOnly(
  { footprint, userCode }: TaskContext,
  loop: ObjectId,
  known: string,
): void {
  if (footprint !== 'off' && userCode === 'none') {
    footprint.push({ object: loop, mode: 'again', known });
  }
}

/** The running task learns `text` of what stands at `object`, and nothing else of it. */
export function learnOnly({ footprint }: TaskContext, object: ObjectId, text: string): void {
  if (footprint === 'off') return;
  footprint.push({ object, mode: 'enter' }, { object, mode: 'again', known: text });
}

/**
 * Marks for an explorer that the running task keeps `value`, which it has read at `object`, only to ask later whether
 * it still stands there: which value it is does not matter.
 */
export function holdToCompare(context: TaskContext, object: ObjectId, value: number): void {
  if (context.footprint !== 'off') context.footprint.push({ object, mode: 'hold', value });
}

/** A number not handed out before in this world. */
export function serial(context: TaskContext): number {
  const value = context.nextSerial;
  context.nextSerial = value + 1;
  return value;
}
