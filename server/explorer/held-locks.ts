/** Which locks keep others out while a step is taken. */
import type { TaskIdentity, Touch } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { ExecutedStep } from './execution.ts';

const NONE: readonly ObjectId[] = [];

/** Locks that the task holds alone, or that one holds that waits for it. */
export function locksHeld({ held, parent }: TaskIdentity): readonly ObjectId[] {
  const above = parent === 'none' ? NONE : locksHeld(parent);
  if (held.length === 0) return above;
  // A semaphore may be held by several.
  const own = held.filter((lock) => 'holder' in lock).map(({ object }) => object);
  return own.length === 0 ? above : [...above, ...own];
}

/**
 * The locks that order `touch` of `step`, whose task held `before`: two touches under one lock come in the order in
 * which it was taken. A step that waits for a lock does what it does under it.
 */
export function locksDuring(
  touch: Touch,
  { step, touches }: ExecutedStep,
  before: readonly ObjectId[],
): readonly ObjectId[] {
  if (step.kind !== 'block' || touch.mode === 'acquire-write') return before;
  if (!touches.some(({ object, mode }) => mode === 'acquire-write' && object === step.on)) {
    return before;
  }
  return [...before, step.on];
}
