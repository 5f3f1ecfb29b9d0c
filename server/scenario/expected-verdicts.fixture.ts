/** Scenarios of a folder against the verdicts that they expect: small ones, so that all are searched to the end. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { failureKey } from '../explorer/failure.ts';
import { atRandom } from '../explorer/measure.ts';
import { countOutcome, type Outcome } from '../explorer/outcomes.ts';
import { type Chooser, type Replayed, replay, runWith } from '../explorer/replay.ts';
import { type SearchResult, search } from '../explorer/search.ts';
import { searchStates } from '../explorer/search-states.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import { answerOf, type Expectation, expectationsOf } from './expectations.ts';
import { readScenario } from './read-scenario.ts';
import { goesRound, planScenario, type ScenarioPlan } from './scenario-plan.ts';
import type { Scenario, VerdictWord } from './scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';
import { printProblem } from './yaml-source.ts';

/** More would make the tests slow; a scenario that needs more says so in its bounds. */
const EXECUTIONS_MAX = 9_000;

/** Random schedules of each scenario. */
const DRAWN = 80;

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
 * Of two failures in steps that commute the one that comes first ends the execution, and which that is differs among
 * schedules that are one to a search. So where the task of the last step stands still before it, while the others go
 * on, one comes that the search knows.
 */
function failsElsewhere(
  plan: ScenarioPlan,
  { failure, steps }: Pick<Replayed, 'failure' | 'steps'>,
  { outcomes }: Pick<SearchResult, 'outcomes'>,
): boolean {
  const last = steps.at(-1)?.task;
  if (failure === 'none' || last === undefined) return false;
  const before = steps.slice(0, -1).map(({ task }) => task);
  const othersFirst: Chooser = (ready) =>
    ready.find(({ identity }) => identity.id !== last) ?? (ready[0] as RunningTask);
  const other = replay(() => newScenarioRun(plan), before, stepsMaxOf(plan), othersFirst);
  return (
    other.failure !== 'none' &&
    other.steps.slice(before.length).every(({ task }) => task !== last) &&
    outcomes.has(failureKey(other.failure))
  );
}

/**
 * What the reduction leaves out must be covered by what it tries. An object that a step touches without saying so
 * shows here, as an outcome that a random schedule has and the search has not. Returns: how many were compared.
 */
export function compareWithRandomSchedules(
  scenarios: readonly ScenarioFile[],
  searchAll: SearchAll,
  verdicts: readonly VerdictWord[] = ['holds', 'broken'],
): number {
  let compared = 0;
  for (const { scenario } of scenarios) {
    const choices = expectationsOf(scenario).filter(
      ({ what, verdict }) => what === 'patch' && verdicts.includes(verdict),
    );
    for (const { name, choice } of choices) {
      const plan = planScenario(scenario, choice);
      // Executions that go round have no end to compare.
      if (goesRound(plan)) continue;
      const covered = searchAll(plan);
      // Without a first counterexample to stop at, a livelock has too many schedules.
      if (covered.ended !== 'complete') continue;
      compared += 1;
      for (let n = 1; n <= DRAWN; n += 1) {
        const run = runWith(() => newScenarioRun(plan), atRandom(chance(n)), stepsMaxOf(plan));
        if (run.ended === 'too long') continue;
        const seen = new Map<string, Outcome>();
        countOutcome(seen, run.failure, () => run.explored.outcome());
        const [[outcome]] = [...seen] as [[string, Outcome]];
        if (covered.outcomes.has(outcome) || failsElsewhere(plan, run, covered)) continue;
        assert.fail(`${scenario.name} with ${name}: the search does not know of ${outcome}`);
      }
    }
  }
  return compared;
}
