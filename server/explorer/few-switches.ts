/**
 * Looks for a failure among the schedules that a person would try first: one task is stopped after so many steps,
 * another runs as far as it can, then all the rest. Most races need no more (Musuvathi and Qadeer, PLDI 2007).
 */

import type { RunningTask } from '../scheduler/scheduler.ts';
import { contextSwitches } from './blocks.ts';
import type { ExecutedStep } from './execution.ts';
import type { NewExplored } from './explored.ts';
import type { Failure } from './failure.ts';
import { withinPreemptions } from './few-preemptions.ts';
import { type Chooser, goOnWithSame, runWith } from './replay.ts';
import { CUT_KEPT } from './search.ts';

export interface Failing {
  readonly failure: Failure;
  readonly choices: readonly number[];
  readonly steps: readonly ExecutedStep[];
}

export interface FewSwitches {
  readonly executions: number;
  readonly steps: number;
  readonly windowEntered: number;
  /** The choices of the first CUT_KEPT executions that reached stepsMax. */
  readonly cut: readonly (readonly number[])[];
  /** Fewest context switches, then fewest steps. */
  readonly found: Failing | 'none';
}

/** Tries at most `executionsMax` schedules, and asks before each. Finding nothing proves nothing. */
export function tryFewSwitches(
  newExplored: NewExplored,
  stepsMax: number,
  executionsMax: number,
  preemptionsMax = Number.POSITIVE_INFINITY,
  goOn: (executions: number, steps: number) => 'go on' | 'stop' = () => 'go on',
): FewSwitches {
  const pilot = newExplored();
  const tasks = pilot.scheduler.readyTasks().map((task) => task.identity.id);
  let [executions, steps, windowEntered] = [0, 0, 0];
  const cut: (readonly number[])[] = [];
  let found: Failing | 'none' = 'none';
  for (const stopped of tasks) {
    for (const intruder of tasks) {
      if (intruder === stopped) continue;
      for (let after = 1; after <= stepsMax && executions < executionsMax; after += 1) {
        // A pair that fails is seen to its end: how many it took must not hang on when a stop came.
        if (found === 'none' && goOn(executions, steps) === 'stop') {
          return { executions, steps, windowEntered, cut, found };
        }
        const run = runWith(
          newExplored,
          withinPreemptions(stopAndIntrude(stopped, after, intruder), preemptionsMax),
          stepsMax,
        );
        executions += 1;
        steps += run.steps.length;
        if (run.explored.windowEntered()) windowEntered += 1;
        if (run.ended === 'too long' && cut.length < CUT_KEPT) {
          cut.push(run.steps.map((step) => step.task));
        }
        const own = run.steps.filter((step) => step.task === stopped).length;
        if (run.failure !== 'none') {
          const choices = run.steps.map((step) => step.task);
          const failing = { failure: run.failure, choices, steps: run.steps };
          if (found === 'none' || simpler(failing, found)) found = failing;
        }
        if (after >= own) break;
      }
      // Another pair can at best do the same; the first that fails is good enough to look at.
      if (found !== 'none') return { executions, steps, windowEntered, cut, found };
    }
  }
  return { executions, steps, windowEntered, cut, found };
}

function simpler(a: Failing, b: Failing): boolean {
  const [switchesA, switchesB] = [contextSwitches(a.choices), contextSwitches(b.choices)];
  return switchesA < switchesB || (switchesA === switchesB && a.choices.length < b.choices.length);
}

function stopAndIntrude(stopped: number, after: number, intruder: number): Chooser {
  let taken = 0;
  return (ready, previous, depth) => {
    const named = (id: number): RunningTask | undefined =>
      ready.find((task) => task.identity.id === id);
    const first = taken < after ? named(stopped) : undefined;
    if (first !== undefined) {
      taken += 1;
      return first;
    }
    if (taken < after) {
      // What the stopped task waits for goes first; the intruder comes later.
      const others = ready.filter((task) => task.identity.id !== intruder);
      return goOnWithSame(others.length > 0 ? others : ready, previous, depth);
    }
    return named(intruder) ?? goOnWithSame(waitedFor(ready, stopped), previous, depth);
  };
}

/** The intruder waits: let others go on before the stopped task does. */
function waitedFor(ready: readonly RunningTask[], stopped: number): readonly RunningTask[] {
  const others = ready.filter((task) => task.identity.id !== stopped);
  return others.length > 0 ? others : ready;
}
