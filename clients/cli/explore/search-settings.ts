/** How to search: what the command line says, then what the scenario says, then a default. */

import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import type { Strategy } from '../../../server/verify/explore/explore-options.ts';
import type { SearchData } from '../../../server/verify/explore/workers/jobs.ts';

export const DEFAULT_BUDGET_EXECUTIONS = 1_000_000;
export const DEFAULT_BUDGET_SECONDS = 60;
export const DEFAULT_SEED = 1;
export const DEFAULT_DEPTH = 3;

export interface SearchSettings {
  readonly strategy: Strategy;
  readonly budgetExecutions?: number;
  readonly budgetSeconds: number;
  readonly seed: number;
  readonly depth: number;
  readonly preemptions?: number;
  readonly skipExecutions?: number;
  /** Megabytes. */
  readonly memory?: number;
}

export function searchDataOf({ bounds }: Scenario, settings: SearchSettings): SearchData {
  const { strategy, budgetSeconds, seed, depth, skipExecutions, memory } = settings;
  const preemptionsMax = settings.preemptions ?? bounds?.preemptions;
  return {
    strategy,
    budgetExecutions: settings.budgetExecutions ?? bounds?.executions ?? DEFAULT_BUDGET_EXECUTIONS,
    budgetSeconds,
    seed,
    depth,
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
    ...(skipExecutions === undefined ? {} : { skipExecutions }),
    ...(memory === undefined ? {} : { statesBytesMax: memory * 2 ** 20 }),
  };
}
