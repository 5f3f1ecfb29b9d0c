import type { Sibling } from '../../explorer/no-return.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import type { Verdict } from '../explore/explore.ts';
import type { ScenarioVerdict } from '../explore/explore-scenario.ts';
import {
  COUNTEREXAMPLE_FORMAT,
  COUNTEREXAMPLE_VERSION,
  type CodeName,
  type Counterexample,
  scenarioHash,
  scheduleOf,
  yieldPointsHash,
} from './counterexample.ts';

/** What a verdict does not know of its question. */
export interface QuestionNames {
  readonly patch: CodeName;
  /** By actor; '*' for all that are not named. */
  readonly drivers: { readonly [actor: string]: CodeName };
  readonly strategy: string;
  /** Of the sources that ran. */
  readonly modelHash: string;
}

/** The counterexample (or, to `exists`, the witness) of `verdict` as a value that can be stored; 'none' without one. */
export function counterexampleOf(
  verdict: ScenarioVerdict,
  question: QuestionNames,
): Counterexample | 'none' {
  const { plan } = verdict;
  return counterexampleWith(verdict, question, {
    kernel: plan.kernel,
    scenario: scenarioNamed(plan.scenario),
    parameters: { ...plan.choice.parameters },
  });
}

/** The same of a verdict on a moment of a recorded run, of the lab `name`. */
export function counterexampleFrom(
  verdict: Verdict,
  question: QuestionNames,
  name: string,
  from: NonNullable<Counterexample['from']>,
  kernel: string,
): Counterexample | 'none' {
  const scenario = { name, hash: '' };
  return counterexampleWith(verdict, question, { kernel, scenario, from, parameters: {} });
}

function counterexampleWith(
  verdict: Verdict,
  question: QuestionNames,
  what: Pick<Counterexample, 'kernel' | 'scenario' | 'from' | 'parameters'>,
): Counterexample | 'none' {
  const { counterexample, executions, failures, windowEntered } = verdict;
  if (counterexample === 'none' || verdict.verdict === 'unknown') return 'none';
  const steps = counterexample.steps.map(({ step }) => step.at);
  return {
    format: COUNTEREXAMPLE_FORMAT,
    version: COUNTEREXAMPLE_VERSION,
    ...what,
    patch: question.patch,
    drivers: { ...question.drivers },
    model: { hash: question.modelHash, yieldPoints: yieldPointsHash(steps) },
    failure: describeFailure(counterexample.failure),
    found: {
      verdict: verdict.verdict,
      strategy: question.strategy,
      executions,
      failures,
      windowEntered,
      pointOfNoReturn: counterexample.pointOfNoReturn,
      ...safeSwapOf(counterexample.nearestPassingSchedule),
    },
    schedule: scheduleOf(counterexample.steps.map(({ task }) => task)),
    steps,
  };
}

function safeSwapOf(sibling: Sibling | 'none'): Pick<Counterexample['found'], 'safeSwap'> {
  if (sibling === 'none') return {};
  const [first, second] = sibling.swapped;
  return { safeSwap: [first.first, first.last, second.first, second.last] };
}

/** By name if that is what ships under it: then every mmrace has the scenario. */
function scenarioNamed(scenario: Scenario): Counterexample['scenario'] {
  const { name } = scenario;
  const hash = scenarioHash(scenario);
  const shipped = shippedScenario(name);
  return shipped !== 'none' && scenarioHash(shipped) === hash
    ? { name, hash }
    : { name, hash, data: withoutProse(scenario) };
}

/** A token carries it: what does not run is left out. */
function withoutProse({ sheet: _, ...scenario }: Scenario): Scenario {
  const { name } = scenario;
  return { ...scenario, title: name, provenance: name, expect: { patches: {} } };
}
