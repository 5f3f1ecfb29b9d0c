/**
 * What prepared code tells while it runs (prepared-code.ts): the turns of its loops between two steps, and the tasks
 * that its calls make. One thread runs one execution at a time.
 */
import type { Task } from '../task/task.ts';

/** Turns of loops between two steps. Loops over pages take hundreds. */
export const TURNS_MAX = 1_000_000;

/** A user's loop has let no task run for TURNS_MAX turns: it is taken for one without end. */
export class LoopWithoutEnd extends Error {
  constructor() {
    super(`a loop has made ${TURNS_MAX} turns and has let no other task run`);
    this.name = 'LoopWithoutEnd';
  }
}

/** A task that user code has made by a call, and that something must run. */
export interface NotedTask {
  readonly call: string;
  isRun: boolean;
}

let stepsTaken: () => number = () => 0;
let step = -1;
let turns = 0;
/** Where calls of the running user function are noted; 'nowhere' while none runs. */
let notes: NotedTask[] | 'nowhere' = 'nowhere';

/** From here on turns are counted for each of the steps that `steps` counts. */
export function countTurnsOf(steps: () => number): void {
  stepsTaken = steps;
  step = -1;
}

/** Throws: LoopWithoutEnd. */
export function noteTurn(): void {
  const now = stepsTaken();
  if (now !== step) {
    step = now;
    turns = 0;
  }
  turns += 1;
  if (turns > TURNS_MAX) throw new LoopWithoutEnd();
}

/** What `run` makes by its calls is noted in `mine`. */
export function notingIn<T>(mine: NotedTask[], run: () => T): T {
  const outer = notes;
  notes = mine;
  try {
    return run();
  } finally {
    notes = outer;
  }
}

/** What a call of user code has returned: if it is a task, it is noted whether it is run. */
export function noteCalled<Made>(made: Made, call: string): Made {
  if (!isTask(made) || notes === 'nowhere') return made;
  const entry: NotedTask = { call, isRun: false };
  notes.push(entry);
  const task: Task<unknown> = made;
  return (function* () {
    entry.isRun = true;
    return yield* task;
  })() as Made;
}

export function isTask(value: unknown): value is Task<unknown> {
  const { next, throw: fail } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof value === 'object' && typeof next === 'function' && typeof fail === 'function';
}
