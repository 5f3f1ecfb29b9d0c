/** A scenario as text, with a patch and drivers that a test makes: what a search says to it. */

import assert from 'node:assert/strict';
import type { DriverVariant } from '../../../../clients/drivers/interface/driver-variant.ts';
import type { KernelFunctions } from '../../../kernel/kernel.ts';
import type { Patch } from '../../../patches/patch.ts';
import { describeBound } from '../../../report/bound.ts';
import { describeFailure } from '../../../report/describe-failure.ts';
import { readScenario } from '../../../scenario/read-scenario.ts';
import { planScenario, type ScenarioPlan } from '../../../scenario/scenario-plan.ts';
import { exploreScenario, type ScenarioVerdict } from '../explore-scenario.ts';

export interface AskedScenario {
  readonly overrides?: (stock: KernelFunctions) => Partial<KernelFunctions>;
  /** Of all devices. */
  readonly driver?: DriverVariant;
}

/** The plan of the scenario `text`, which must be a right one. */
export function planned(text: string, { overrides, driver }: AskedScenario = {}): ScenarioPlan {
  const read = readScenario(text, 'case.yaml');
  assert.ok(read.ok, read.ok ? '' : read.problems.map(({ message }) => message).join('; '));
  const patches: Patch[] =
    overrides === undefined
      ? []
      : [{ id: 'mutant', provenance: 'a test', summary: 'is wrong on purpose', overrides }];
  return planScenario(read.scenario, {
    patches,
    drivers: new Map(driver === undefined ? [] : [['*', driver]]),
    parameters: {},
  });
}

export function explored(plan: ScenarioPlan): ScenarioVerdict {
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 50_000,
    budgetSeconds: Number.POSITIVE_INFINITY,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
}

/** `holds`, `unknown: why`, or what is broken. */
export function answer(text: string, asked: AskedScenario = {}): string {
  const { verdict, counterexample, bound } = explored(planned(text, asked));
  if (counterexample !== 'none') return describeFailure(counterexample.failure);
  return verdict === 'holds' ? verdict : `${verdict}: ${describeBound(bound)}`;
}
