import { replay } from '../../../server/explorer/replay.ts';
import type { ScenarioPlan } from '../../../server/lab/scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../../server/lab/scenario/scenario-world.ts';
import type { Event } from '../../../server/protocol/event.ts';

/** What happens under `choices`, executed again; without any, in the first execution that comes. */
export function eventsOf(plan: ScenarioPlan, choices: readonly number[]): readonly Event[] {
  const run = newScenarioRun(plan);
  const { kept } = run.world.log;
  const begun = kept.length;
  replay(() => run, choices, stepsMaxOf(plan));
  return kept.slice(begun);
}
