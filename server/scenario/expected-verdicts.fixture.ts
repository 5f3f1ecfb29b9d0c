/** Scenarios of a folder against the verdicts that they expect: small ones, so that all are searched to the end. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sample } from '../explorer/sample.ts';
import { type SearchResult, search } from '../explorer/search.ts';
import { searchStates } from '../explorer/search-states.ts';
import { answerOf, type Expectation, expectationsOf } from './expectations.ts';
import { readScenario } from './read-scenario.ts';
import { goesRound, planScenario, type ScenarioPlan } from './scenario-plan.ts';
import type { Scenario, VerdictWord } from './scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';
import { printProblem } from './yaml-source.ts';

/** More would make the tests slow; a scenario that needs more says so in its bounds. */
const EXECUTIONS_MAX = 9_000;

/** Of a search that goes on after its first counterexample. */
const COMPARED_EXECUTIONS_MAX = 1_000;

/** A scenario and its file, without the folder. */
export interface ScenarioFile {
  readonly file: string;
  readonly scenario: Scenario;
}

/** Those of a folder of the repository, as `scenarios/`. */
export function scenariosIn(folder: string): ScenarioFile[] {
  const path = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
  return readdirSync(path)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => {
      const read = readScenario(readFileSync(`${path}${file}`, 'utf8'), `${folder}${file}`);
      if (!read.ok) assert.fail(read.problems.map(printProblem).join('\n'));
      return { file, scenario: read.scenario };
    });
}

function searched(
  plan: ScenarioPlan,
  counterexamples: 'first' | 'all',
  executionsMax = EXECUTIONS_MAX,
): SearchResult {
  return search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples,
    goOn: ({ executions }) => (executions < executionsMax ? 'go on' : 'stop'),
  });
}

/** Of programs that go round: 'broken' if a fair scheduler can go round for ever. */
function roundsOf(plan: ScenarioPlan): VerdictWord {
  const { ended, tooLong, windowEntered, counterexample, circle } = searchStates(
    () => newScenarioRun(plan),
    {
      stepsMax: stepsMaxOf(plan),
      counterexamples: 'first',
      circles: 'judged',
      goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
    },
  );
  if (circle !== 'none' || counterexample !== 'none') return 'broken';
  return ended === 'complete' && tooLong === 0 && windowEntered > 0 ? 'holds' : 'unknown';
}

function verdictOf(plan: ScenarioPlan): VerdictWord {
  if (goesRound(plan)) return roundsOf(plan);
  const result = searched(plan, 'first');
  const { ended, tooLong, windowEntered, counterexample } = result;
  if (counterexample !== 'none') return answerOf(plan.question, 'broken', counterexample.failure);
  const covered = ended === 'complete' && tooLong === 0 && windowEntered > 0;
  return answerOf(plan.question, covered ? 'holds' : 'unknown', 'none');
}

/** One test for each verdict. */
export function testExpectations(scenarios: readonly ScenarioFile[]): void {
  for (const { scenario } of scenarios) {
    for (const { what, name, verdict, choice } of expectationsOf(scenario)) {
      test(`${scenario.name}: ${verdict} with ${what} ${name}`, () => {
        assert.equal(verdictOf(planScenario(scenario, choice)), verdict);
      });
    }
  }
}

/** What is expected to be broken: names of patches and drivers. */
export function brokenIn(scenarios: readonly ScenarioFile[]): string[] {
  return scenarios
    .flatMap(({ scenario }): Expectation[] => expectationsOf(scenario))
    .filter(({ verdict }) => verdict === 'broken')
    .map(({ name }) => name);
}

/** An odd multiplier and the high bits of a product: enough chance for a schedule. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Goes on after the first counterexample, for at most COMPARED_EXECUTIONS_MAX executions. */
type SearchAll = (plan: ScenarioPlan) => Pick<SearchResult, 'ended' | 'outcomes'>;

/** An execution ends with its first failure: what would have gone wrong behind it is not looked for. */
export const byExecutions: SearchAll = (plan) => searched(plan, 'all', COMPARED_EXECUTIONS_MAX);

/** As `explore` searches. What lies behind a failure may race with what came before it. */
export const byStates: SearchAll = (plan) =>
  searchStates(() => newScenarioRun(plan), {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: ({ executions }) => (executions < COMPARED_EXECUTIONS_MAX ? 'go on' : 'stop'),
  });

/**
 * What the reduction leaves out must be covered by what it tries. An object that a step touches without saying so
 * shows here, as an outcome that a random schedule has and the search has not. Returns: how many were compared.
 */
export function compareWithRandomSchedules(
  scenarios: readonly ScenarioFile[],
  searchAll: SearchAll,
): number {
  let compared = 0;
  for (const { scenario } of scenarios) {
    const choices = expectationsOf(scenario).filter(({ what }) => what === 'patch');
    for (const { name, choice } of choices) {
      const plan = planScenario(scenario, choice);
      // Executions that go round have no end to compare.
      if (goesRound(plan)) continue;
      const covered = searchAll(plan);
      // Without a first counterexample to stop at, a livelock has too many schedules.
      if (covered.ended !== 'complete') continue;
      compared += 1;
      const sampled = sample(() => newScenarioRun(plan), {
        strategy: 'random',
        stepsMax: stepsMaxOf(plan),
        depth: 3,
        randomOf: chance,
        first: 1,
        executions: 80,
        counterexamples: 'all',
      });
      const missing = [...sampled.outcomes.keys()].filter((one) => !covered.outcomes.has(one));
      assert.deepEqual(missing, [], `${scenario.name} with ${name}`);
    }
  }
  return compared;
}
