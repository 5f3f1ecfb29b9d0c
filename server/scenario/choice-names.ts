import type { ChoiceNames } from '../report/choice-words.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

/** What `plan` was made with. `kernel` is how it was asked for. */
export function choiceNames(
  { choice, kernel: version, instances }: ScenarioPlan,
  kernel: string,
): ChoiceNames {
  // What all devices would have that are not named is told where there is one.
  const others = instances.some(
    ({ kind, name, template }) =>
      kind === 'device' && !(choice.drivers.has(name) || choice.drivers.has(template)),
  );
  const drivers = [...choice.drivers]
    .filter(([actor]) => actor !== '*' || others)
    .map(([actor, { id }]) => [actor, id] as const);
  return {
    kernel,
    version,
    patches: choice.patches.map(({ id }) => id),
    drivers: Object.fromEntries(drivers),
  };
}
