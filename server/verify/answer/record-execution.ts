/** One execution with the events it led to. The event log itself forgets: what a report shows is listened to. */

import type { Event } from '../../abi/event.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { Failure } from '../../explorer/failure.ts';
import { replay } from '../../explorer/replay.ts';
import type { World, WorldOptions } from '../../machine/world.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';

/** What a world does while it is recorded. */
interface Recording {
  readonly events: readonly Event[];
  /** For each event the number of its step, from 1. */
  readonly stepOfEvent: readonly number[];
}

export interface RecordedExecution extends Recording {
  /** What led to the state in which the programs begin, from the first event. */
  readonly setup: readonly Event[];
  readonly steps: readonly ExecutedStep[];
  readonly failure: Failure | 'none';
  /** As it stands at the end. */
  readonly run: ScenarioRun;
}

/** Grows with what `world` does from here on. */
export function recordingOf({ log, scheduler }: World): Recording {
  const events: Event[] = [];
  const stepOfEvent: number[] = [];
  const begun = scheduler.steps;
  log.listeners.push((event) => {
    events.push(event);
    stepOfEvent.push(scheduler.steps - begun);
  });
  return { events, stepOfEvent };
}

/** Executes `choices`; without any, the first execution that comes. Throws what the world throws. */
export function recordExecution(
  plan: ScenarioPlan,
  choices: readonly number[],
  options: Pick<WorldOptions, 'logLocks'> = {},
): RecordedExecution {
  const setup: Event[] = [];
  let phase: 'setup' | 'programs' = 'setup';
  const hear = (event: Event): void => {
    if (phase === 'setup') setup.push(event);
  };
  const run = newScenarioRun(plan, { ...options, hear });
  phase = 'programs';
  const recording = recordingOf(run.world);
  const { steps, failure } = replay(() => run, choices, stepsMaxOf(plan));
  return { ...askedOnly(recording, plan), setup, steps, failure, run };
}

/** Without what oracles say whom the scenario does not ask: a drawing would lead to that, and end there. */
export function askedOnly(
  { events, stepOfEvent }: Recording,
  { oracles }: Pick<ScenarioPlan, 'oracles'>,
): Recording {
  const isAsked = (event: Event): boolean => event.kind !== 'violation' || oracles.has(event.rule);
  return {
    events: events.filter(isAsked),
    stepOfEvent: stepOfEvent.filter((_, at) => {
      const event = events[at];
      return event !== undefined && isAsked(event);
    }),
  };
}

/** As JSON has them. */
export function plainSteps(
  steps: readonly ExecutedStep[],
): { readonly actor: string; readonly name: string; readonly at: string }[] {
  return steps.map(({ actor, name, step }) => ({ actor, name, at: step.at }));
}
