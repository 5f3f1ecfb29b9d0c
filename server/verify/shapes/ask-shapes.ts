/** Asks shapes of one kernel, one after the other, and says of each what came of it. */
import { FIRST_KERNEL } from '../../abi/kernel-ids.ts';
import { kernelFunctions } from '../../kernel/versions/kernels.ts';
import { describeBound } from '../../report/bound.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import type { ScenarioChoice } from '../../scenario/scenario-plan.ts';
import { planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { runs } from '../coverage/reaching-scenarios.ts';
import { exploreScenario, type ScenarioVerdict } from '../explore/explore-scenario.ts';
import type { Shape } from './shapes.ts';

export interface ShapeBudget {
  /** Of one search. */
  readonly executions: number;
  readonly seconds: number;
  /** Milliseconds, moving forwards. */
  readonly clock: () => number;
}

/**
 * 'not reached': nothing of what the patch overrides runs in the execution that comes first. 'appeared': broken, and
 * the kernel without the patch holds or is not known to be broken. 'broken': without the patch as well.
 */
export type ShapeWord = 'holds' | 'appeared' | 'broken' | 'unknown' | 'not reached';

export interface ShapeAnswer {
  readonly shape: Shape;
  readonly word: ShapeWord;
  readonly executions: number;
  /** What went wrong, or why it is not known; empty for 'holds' and 'not reached'. */
  readonly why: string;
}

/** Throws what the world throws. */
export function askShape(shape: Shape, choice: ScenarioChoice, budget: ShapeBudget): ShapeAnswer {
  const stock = planScenario(shape.scenario, { ...choice, patches: [] });
  const overridden = overriddenBy(choice);
  if (overridden.length > 0 && !runs(stock, overridden)) {
    return { shape, word: 'not reached', executions: 0, why: '' };
  }
  const plan = planScenario(shape.scenario, choice);
  const verdict = explored(plan, budget);
  const answer = { shape, executions: verdict.executions };
  if (verdict.verdict === 'holds') return { ...answer, word: 'holds', why: '' };
  const { counterexample } = verdict;
  if (verdict.verdict === 'unknown' || counterexample === 'none') {
    return { ...answer, word: 'unknown', why: describeBound(verdict.bound) };
  }
  const why = describeFailure(counterexample.failure);
  if (choice.patches.length === 0 || explored(stock, budget).verdict === 'broken') {
    return { ...answer, word: 'broken', why };
  }
  return { ...answer, word: 'appeared', why };
}

function explored(plan: ScenarioPlan, budget: ShapeBudget): ScenarioVerdict {
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: budget.executions,
    budgetSeconds: budget.seconds,
    seed: 1,
    depth: 3,
    clock: budget.clock,
    onProgress: () => undefined,
  });
}

/** Names of KernelFunctions. */
function overriddenBy({ kernel, patches }: ScenarioChoice): readonly string[] {
  const functions = kernelFunctions(kernel ?? FIRST_KERNEL);
  return patches.flatMap((patch) => Object.keys(patch.overrides({ ...functions })));
}
