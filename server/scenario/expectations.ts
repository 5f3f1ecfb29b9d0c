/** The verdicts that a scenario expects: with each patch and its own drivers, and with each driver and no patch. */
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import type { Failure } from '../explorer/failure.ts';
import { STOCK_NAME } from '../patches/joint-name.ts';
import { PATCHES } from '../patches/patches.ts';
import type { ConditionQuestion, ScenarioChoice } from './scenario-plan.ts';
import type { Scenario, VerdictWord } from './scenario-schema.ts';

export interface Expectation {
  readonly what: 'patch' | 'driver';
  readonly name: string;
  readonly verdict: VerdictWord;
  readonly choice: ScenarioChoice;
}

/** In the order of the file. `scenario` must come from readScenario(). */
export function expectationsOf(scenario: Scenario): Expectation[] {
  const { patches = {}, drivers = {} } = scenario.expect;
  return [
    ...Object.entries(patches).map(([name, verdict]): Expectation => {
      const patch = PATCHES.get(name);
      if (patch === undefined && name !== STOCK_NAME) throw new RangeError(`no patch ${name}`);
      const choice = {
        patches: patch === undefined ? [] : [patch],
        drivers: new Map(),
        parameters: {},
      };
      return { what: 'patch', name, verdict, choice };
    }),
    ...Object.entries(drivers).map(([name, verdict]): Expectation => {
      const driver = DRIVERS.get(name);
      if (driver === undefined) throw new RangeError(`no driver ${name}`);
      const choice = { patches: [], drivers: new Map([['*', driver]]), parameters: {} };
      return { what: 'driver', name, verdict, choice };
    }),
  ];
}

/**
 * What a search says to the question of a scenario. A search knows only failures: it is `broken` when it found one.
 * Where the question is whether something can happen, finding it is what holds, and not finding it what is broken.
 */
export function answerOf(
  question: ConditionQuestion,
  found: VerdictWord,
  failure: Failure | 'none',
): VerdictWord {
  if (question.kind !== 'exists' || found === 'unknown') return found;
  if (found === 'holds') return 'broken';
  const isReached = failure !== 'none' && failure.kind === 'condition' && failure.how === 'reached';
  return isReached ? 'holds' : 'broken';
}
