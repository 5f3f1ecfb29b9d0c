/**
 * Smaller scenarios that may fail in the same way: fewer instances of a template, fewer operations, fewer pages.
 * Whether one does fail must be tried.
 */

import { countOf, type Parameters, parametersOf } from '../../scenario/instances.ts';
import type { Op } from '../../scenario/op-schema.ts';
import { fitsScenario } from '../../scenario/read-scenario.ts';
import { BadChoice, planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { Scenario, ScenarioActor } from '../../scenario/scenario-schema.ts';
import type { ActorNames } from './thread-paths.ts';

export interface Smaller {
  readonly plan: ScenarioPlan;
  /** What the actors of the larger one are called here. */
  readonly names: ActorNames;
}

/** Values of one parameter that are tried. */
const PARAMETER_MAX = 16;

/** The scenario with only those instances of its templates that have acted; 'none' if that is all of them. */
export function withoutIdle(plan: ScenarioPlan, acting: ReadonlySet<string>): Smaller | 'none' {
  const { scenario, choice, instances } = plan;
  const needed = new Map<string, number>();
  const names = new Map<string, string>();
  for (const { name, template } of instances) {
    const counted = scenario.actors.some((one) => one.name === template && one.count !== undefined);
    if (!counted) names.set(name, name);
    else {
      const before = needed.get(template) ?? 0;
      needed.set(template, before + (acting.has(name) ? 1 : 0));
      if (acting.has(name)) names.set(name, `${template}${before}`);
    }
  }
  if (names.size === instances.length) return 'none';
  const wanted = parametersFor(scenario, choice.parameters, needed);
  if (wanted === 'none') return 'none';
  const smaller = planned(plan, scenario, { ...choice.parameters, ...wanted });
  return smaller === 'none' ? 'none' : { plan: smaller, names };
}

/** Parameters under which each template has as many instances as are needed. */
function parametersFor(
  scenario: Scenario,
  given: Parameters,
  needed: ReadonlyMap<string, number>,
): Parameters | 'none' {
  const parameters = parametersOf(scenario, given);
  const [first, second, ...others] = Object.keys(parameters);
  if (first === undefined || others.length > 0) return 'none';
  const counted = scenario.actors.filter(({ count }) => count !== undefined);
  for (let a = 0; a <= PARAMETER_MAX; a += 1) {
    for (let b = 0; b <= (second === undefined ? 0 : PARAMETER_MAX); b += 1) {
      const tried = second === undefined ? { [first]: a } : { [first]: a, [second]: b };
      if (counted.every(({ name, count }) => countOf(count, tried) === (needed.get(name) ?? 0)))
        return tried;
    }
  }
  return 'none';
}

/** One operation or one thread less each, the last ones first; then fewer pages. */
export function* smallerOnes(plan: ScenarioPlan): Iterable<Smaller> {
  const names = new Map(plan.instances.map(({ name }) => [name, name]));
  for (const scenario of smallerScenarios(plan.scenario)) {
    const smaller = planned(plan, scenario, plan.choice.parameters);
    if (smaller !== 'none') yield { plan: smaller, names };
  }
}

function* smallerScenarios(scenario: Scenario): Iterable<Scenario> {
  for (const [at, actor] of scenario.actors.entries()) {
    const threads = threadsOf(actor);
    for (let thread = threads.length - 1; thread >= 0; thread -= 1) {
      const program = threads[thread] ?? [];
      for (let op = program.length - 1; op >= 0 && program.length > 1; op -= 1) {
        yield withActor(scenario, at, withThread(actor, thread, program.toSpliced(op, 1)));
      }
      // The last one only: the places of the others stay.
      if (thread === threads.length - 1)
        yield withActor(scenario, at, withThread(actor, thread, []));
    }
    for (const [thread, program] of threads.entries()) {
      const single = program.map(onePage);
      if (JSON.stringify(single) === JSON.stringify(program)) continue;
      yield withActor(scenario, at, withThread(actor, thread, single));
    }
  }
  for (const [at, vma] of scenario.vmas.entries()) {
    if (vma.pages > 1) yield { ...scenario, vmas: scenario.vmas.with(at, { ...vma, pages: 1 }) };
  }
}

function onePage(op: Op): Op {
  return 'pages' in op && (op.pages ?? 1) > 1 ? { ...op, pages: 1 } : op;
}

function threadsOf({ threads, program }: ScenarioActor): readonly Op[][] {
  return threads ?? (program === undefined ? [] : [program]);
}

function withThread(actor: ScenarioActor, thread: number, program: Op[]): ScenarioActor {
  const threads = threadsOf(actor).map((one, at) => (at === thread ? program : one));
  const left = threads.filter((one) => one.length > 0);
  const { threads: _threads, program: _program, ...rest } = actor;
  const [only, ...others] = left;
  if (only === undefined) return rest;
  return others.length === 0 ? { ...rest, program: only } : { ...rest, threads: left };
}

function withActor(scenario: Scenario, at: number, actor: ScenarioActor): Scenario {
  return { ...scenario, actors: scenario.actors.with(at, actor) };
}

/** 'none' if names are left that name nothing any more. */
function planned(
  plan: ScenarioPlan,
  scenario: Scenario,
  parameters: Parameters,
): ScenarioPlan | 'none' {
  if (scenario !== plan.scenario && !fitsScenario(scenario)) return 'none';
  try {
    return planScenario(scenario, { ...plan.choice, parameters });
  } catch (error) {
    if (error instanceof BadChoice) return 'none';
    throw error;
  }
}
