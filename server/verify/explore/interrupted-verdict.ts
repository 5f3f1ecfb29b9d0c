import type { Progress } from '../../explorer/search.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { ScenarioVerdict } from './explore-scenario.ts';

/** What is known of a search that was ended from outside: how far it was, and nothing of what would have come. */
export function interruptedVerdict(
  plan: ScenarioPlan,
  { executions, steps, windowEntered }: Progress,
  search: { readonly strategy: string; readonly seconds: number },
): ScenarioVerdict {
  return {
    verdict: 'unknown',
    bound: { kind: 'stopped', why: 'interrupted', executions, strategy: search.strategy },
    executions,
    steps,
    seconds: search.seconds,
    windowEntered,
    failures: 0,
    outcomes: new Map(),
    counterexample: 'none',
    lockOrder: [],
    plan,
  };
}
