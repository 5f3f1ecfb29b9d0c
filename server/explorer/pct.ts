/**
 * PCT: tasks get random priorities, and at a few random steps the running one falls below all others (Burckhardt,
 * Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).
 */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Chooser } from './replay.ts';

/** `depth - 1` changes among the first `steps` steps. A task that is started later gets a priority of its own. */
export function pct(random: () => number, steps: number, depth: number): Chooser {
  const priorities = new Map<number, number>();
  const changes = new Map<number, number>();
  for (let change = 1; change < depth; change += 1) {
    changes.set(Math.floor(random() * Math.max(1, steps)), -change);
  }
  return (ready, _previous, step) => {
    let best = ready[0] as RunningTask;
    for (const task of ready) {
      const { id } = task.identity;
      if (!priorities.has(id)) priorities.set(id, random());
      if ((priorities.get(id) ?? 0) > (priorities.get(best.identity.id) ?? 0)) best = task;
    }
    const lowered = changes.get(step);
    if (lowered !== undefined) priorities.set(best.identity.id, lowered);
    return best;
  };
}

/**
 * The least probability that one execution shows a bug of this depth, if no execution has more tasks and steps than
 * measured: 1 / (n * k^(d-1)).
 */
export function detectionOf(
  { tasks, steps }: { readonly tasks: number; readonly steps: number },
  depth: number,
): number {
  return 1 / (Math.max(1, tasks) * Math.max(1, steps) ** (depth - 1));
}

/** The probability that none of `executions` has shown it: (1 - p)^E, also where p is tiny. */
export function missedAfter(detection: number, executions: number): number {
  return Math.exp(executions * Math.log1p(-detection));
}
