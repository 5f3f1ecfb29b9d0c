/** One execution, told so that a viewer can step through it: its events, and the step that each belongs to. */

import type { Event } from '../../abi/event.ts';
import { replay } from '../../explorer/replay.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';

export interface ToldStep {
  readonly actor: string;
  /** Of the task. */
  readonly name: string;
  readonly at: string;
}

export interface ToldRun {
  /** What led to the state in which the execution begins. */
  readonly setup: Event[];
  readonly events: Event[];
  /** For each event the number of its step, from 1. */
  readonly stepOfEvent: number[];
  readonly steps: ToldStep[];
  readonly failure: string | 'none';
}

/** Executes `choices` again; without any, the first execution that comes. */
export function toldRun(plan: ScenarioPlan, choices: readonly number[]): ToldRun {
  const run = newScenarioRun(plan, { locks: 'told' });
  const { log, scheduler } = run.world;
  const setup = [...log.kept];
  const events: Event[] = [];
  const stepOfEvent: number[] = [];
  const begun = scheduler.steps;
  log.listeners.push((event) => {
    events.push(event);
    stepOfEvent.push(scheduler.steps - begun);
  });
  const { steps, failure } = replay(() => run, choices, stepsMaxOf(plan));
  return {
    setup,
    events,
    stepOfEvent,
    steps: steps.map(({ actor, name, step }) => ({ actor, name, at: step.at })),
    failure,
  };
}
