import type { Kernel } from '../kernel/kernel.ts';
import type { TaskIdentity } from '../task/context.ts';
import type { Task } from '../task/task.ts';

/** Which tasks are inside of a kernel function: for a patch that changes what this one calls, and only there. */
export interface InsideFunction {
  /** `task`, with the running task inside until its end. */
  readonly during: <T>(k: Kernel, task: Task<T>) => Task<T>;
  /** The running task is inside. */
  readonly isHere: (k: Kernel) => boolean;
}

/** A task's own affair, so that no other task can learn of it. */
export function insideFunction(): InsideFunction {
  const tasks = new WeakSet<TaskIdentity>();
  return {
    *during(k, task) {
      const { current } = k.context;
      tasks.add(current);
      const result = yield* task;
      tasks.delete(current);
      return result;
    },
    isHere: (k) => tasks.has(k.context.current),
  };
}
