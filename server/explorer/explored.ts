/** What the explorer needs of a world: tasks to schedule, and checks that say what went wrong. */

import type { RunningTask, Scheduler } from '../scheduler/scheduler.ts';
import type { ObjectId } from '../task/object-id.ts';
import type { Step } from '../task/task.ts';
import type { Failure } from './failure.ts';
import type { Stuck } from './stuck.ts';

/** One world, built afresh for each execution. Its tasks are spawned and none of their steps taken. */
export interface Explored {
  readonly scheduler: Scheduler;
  /** The first forbidden thing that has happened, or 'none'. Asked after every step. */
  failure(): Failure | 'none';
  /** The same when no task can go on; `stuck` are those that wait. */
  failureAtEnd(stuck: readonly RunningTask[]): Failure | 'none';
  /** Whether the race that the question is about was possible in this execution. */
  windowEntered(): boolean;
  /** Names what differs at the end: executions with one outcome are one answer. */
  outcome(): string;
  /** Who waits for whom, where the tasks that are left wait for ever. Asked when no task can go on. */
  readonly stuck?: () => Stuck | 'none';
  /** Objects that failure() reads when `step` has acted, beside the step's own. */
  alsoReads(step: Step): readonly ObjectId[];
  /** Objects whose 'raise' and 'lower' commute in this world as well: no task asks whether it was at its lowest. */
  readonly countedOnly?: (object: ObjectId) => boolean;
  /** For state caching: what the world can say of its state. Without it, a state is who wrote what when. */
  readonly contents?: WorldContents;
}

/** What a world can say of its own state. All of it must be the same for the same state, however it came about. */
export interface WorldContents {
  /**
   * What stands at `object`; of a lock, what it guards. 'unknown': the explorer goes by who wrote it, and after what.
   * Must hold everything that a task can learn there.
   */
  contentOf(object: ObjectId): number | string | 'unknown';
  /** What a task can learn at `object` by a read, where that is not what contentOf() says. */
  learnableAt(object: ObjectId): number | string | 'the content';
  /** What values that are held to be compared are compared with: see holdToCompare(). */
  comparedAt(object: ObjectId): number | 'unknown';
  /** Objects whose content follows from that of others, with that content. */
  derived(): Iterable<readonly [object: ObjectId, content: number]>;
  /** What may change the future and belongs to no object. */
  rest(): string;
  /** Where the question's window stands, as far as it is not entered. */
  windowReached(): string;
}

export type NewExplored = () => Explored;
