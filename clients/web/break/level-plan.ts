/** A level as the plan that the machine of this page runs. */

import { PATCHES } from '../../../server/patches/patches.ts';
import {
  AS_WRITTEN,
  planScenario,
  type ScenarioPlan,
} from '../../../server/scenario/scenario-plan.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import { DRIVERS } from '../../drivers/catalogue/drivers.ts';
import type { Level } from './levels.ts';

/** 'bug': as the level is to be broken. 'right': the stock kernel and driver, which should hold. */
export type LevelKernel = 'bug' | 'right';

export function planOfLevel({ bug }: Level, scenario: Scenario, kernel: LevelKernel): ScenarioPlan {
  if (kernel === 'right' || bug.kind === 'as written') return planScenario(scenario, AS_WRITTEN);
  if (bug.kind === 'patch') {
    const patch = PATCHES.get(bug.name);
    if (patch === undefined) throw new RangeError(`there is no patch ${bug.name}`);
    return planScenario(scenario, { ...AS_WRITTEN, patches: [patch] });
  }
  const driver = DRIVERS.get(bug.name);
  if (driver === undefined) throw new RangeError(`there is no driver ${bug.name}`);
  return planScenario(scenario, { ...AS_WRITTEN, drivers: new Map([['*', driver]]) });
}

/** How the column of the page table is called: the first CPU of the plan. */
export function levelCpu({ instances }: ScenarioPlan): string {
  return instances.find(({ kind }) => kind === 'cpu')?.name ?? 'the kernel';
}
