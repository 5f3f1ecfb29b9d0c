/** The question of a run, which takes only what ships: a server that others reach executes nobody's files. */
import type { DriverVariant } from '../../../clients/drivers/catalogue/driver-variant.ts';
import { DRIVERS } from '../../../clients/drivers/catalogue/drivers.ts';
import { PATCHES, STOCK_NAME } from '../../patches/patches.ts';
import type { NewRun } from '../../protocol/http-api.ts';
import { BadChoice, planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';

const SECONDS = 30;
const EXECUTIONS = 1_000_000;
/** Ordering constraints that pct looks for; the routes do not ask. */
export const PCT_DEPTH = 3;

/** A question with every blank filled in. */
export type FullQuestion = Required<Omit<NewRun, 'kernel'>> & Pick<NewRun, 'kernel'>;

export function fullQuestion(asked: NewRun): FullQuestion {
  return {
    scenario: asked.scenario,
    ...(asked.kernel === undefined ? {} : { kernel: asked.kernel }),
    patch: asked.patch ?? STOCK_NAME,
    driver: asked.driver ?? [],
    parameters: asked.parameters ?? {},
    strategy: asked.strategy ?? 'dpor',
    seed: asked.seed ?? 1,
    budgetSeconds: asked.budgetSeconds ?? SECONDS,
    budgetExecutions: asked.budgetExecutions ?? EXECUTIONS,
  };
}

/** Throws: BadChoice, also for a scenario or patch that does not ship. */
export function planOfQuestion(question: FullQuestion): ScenarioPlan {
  const scenario = shippedScenario(question.scenario);
  if (scenario === 'none') throw new BadChoice(`there is no scenario "${question.scenario}"`);
  const { patch } = question;
  const shipped = PATCHES.get(patch);
  if (patch !== STOCK_NAME && shipped === undefined) {
    throw new BadChoice(`there is no patch "${patch}"`);
  }
  return planScenario(scenario, {
    ...(question.kernel === undefined ? {} : { kernel: question.kernel }),
    patches: shipped === undefined ? [] : [shipped],
    drivers: new Map(question.driver.map(driverChoice)),
    parameters: question.parameters,
  });
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
