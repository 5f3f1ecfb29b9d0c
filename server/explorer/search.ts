/**
 * Searches every interleaving that matters: stateless search by re-execution, reduced by source sets and sleep sets
 * (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014), or plain depth first.
 *
 * Leaves out: livelock; an execution longer than `stepsMax` is reported, not judged.
 * Rules: SC1 (docs/SPEC.md).
 */

import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Touch } from '../task/context.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { knows, type TimedStep, Timeline } from './clocks.ts';
import { independent, races } from './dependence.ts';
import { type ExecutedStep, takeStep } from './execution.ts';
import type { Explored, NewExplored } from './explored.ts';
import type { Failure } from './failure.ts';
import { countOutcome, type Outcome, type Outcomes } from './outcomes.ts';
import { reverse } from './source-sets.ts';

export interface SearchOptions {
  /** 'dpor': one execution of each kind that matters. 'dfs': all of them, to check the former. */
  readonly strategy: 'dpor' | 'dfs';
  /** Steps of one execution. */
  readonly stepsMax: number;
  /** Asked before each execution; 'stop' ends the search as unknown. */
  readonly goOn: (progress: Progress) => 'go on' | 'stop';
  /** Called for each step that is new, with what it touched. */
  readonly onStep?: (step: ExecutedStep) => void;
  /** 'first': stop at the first counterexample. 'all': count them. */
  readonly counterexamples: 'first' | 'all';
}

export interface Progress {
  readonly executions: number;
  readonly steps: number;
  readonly windowEntered: number;
  /** An estimate of how much of the search tree is done, from 0 to 1. */
  readonly done: number;
}

export interface FailingExecution {
  readonly failure: Failure;
  /** Task numbers, step by step. */
  readonly choices: readonly number[];
  readonly steps: readonly ExecutedStep[];
}

export interface SearchResult {
  /** 'complete': every interleaving within the bounds was covered. */
  readonly ended: 'complete' | 'counterexample' | 'stopped';
  readonly executions: number;
  /** Executions that ended because everything left was covered elsewhere. */
  readonly redundant: number;
  readonly steps: number;
  readonly windowEntered: number;
  readonly failures: number;
  /** Executions that reached stepsMax. */
  readonly tooLong: number;
  /** The choices of the first CUT_KEPT of these. */
  readonly cut: readonly (readonly number[])[];
  readonly outcomes: Outcomes;
  readonly counterexample: FailingExecution | 'none';
}

/** Executions that reached stepsMax and are kept: whether they could have ended is asked of few of them. */
export const CUT_KEPT = 4;

/** One decision of the current execution. */
interface Node {
  readonly enabled: readonly number[];
  chosen: number;
  readonly backtrack: Set<number>;
  /** Tasks whose next step need not be taken here: it commutes with all that was done since it was explored. */
  readonly sleep: Map<number, readonly Touch[]>;
  readonly explored: Set<number>;
}

interface Run {
  readonly ended: 'complete' | 'failed' | 'redundant' | 'too long';
  readonly failure: Failure | 'none';
  readonly explored: Explored;
  readonly steps: readonly TimedStep[];
}

/**
 * Covers all interleavings of the world that `newExplored` builds.
 *
 * Throws: KernelBug SC1 if the same choices do not lead to the same ready tasks; whatever the world throws.
 */
export function search(newExplored: NewExplored, options: SearchOptions): SearchResult {
  const stack: Node[] = [];
  const timeline = new Timeline();
  const outcomes = new Map<string, Outcome>();
  const counts = {
    executions: 0,
    redundant: 0,
    steps: 0,
    windowEntered: 0,
    failures: 0,
    tooLong: 0,
  };
  const cut: (readonly number[])[] = [];
  let counterexample: FailingExecution | 'none' = 'none';
  let ended: SearchResult['ended'] = 'complete';
  for (;;) {
    const { executions, steps, windowEntered } = counts;
    if (options.goOn({ executions, steps, windowEntered, done: doneShare(stack) }) === 'stop') {
      ended = 'stopped';
      break;
    }
    const run = execute(newExplored, options, stack, timeline);
    counts.steps += run.steps.length;
    if (run.ended === 'redundant') counts.redundant += 1;
    else {
      counts.executions += 1;
      if (run.ended === 'too long') {
        counts.tooLong += 1;
        if (cut.length < CUT_KEPT) cut.push(run.steps.map((step) => step.task));
      }
      if (run.explored.windowEntered()) counts.windowEntered += 1;
      countOutcome(outcomes, run.failure, () => run.explored.outcome());
    }
    if (run.failure !== 'none') {
      counts.failures += 1;
      const choices = run.steps.map((step) => step.task);
      if (counterexample === 'none' || choices.length < counterexample.choices.length) {
        counterexample = { failure: run.failure, choices, steps: run.steps.slice() };
      }
      if (options.counterexamples === 'first') {
        ended = 'counterexample';
        break;
      }
    }
    if (!backUp(stack)) break;
  }
  return { ended, ...counts, cut, outcomes, counterexample };
}

function execute(
  newExplored: NewExplored,
  options: SearchOptions,
  stack: Node[],
  timeline: Timeline,
): Run {
  const explored = newExplored();
  const { scheduler } = explored;
  // Up to the decision that is new, everything is as it was.
  const known = Math.max(0, stack.length - 1);
  timeline.cutTo(known);
  const { steps } = timeline;
  for (let depth = 0; ; depth += 1) {
    const ready = scheduler.readyTasks().sort((a, b) => a.identity.id - b.identity.id);
    if (ready.length === 0) {
      if (options.strategy === 'dpor') tryWaitsBefore(stack, timeline, scheduler.blockedTasks());
      const failure = explored.failureAtEnd(scheduler.blockedTasks());
      return { ended: failure === 'none' ? 'complete' : 'failed', failure, explored, steps };
    }
    if (depth === options.stepsMax) return { ended: 'too long', failure: 'none', explored, steps };
    const node = nodeAt(stack, depth, ready, options, steps[depth - 1]);
    if (node === 'nothing new') return { ended: 'redundant', failure: 'none', explored, steps };
    const task = ready.find((candidate) => candidate.identity.id === node.chosen);
    invariant(task !== undefined, 'SC1', { depth, chosen: node.chosen });
    if (depth < known) {
      scheduler.step(task);
      continue;
    }
    const executed = takeStep(explored, task);
    options.onStep?.(executed);
    const races = timeline.add(executed, newTasks(scheduler.readyTasks(), ready));
    node.sleep.set(node.chosen, executed.touches);
    if (options.strategy === 'dpor') for (const race of races) reverse(stack, timeline, race);
    const failure = explored.failure();
    if (failure !== 'none') return { ended: 'failed', failure, explored, steps };
  }
}

/** A wait without end takes no step, though it might have, before what makes it wait. */
function tryWaitsBefore(
  stack: readonly Node[],
  timeline: Timeline,
  blocked: readonly RunningTask[],
): void {
  for (const { identity, pending } of blocked) {
    if (pending.kind !== 'block' || pending.awaited === undefined) continue;
    const clock = timeline.clockOf(identity.id);
    for (const { event, index, mode } of timeline.accessesOf(pending.awaited, 'await')) {
      if (!races(mode, 'await') || knows(clock, index) >= event) continue;
      reverse(stack, timeline, { earlier: event, later: timeline.steps.length + 1 });
      if (stack[event - 1]?.enabled.includes(identity.id)) {
        stack[event - 1]?.backtrack.add(identity.id);
      }
    }
  }
}

/** Tasks that a step spawned: ready now, and numbered higher than any before. */
function newTasks(now: readonly RunningTask[], before: readonly RunningTask[]): number[] {
  const known = new Set(before.map((task) => task.identity.id));
  return now
    .filter(({ identity, pending }) => pending.at === 'task.start' && !known.has(identity.id))
    .map(({ identity }) => identity.id);
}

/** The decision at `depth`: the one that the stack holds, or a new one. */
function nodeAt(
  stack: Node[],
  depth: number,
  ready: readonly RunningTask[],
  options: SearchOptions,
  previous: TimedStep | undefined,
): Node | 'nothing new' {
  const enabled = ready.map((task) => task.identity.id);
  const known = stack[depth];
  if (known !== undefined) {
    invariant(sameTasks(known.enabled, enabled), 'SC1', {
      depth,
      before: known.enabled,
      now: enabled,
    });
    return known;
  }
  const sleep = sleepAfter(stack[depth - 1], previous, options);
  const awake = enabled.filter((task) => !sleep.has(task));
  // Going on with the task that ran keeps context switches few.
  const chosen = awake.includes(previous?.task ?? -1) ? previous?.task : awake[0];
  if (chosen === undefined) return 'nothing new';
  const backtrack = options.strategy === 'dfs' ? new Set(enabled) : new Set([chosen]);
  const node: Node = { enabled, chosen, backtrack, sleep, explored: new Set([chosen]) };
  stack.push(node);
  return node;
}

function sleepAfter(
  parent: Node | undefined,
  previous: TimedStep | undefined,
  options: SearchOptions,
): Map<number, readonly Touch[]> {
  const sleep = new Map<number, readonly Touch[]>();
  if (options.strategy === 'dfs' || parent === undefined || previous === undefined) return sleep;
  for (const [task, touches] of parent.sleep) {
    if (task !== previous.task && independent(touches, previous.touches)) sleep.set(task, touches);
  }
  return sleep;
}

/** Turns the stack to the next decision that is still to be tried. False when the search is over. */
function backUp(stack: Node[]): boolean {
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    for (const task of node.backtrack) {
      if (node.explored.has(task)) continue;
      node.explored.add(task);
      if (node.sleep.has(task)) continue;
      node.chosen = task;
      return true;
    }
    stack.pop();
  }
  return false;
}

/** Knuth's estimate along the current branch. */
function doneShare(stack: readonly Node[]): number {
  let share = 0;
  let weight = 1;
  for (const node of stack) {
    weight /= node.backtrack.size;
    share += weight * (node.explored.size - 1);
  }
  return Math.min(1, share);
}

function sameTasks(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((task, at) => task === b[at]);
}
