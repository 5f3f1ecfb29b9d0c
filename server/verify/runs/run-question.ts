/**
 * The question of a run, which takes patches and drivers that ship: a server that others reach executes no code of
 * theirs. A scenario is data, and may be anybody's; a patch comes as code from those that the server trusts.
 */

import { DRIVERS } from '../../../clients/drivers/catalogue/drivers.ts';
import type { DriverVariant } from '../../../clients/drivers/interface/driver-variant.ts';
import { STOCK_NAME } from '../../patches/joint-name.ts';
import type { Patch } from '../../patches/patch.ts';
import { patchesIn } from '../../patches/patch-set.ts';
import type { NewRun } from '../../protocol/http-api.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { BadChoice, planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { OWN_PATCH } from './own-patch-file.ts';

const SECONDS = 30;
const EXECUTIONS = 1_000_000;
/** Ordering constraints that pct looks for; the routes do not ask. */
export const PCT_DEPTH = 3;

/** A question with every blank filled in. */
export type FullQuestion = Required<Omit<NewRun, MayBeBlank>> & Pick<NewRun, MayBeBlank>;
type MayBeBlank = 'kernel' | 'text' | 'code' | 'preemptions';

export function fullQuestion(asked: NewRun): FullQuestion {
  return {
    scenario: asked.scenario,
    ...(asked.kernel === undefined ? {} : { kernel: asked.kernel }),
    ...(asked.text === undefined ? {} : { text: asked.text }),
    ...(asked.preemptions === undefined ? {} : { preemptions: asked.preemptions }),
    ...(asked.code === undefined ? {} : { code: asked.code }),
    patch: asked.code === undefined ? (asked.patch ?? STOCK_NAME) : OWN_PATCH,
    driver: asked.driver ?? [],
    parameters: asked.parameters ?? {},
    strategy: asked.strategy ?? 'dpor',
    seed: asked.seed ?? 1,
    budgetSeconds: asked.budgetSeconds ?? SECONDS,
    budgetExecutions: asked.budgetExecutions ?? EXECUTIONS,
  };
}

/** `own`: what the question's code exports. Throws: BadChoice, also for a scenario or patch that does not ship. */
export function planOfQuestion(question: FullQuestion, own?: Patch): ScenarioPlan {
  const scenario = scenarioOf(question);
  const patches = own === undefined ? shippedPatches(question) : [own];
  return planScenario(scenario, {
    ...(question.kernel === undefined ? {} : { kernel: question.kernel }),
    patches,
    drivers: new Map(question.driver.map(driverChoice)),
    parameters: question.parameters,
  });
}

/** Throws: BadChoice. */
function shippedPatches({ patch, code }: FullQuestion): readonly Patch[] {
  // Its code is not loaded where it is only looked at whether the rest makes sense.
  const patches = code === undefined ? patchesIn(patch) : [];
  if ('unknown' in patches) throw new BadChoice(`there is no patch "${patches.unknown}"`);
  return patches;
}

/** Throws: BadChoice. */
function scenarioOf({ scenario: name, text }: FullQuestion): Scenario {
  if (text === undefined) {
    const shipped = shippedScenario(name);
    if (shipped === 'none') throw new BadChoice(`there is no scenario "${name}"`);
    return shipped;
  }
  const read = readScenario(text, name);
  if (read.ok) return read.scenario;
  const [{ line, column, message } = { line: 1, column: 1, message: 'no scenario' }] =
    read.problems;
  throw new BadChoice(`text, line ${line}, column ${column}: ${message}`);
}

/** `gpu0=corrected`, or `corrected` for all devices. Throws: BadChoice. */
function driverChoice(choice: string): [string, DriverVariant] {
  const [actor, name] = splitChoice(choice);
  const driver = DRIVERS.get(name);
  if (driver === undefined) {
    throw new BadChoice(
      `there is no driver "${name}"; there are ${[...DRIVERS.keys()].join(', ')}`,
    );
  }
  return [actor, driver];
}

/** The actor ('*' for all devices) and the driver's name. */
export function splitChoice(choice: string): [string, string] {
  const at = choice.indexOf('=');
  return at < 0 ? ['*', choice] : [choice.slice(0, at), choice.slice(at + 1)];
}
