import type { Event } from '../../abi/event.ts';
import { replay } from '../../explorer/replay.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';

export interface ToldRun {
  /** What led to the state in which the programs begin. */
  readonly setup: readonly Event[];
  readonly events: readonly Event[];
  /** What it came to: registers, entries, mirrors. */
  readonly end: string;
}

/** What happens under `choices`, executed again; without any, in the first execution that comes. */
export function eventsOf(plan: ScenarioPlan, choices: readonly number[]): readonly Event[] {
  return toldRun(plan, choices).events;
}

/** The same, with what was before. */
export function toldRun(plan: ScenarioPlan, choices: readonly number[]): ToldRun {
  const run = newScenarioRun(plan);
  const { kept } = run.world.log;
  const begun = kept.length;
  replay(() => run, choices, stepsMaxOf(plan));
  return { setup: kept.slice(0, begun), events: kept.slice(begun), end: run.outcome() };
}
