import type { ChoiceNames } from '../report/choice-words.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

/** What `plan` was made with. `kernel` is how it was asked for. */
export function choiceNames(
  { choice, kernel: version }: ScenarioPlan,
  kernel: string,
): ChoiceNames {
  const drivers = [...choice.drivers].map(([actor, { id }]) => [actor, id] as const);
  return {
    kernel,
    version,
    patches: choice.patches.map(({ id }) => id),
    drivers: Object.fromEntries(drivers),
  };
}
