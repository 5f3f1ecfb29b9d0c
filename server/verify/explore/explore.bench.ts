/** The explorer on the seed scenario: executions and steps a second, and how soon the patch is shown to break it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { searchStates } from '../../explorer/search-states.ts';
import { removeSecondInvalidate } from '../../patches/remove-second-invalidate.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN, planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { type Bench, type Effort, type Measurement, repetitions } from '../../tidy/benchmark.ts';
import { invariant } from '../../vocabulary/invariant.ts';
import { exploreScenario, type ScenarioVerdict } from './explore-scenario.ts';

const SCENARIO = fileURLToPath(new URL('../../../scenarios/seed-zero-page.yaml', import.meta.url));
const SEED = 1;
const DEPTH = 3;

function seedScenario() {
  const read = readScenario(readFileSync(SCENARIO, 'utf8'), SCENARIO);
  if (!read.ok) throw new Error(`${SCENARIO}: ${read.problems[0]?.message ?? 'no scenario'}`);
  return read.scenario;
}

function explored(plan: ScenarioPlan, budgetSeconds: number): ScenarioVerdict {
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: Number.MAX_SAFE_INTEGER,
    budgetSeconds,
    seed: SEED,
    depth: DEPTH,
    clock: () => performance.now(),
    onProgress: () => undefined,
  });
}

function rates(verdicts: readonly ScenarioVerdict[]): Measurement[] {
  const perSecond = (count: 'executions' | 'steps') =>
    verdicts.map((verdict) => verdict[count] / verdict.seconds);
  return [
    { name: 'executions', unit: '1/s', values: perSecond('executions') },
    { name: 'steps', unit: '1/s', values: perSecond('steps') },
  ];
}

/** The whole search: with the stock kernel the answer is 'holds', whatever it takes. */
function whole(effort: Effort): Measurement[] {
  const plan = planScenario(seedScenario());
  explored(plan, Number.POSITIVE_INFINITY);
  const verdicts = times(effort, () => explored(plan, Number.POSITIVE_INFINITY));
  for (const { verdict } of verdicts) invariant(verdict === 'holds', 'SC2', { verdict });
  const spent = verdicts.map(({ seconds }) => seconds * 1e6);
  return [...rates(verdicts), { name: 'until it holds', unit: 'us', values: spent }];
}

/** As much as fits into the time: a third device makes executions longer. */
function part(effort: Effort): Measurement[] {
  const choice = { ...AS_WRITTEN, parameters: { devices: 3 } };
  const plan = planScenario(seedScenario(), choice);
  const seconds = repetitions(effort).ms / 1_000;
  explored(plan, seconds);
  return rates(times(effort, () => explored(plan, seconds)));
}

/** What the search remembers of a state, at three devices and two migrators or as much of it as fits into the time. */
function states(effort: Effort): Measurement[] {
  const plan = planScenario(seedScenario(), {
    ...AS_WRITTEN,
    parameters: { devices: 3, migrators: 2 },
  });
  const until = performance.now() + repetitions(effort).ms;
  const began = performance.now();
  const { states: met, bytes } = searchStates(() => newScenarioRun(plan), {
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'first',
    goOn: () => (performance.now() < until ? 'go on' : 'stop'),
  });
  const seconds = (performance.now() - began) / 1_000;
  return [
    { name: 'states', unit: '1/s', values: [met / seconds] },
    { name: 'a state takes', unit: 'bytes', values: [bytes / met] },
  ];
}

/** To the counterexample, shrunk, with its point of no return and its safe sibling. */
function broken(effort: Effort): Measurement[] {
  const choice = { ...AS_WRITTEN, patches: [removeSecondInvalidate] };
  const plan = planScenario(seedScenario(), choice);
  explored(plan, Number.POSITIVE_INFINITY);
  const verdicts = times(effort, () => explored(plan, Number.POSITIVE_INFINITY));
  for (const { verdict } of verdicts) invariant(verdict === 'broken', 'SC2', { verdict });
  const spent = verdicts.map(({ seconds }) => seconds * 1e6);
  return [{ name: 'until it is broken and shrunk', unit: 'us', values: spent }];
}

function times(effort: Effort, once: () => ScenarioVerdict): ScenarioVerdict[] {
  return Array.from({ length: repetitions(effort).count }, once);
}

export const benches: readonly Bench[] = [
  { name: 'seed race, every interleaving of 2 devices', run: whole },
  { name: 'seed race, interleavings of 3 devices', run: part },
  { name: 'seed race, states of 3 devices with 2 migrators', run: states },
  { name: 'seed race without the second invalidation', run: broken },
];
