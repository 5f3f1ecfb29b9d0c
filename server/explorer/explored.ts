/** What the explorer needs of a world: tasks to schedule, and somebody who says what went wrong. */
import type { RunningTask, Scheduler } from '../scheduler/scheduler.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { Step } from '../task/task.ts';

/** One world, built afresh for each execution. Its tasks are spawned and none of their steps taken. */
export interface Explored {
  readonly scheduler: Scheduler;
  /** The first forbidden thing that has happened, or 'none'. Asked after every step. */
  failure(): string | 'none';
  /** The same when no task can go on; `stuck` are those that wait. */
  failureAtEnd(stuck: readonly RunningTask[]): string | 'none';
  /** Whether the race that the question is about was possible in this execution. */
  windowEntered(): boolean;
  /** Names what can be told apart at the end: executions with one outcome are one answer. */
  outcome(): string;
  /** Objects that failure() reads when `step` has acted, beside the step's own. */
  alsoReads(step: Step): readonly ObjectId[];
}

export type NewExplored = () => Explored;
