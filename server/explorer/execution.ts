/** One execution: which task took which step, and what each touched. */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Touch } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { Step } from '../task/task.ts';
import type { Explored } from './explored.ts';

export interface ExecutedStep {
  /** Stable within one prefix of choices: tasks are numbered as they are spawned. */
  readonly task: number;
  readonly actor: string;
  readonly name: string;
  readonly step: Step;
  readonly touches: readonly Touch[];
}

export type Ended = 'complete' | 'failed' | 'cut' | 'steps-used-up';

/** Takes one step of `task` and says what it touched. */
export function takeStep(explored: Explored, task: RunningTask): ExecutedStep {
  const { context } = explored.scheduler;
  const step = task.pending;
  const footprint: Touch[] = [];
  context.footprint = footprint;
  explored.scheduler.step(task);
  context.footprint = 'off';
  announce(footprint, step);
  if (explored.countedOnly !== undefined) countOnly(footprint, explored.countedOnly);
  for (const object of explored.alsoReads(step)) footprint.push({ object, mode: 'read' });
  const { id, actor, name } = task.identity;
  return { task: id, actor, name, step, touches: footprint };
}

function countOnly(footprint: Touch[], isCounted: (object: ObjectId) => boolean): void {
  for (const [at, { object, mode }] of footprint.entries()) {
    if ((mode === 'raise' || mode === 'lower') && isCounted(object)) {
      footprint[at] = { object, mode: 'add' };
    }
  }
}

/** The access that the step announced. A lock's own acquire stands in the footprint already. */
function announce(footprint: Touch[], step: Step): void {
  if (step.kind === 'access') {
    if (step.at !== 'task.start') {
      footprint.push({ object: step.object, mode: step.how ?? step.mode });
    }
  } else if (step.kind === 'block' && step.awaited !== undefined) {
    footprint.push({ object: step.awaited, mode: 'await' });
  } else if (step.kind === 'block') {
    const isLock = footprint.some(
      ({ object, mode }) =>
        object === step.on && (mode === 'acquire-read' || mode === 'acquire-write'),
    );
    // That it may go on is all that it learns by waiting.
    if (!isLock) footprint.push({ object: step.on, mode: 'watch' });
  }
}
