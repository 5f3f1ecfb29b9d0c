import { replay } from '../../explorer/replay.ts';
import type { Event } from '../../protocol/event.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../scenario/scenario-world.ts';

/** What happens under `choices`, executed again; without any, in the first execution that comes. */
export function eventsOf(plan: ScenarioPlan, choices: readonly number[]): readonly Event[] {
  const run = newScenarioRun(plan);
  const { kept } = run.world.log;
  const begun = kept.length;
  replay(() => run, choices, stepsMaxOf(plan));
  return kept.slice(begun);
}
