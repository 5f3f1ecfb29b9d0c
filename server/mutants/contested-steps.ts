/** Whether two tasks of one execution touch the same: then the order in which they do may matter. */
import type { ExecutedStep } from '../explorer/execution.ts';
import type { Touch, TouchMode } from '../task/context.ts';
import { type ObjectId, objectName } from '../task/object-id.ts';

const READING: ReadonlySet<TouchMode> = new Set(['read', 'acquire-read']);
const CHANGING: ReadonlySet<TouchMode> = new Set([
  'write',
  'add',
  'raise',
  'lower',
  'acquire-write',
]);

/** What the touch is about; 'none' of what says nothing: nearly everybody takes mmap_lock. */
export function subjectOf({ object, mode }: Touch): ObjectId | 'none' {
  if (!(READING.has(mode) || CHANGING.has(mode))) return 'none';
  return objectName(object).kind === 'mmap_lock' ? 'none' : object;
}

/** What a line has to do with: the objects of the steps from so many before it to so many behind. */
export const BEFORE = 1;
export const BEHIND = 3;
/** It only looks at what the others have left. */
const WITNESS = 'witness';

export class ContestedSteps {
  readonly #steps: readonly ExecutedStep[];
  readonly #readers = new Map<ObjectId, Set<number>>();
  readonly #writers = new Map<ObjectId, Set<number>>();

  constructor(steps: readonly ExecutedStep[]) {
    this.#steps = steps;
    for (const { actor, task, touches } of steps) {
      if (actor === WITNESS) continue;
      for (const touch of touches) {
        const object = subjectOf(touch);
        if (object === 'none') continue;
        const tasks = READING.has(touch.mode) ? this.#readers : this.#writers;
        const ofObject = tasks.get(object);
        if (ofObject === undefined) tasks.set(object, new Set([task]));
        else ofObject.add(task);
      }
    }
  }

  /** Around the step with this number. */
  isAt(step: number): boolean {
    const at = this.#steps[step];
    if (at === undefined || at.actor === WITNESS) return false;
    // Threads of one actor are as much in each other's way as those of two.
    const { task } = at;
    return this.#steps.slice(Math.max(0, step - BEFORE), step + BEHIND + 1).some(
      (near) =>
        near.task === task &&
        near.touches.some((touch) => {
          const object = subjectOf(touch);
          if (object === 'none') return false;
          if (hasOther(this.#writers.get(object), task)) return true;
          return CHANGING.has(touch.mode) && hasOther(this.#readers.get(object), task);
        }),
    );
  }
}

function hasOther(tasks: ReadonlySet<number> | undefined, task: number): boolean {
  if (tasks === undefined) return false;
  return tasks.size > 1 || (tasks.size === 1 && !tasks.has(task));
}
