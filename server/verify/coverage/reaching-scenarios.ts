/** Which shipped scenarios run a kernel function at all. */

import { replay } from '../../explorer/replay.ts';
import { searchStates } from '../../explorer/search-states.ts';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { STOCK } from '../../kernel/stock.ts';
import type { Patch } from '../../patches/patch.ts';
import { AS_WRITTEN, planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { shippedScenario, shippedScenarioNames } from '../../scenario/shipped-scenarios.ts';
import { watchOverrides } from './watch-overrides.ts';

/**
 * What no execution of these has run is not looked for any longer. Of 2,874 pairs of shipped scenario and function that
 * is reached within 100 executions one is reached behind the 33rd.
 */
const EXECUTIONS_MAX = 40;
const SECONDS_MAX = 1;

/**
 * Names of the scenarios in which one of `functions` (names of KernelFunctions) is called: the smallest first, by the
 * steps of one execution, since a search of it ends soonest.
 */
export function scenariosReaching(
  functions: readonly string[],
  clock: () => number,
): readonly string[] {
  if (!functions.some((name) => Object.hasOwn(STOCK, name))) return [];
  return smallestFirst((plan) => reaches(plan, functions, clock));
}

/**
 * Names of scenarios to be advised, the smallest first: those that call one of `functions` in their first execution,
 * which takes milliseconds. Only if there are none it is searched for others, for up to SECONDS_MAX in each.
 */
export function someScenariosReaching(
  functions: readonly string[],
  clock: () => number,
): readonly string[] {
  const found = smallestFirst((plan) => runs(plan, functions));
  return found.length > 0 ? found : scenariosReaching(functions, clock);
}

function smallestFirst(isWanted: (plan: ScenarioPlan) => boolean): readonly string[] {
  const wanted = shippedScenarioNames().flatMap((name) => {
    const scenario = shippedScenario(name);
    if (scenario === 'none') return [];
    const plan = planScenario(scenario, AS_WRITTEN);
    return isWanted(plan) ? [{ name, steps: stepsOf(plan) }] : [];
  });
  return wanted.sort((a, b) => a.steps - b.steps).map(({ name }) => name);
}

function stepsOf(plan: ScenarioPlan): number {
  return replay(() => newScenarioRun(plan), [], stepsMaxOf(plan)).steps.length;
}

/** Whether one of `functions` is called in the execution of `plan` that comes first. */
export function runs(plan: ScenarioPlan, functions: readonly string[]): boolean {
  const { watched, called } = watching(plan, functions);
  replay(() => newScenarioRun(watched), [], stepsMaxOf(plan));
  return called.size > 0;
}

function watching(plan: ScenarioPlan, functions: readonly string[]) {
  const seen = { overridden: new Map<string, string>(), called: new Set<string>() };
  const patches = [...plan.choice.patches, watchOverrides(passingOn(functions), seen)];
  return { watched: { ...plan, choice: { ...plan.choice, patches } }, called: seen.called };
}

function reaches(plan: ScenarioPlan, functions: readonly string[], clock: () => number): boolean {
  const { watched, called } = watching(plan, functions);
  const giveUpAt = clock() + SECONDS_MAX * 1_000;
  const isOver = (executions: number) => executions >= EXECUTIONS_MAX || clock() > giveUpAt;
  searchStates(() => newScenarioRun(watched), {
    stepsMax: stepsMaxOf(plan),
    // Nothing is judged here.
    counterexamples: 'all',
    goOn: ({ executions }) => (called.size > 0 || isOver(executions) ? 'stop' : 'go on'),
  });
  return called.size > 0;
}

/** Overrides `functions` by themselves. */
function passingOn(functions: readonly string[]): Patch {
  return {
    id: 'passing-on',
    provenance: 'the search for scenarios that reach a function',
    summary: 'changes nothing',
    overrides: (stock) =>
      Object.fromEntries(
        Object.entries(stock).filter(([name]) => functions.includes(name)),
      ) as Partial<KernelFunctions>,
  };
}
