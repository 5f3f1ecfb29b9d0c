/** The order that breaks a kernel with a bug is gone on the stock kernel: it holds, wherever it goes another way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../abi/event.ts';
import { type Expectation, expectationsOf } from '../../scenario/expectations.ts';
import { planScenario } from '../../scenario/scenario-plan.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { shippedScenario, shippedScenarioNames } from '../../scenario/shipped-scenarios.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';
import { recordExecution } from './record-execution.ts';
import { sameOrder } from './same-order.ts';

const SEARCH = {
  strategy: 'dpor',
  budgetExecutions: 20_000,
  budgetSeconds: 60,
  seed: 1,
  depth: 3,
  clock: () => 0,
  onProgress: () => undefined,
} as const;

/** Of what ships: with a bug it breaks, and without it holds. */
function both(scenario: Scenario): readonly Expectation[] {
  const all = expectationsOf(scenario);
  const holds = (what: 'patch' | 'driver', name: string) =>
    all.some((one) => one.what === what && one.name === name && one.verdict === 'holds');
  if (!holds('patch', 'stock')) return [];
  return all.filter(({ verdict, name }) => verdict === 'broken' && name !== 'stock');
}

function entries(events: readonly Event[]): readonly Event[] {
  return events.flatMap((event) => (event.kind === 'pte' ? [{ ...event, n: 0 }] : []));
}

for (const name of shippedScenarioNames()) {
  const scenario = shippedScenario(name);
  if (scenario === 'none') continue;
  for (const { choice, name: bug } of both(scenario)) {
    test(`${name}: the order that breaks ${bug} does not break the stock kernel`, () => {
      const { plan, counterexample } = exploreScenario(planScenario(scenario, choice), SEARCH);
      assert.ok(counterexample !== 'none');
      const right = planScenario(scenario, { ...plan.choice, patches: [], drivers: new Map() });
      const { steps } = counterexample;
      const beside = sameOrder(plan, steps, right);
      assert.equal(beside.failure, 'none');
      assert.equal(beside.eventsBehind.length, steps.length);
      assert.equal(beside.eventsBehind.at(-1), beside.events.length);
      assert.deepEqual(
        beside.eventsBehind,
        beside.eventsBehind.toSorted((a, b) => a - b),
      );
      // On the kernel with the bug itself the order is what it was.
      const itself = sameOrder(plan, steps, plan);
      const played = recordExecution(plan, counterexample.choices);
      assert.deepEqual(entries(itself.events), entries(played.events));
    });
  }
}
