/**
 * What the author of a patch or a driver may say in its code: what must not be, what is worth a row in a drawing, that
 * memory of its own is alive, and what state of its own it reaches. The scheduler is not asked; none of it is a yield
 * point.
 */
import { type TaskContext, touch } from './context.ts';
import { type ObjectId, objectId } from './object-id.ts';
import { HOLD_OWNERS } from './object-owners.ts';

/** An assertion of a user's own code failed: with the schedule that led there, an answer. */
export class UserBug extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UserBug';
  }
}

/** BUG_ON(): throws UserBug if `condition` is true. `text` says what is wrong then. */
export function bugOn(condition: unknown, text: string): void {
  if (condition === true) throw new UserBug(text);
}

/** A row in the drawing of an execution, in the name of the running task. */
export function note(context: TaskContext, text: string): void {
  if (context.onNote !== 'off') context.onNote(text);
}

/** Memory of a user's own, which lives from allocObject() to freeObject(). */
export interface AllocatedObject {
  readonly name: string;
  readonly context: TaskContext;
  /** What it is called when tasks conflict on it. */
  readonly object: ObjectId;
  /** Who freed it, and at which step. */
  freed: string | 'no';
}

/** Objects of one name that an explorer distinguishes. */
const SAME_NAME_MAX = 1_024;

/** kmalloc(). `name` is how reports call it. */
export function allocObject(context: TaskContext, name: string): AllocatedObject {
  const count = context.allocated.get(name) ?? 0;
  context.allocated.set(name, count + 1);
  const index = hashOf(name) * SAME_NAME_MAX + (count % SAME_NAME_MAX);
  const object = objectId('hold', HOLD_OWNERS.userMemory, index);
  touch(context, object, 'write');
  return { name, context, object, freed: 'no' };
}

/**
 * Says that the object is read or written now: two uses of which one writes are tried in both orders. Throws UserBug if
 * it was freed.
 */
export function useObject(used: AllocatedObject, mode: 'read' | 'write' = 'write'): void {
  touch(used.context, used.object, mode);
  bugOn(used.freed !== 'no', `use after free of ${used.name}, which ${used.freed}`);
}

/** kfree(). Throws UserBug if it was freed before. */
export function freeObject(freed: AllocatedObject): void {
  const { context, name } = freed;
  touch(context, freed.object, 'write');
  bugOn(freed.freed !== 'no', `double free of ${name}, which ${freed.freed}`);
  freed.freed = `${context.current.actor} (${context.current.name}) freed behind ${context.at}`;
}

/**
 * What a user's own code keeps under `name`, for touch() and for announcing: two tasks that reach it are tried in both
 * orders then.
 */
export function ownObject(name: string): ObjectId {
  return objectId('hold', HOLD_OWNERS.userState, hashOf(name));
}

/** 24 bits, so that an index fits. */
function hashOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) {
    hash = (Math.imul(hash, 31) + name.charCodeAt(at)) & 0xffffff;
  }
  return hash;
}
