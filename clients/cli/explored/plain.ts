/** A verdict as plain data, for --json and --jsonl. */
import type { ScenarioVerdict } from '../../../server/lab/explore/explore-scenario.ts';
import type { ScenarioPlan } from '../../../server/lab/scenario/scenario-plan.ts';
import type { Kept } from '../counterexample/kept.ts';

export function plainVerdict(
  plan: ScenarioPlan,
  options: { readonly patch: string; readonly kept: Kept | 'none' },
  verdict: ScenarioVerdict,
): unknown {
  const { counterexample, outcomes, plan: explored, ...rest } = verdict;
  return {
    scenario: plan.scenario.name,
    patch: options.patch,
    actors: explored.instances.map(({ name }) => name),
    ...rest,
    outcomes: Object.fromEntries(outcomes),
    token: options.kept === 'none' ? null : options.kept.token,
    counterexample:
      counterexample === 'none'
        ? null
        : {
            ...counterexample,
            steps: counterexample.steps.map(({ actor, name, step }) => ({
              actor,
              name,
              at: step.at,
            })),
            safeSibling:
              counterexample.safeSibling === 'none' ? null : counterexample.safeSibling.swapped,
          },
  };
}
