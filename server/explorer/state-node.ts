/** One decision of a search over states, and what follows from the ones before it. */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Touch } from '../task/context.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { independent } from './dependence.ts';
import type { ExecutedStep } from './execution.ts';
import type { TouchSet } from './subtree-touches.ts';
import type { Order } from './symmetry.ts';
import type { TaskPlace } from './task-places.ts';

/** One decision of the current execution: at which state it stands, what is left to try, and what came of it. */
export interface StateNode {
  readonly key: number;
  /** Which interchangeable actor is in which situation. */
  readonly order: Order;
  readonly enabled: readonly number[];
  /** What each of `enabled` stands before. */
  readonly ats: readonly string[];
  /** The place of each of `enabled`. */
  readonly places: readonly TaskPlace[];
  readonly backtrack: Set<number>;
  readonly explored: Set<number>;
  /** Tasks whose next step need not be taken here: it commutes with all that was done since it was taken elsewhere. */
  readonly asleep: ReadonlyMap<number, readonly Touch[]>;
  /** The same by situation, of whoever it is. */
  readonly situations: ReadonlySet<number>;
  /** Whoever may sleep where this state is met again, by situation, for all to be covered that comes then. */
  readonly claim: ReadonlySet<number>;
  /** What was tried here, in that order: a task sleeps behind those that were tried after it. */
  readonly taken: Map<number, readonly Touch[]>;
  chosen: number;
  /** taskPath() of it, where circles are judged. */
  chosenPath: string;
  /** What happened behind this decision so far. */
  behind: TouchSet;
  /** Whether something forbidden has happened before it. */
  readonly failed: 'not yet' | 'yes';
  /** A way from here leads back to a decision before it: what comes behind is not known when it is left. */
  inCircle: 'no' | 'yes';
  /** Preemptions until here. */
  readonly preemptions: number;
  /** Whether another search was in the midst of this state: then it is helped, where that one will be last. */
  guest: 'no' | 'yes';
  /** Ways on that were left before they were done, by the task that they begin with: the decisions behind this one. */
  readonly left: Map<number, readonly StateNode[]>;
}

/** The next task to try at `node`, or 'none'. */
export function untried(node: StateNode): number | 'none' {
  for (const task of node.backtrack) {
    if (node.explored.has(task)) continue;
    if (!node.asleep.has(task)) return task;
    node.explored.add(task);
  }
  return 'none';
}

/** A task was stopped that could have gone on. */
export function preemptionsAfter(
  parent: StateNode | undefined,
  before: ExecutedStep | undefined,
): number {
  if (parent === undefined) return 0;
  const stopped =
    before !== undefined && before.task !== parent.chosen && parent.enabled.includes(before.task);
  return parent.preemptions + (stopped ? 1 : 0);
}

/** Which tasks may run: when no preemption is left, the one that ran goes on while it can. */
export function within(
  preemptionsMax: number | undefined,
  preemptions: number,
  previous: ExecutedStep | undefined,
  enabled: readonly number[],
): readonly number[] {
  if (preemptionsMax === undefined || preemptions < preemptionsMax) return enabled;
  return previous !== undefined && enabled.includes(previous.task) ? [previous.task] : enabled;
}

export function awake(
  enabled: readonly number[],
  sleep: ReadonlyMap<number, readonly Touch[]>,
): number[] {
  return enabled.filter((task) => !sleep.has(task));
}

export function chosenAgain(
  node: StateNode,
  ready: readonly RunningTask[],
  depth: number,
): RunningTask {
  const task = ready.find(({ identity }) => identity.id === node.chosen);
  const same =
    ready.length === node.enabled.length &&
    ready.every(({ identity, pending }) => {
      const at = node.enabled.indexOf(identity.id);
      return at >= 0 && node.ats[at] === pending.at;
    });
  invariant(task !== undefined && same, 'SC1', {
    depth,
    before: node.ats.join(),
    now: ready.map(({ pending }) => pending.at).join(),
  });
  return task;
}

/** What sleeps behind `previous`, which was taken at `parent`. */
export function sleepAfter(
  parent: Pick<StateNode, 'asleep' | 'taken'> | undefined,
  previous: Pick<ExecutedStep, 'task' | 'touches'> | undefined,
): Map<number, readonly Touch[]> {
  const sleep = new Map<number, readonly Touch[]>();
  if (parent === undefined || previous === undefined) return sleep;
  const add = (task: number, touches: readonly Touch[]): void => {
    if (task !== previous.task && independent(touches, previous.touches)) sleep.set(task, touches);
  };
  for (const [task, touches] of parent.asleep) add(task, touches);
  for (const [task, touches] of parent.taken) {
    if (task === previous.task) break;
    add(task, touches);
  }
  return sleep;
}

/** Knuth's estimate along the current branch. */
export function doneShare(stack: readonly StateNode[]): number {
  let share = 0;
  let weight = 1;
  for (const { backtrack, explored } of stack) {
    weight /= backtrack.size;
    share += weight * (explored.size - 1);
  }
  return Math.min(1, share);
}
