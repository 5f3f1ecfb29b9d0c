/** The driver contract in the scenarios: docs/CONTRACT.md says which driver breaks which rule, and no other does. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ruleOf } from '../../explorer/failure.ts';
import { expectationsOf } from '../../scenario/expectations.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { planScenario } from '../../scenario/scenario-plan.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { RULES } from '../../vocabulary/rules.ts';
import { exploreScenario } from './explore-scenario.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/CONTRACT.md', import.meta.url), 'utf8');
/** Executions of each question: the shortest counterexamples come first. */
const EXECUTIONS = 120;
/** Rules of the contract, checked or not. */
const RULES_OF_CONTRACT = 46;

/** `scenario driver` to the rule that it breaks. */
function tableOfDrivers(): Map<string, string> {
  const rows = DOCUMENT.matchAll(/^\| ([a-z-]+) \| ([a-z-]+) \| (CR\d+) \|$/gm);
  return new Map(
    [...rows].map(([, scenario, driver, rule]) => [`${scenario} ${driver}`, `${rule}`]),
  );
}

function scenarioNamed(name: string): Scenario {
  const text = readFileSync(new URL(`../../../scenarios/${name}.yaml`, import.meta.url), 'utf8');
  const read = readScenario(text, name);
  assert.ok(read.ok);
  return read.scenario;
}

/** The rule that is broken first, or 'none' found. */
function brokenBy(scenario: Scenario, choice: ReturnType<typeof expectationsOf>[number]['choice']) {
  const { condition: _, ...rest } = scenario;
  const { counterexample } = exploreScenario(planScenario({ ...rest, oracles: ['OR6'] }, choice), {
    strategy: 'dpor',
    budgetExecutions: EXECUTIONS,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => performance.now(),
    onProgress: () => undefined,
  });
  return counterexample === 'none' ? 'none' : ruleOf(counterexample.failure);
}

test('[OR6] drivers break the rules that docs/CONTRACT.md says, in the scenarios that it says, and no others', () => {
  const table = tableOfDrivers();
  assert.ok(table.size > 0);
  const names = new Set([...table.keys()].map((key) => key.split(' ')[0] ?? ''));
  const seen = new Map<string, string>();
  for (const name of [...names, 'page-lock-under-driver-lock']) {
    const scenario = scenarioNamed(name);
    for (const { what, name: driver, choice } of expectationsOf(scenario)) {
      if (what !== 'driver') continue;
      const rule = brokenBy(scenario, choice);
      if (rule !== 'none') seen.set(`${name} ${driver}`, rule);
    }
  }
  assert.deepEqual([...seen].sort(), [...table].sort());
});

test('[CR10] [CR40] two of the patches that ship break the kernel side of the contract', () => {
  const broken = ['seed-zero-page', 'nonblock-unpaired-end'].flatMap((name) => {
    const scenario = scenarioNamed(name);
    return expectationsOf(scenario).map((one) => [one.name, brokenBy(scenario, one.choice)]);
  });
  assert.deepEqual(broken, [
    ['stock', 'none'],
    ['remove-second-invalidate', 'CR40'],
    ['stock', 'none'],
    ['eagain-without-end', 'CR10'],
  ]);
});

test('docs/CONTRACT.md lists all rules of the contract, with the id where one is checked', () => {
  const rows = [...DOCUMENT.matchAll(/^\| (\d+) \| .+? \| (CR\d+|-) \| (yes|no) \| /gm)];
  assert.deepEqual(
    rows.map(([, rule]) => Number(rule)),
    Array.from({ length: RULES_OF_CONTRACT }, (_, at) => at + 1),
  );
  const checked = rows.filter(([, , id]) => id !== '-');
  for (const [, rule, id, lab] of checked) {
    assert.equal(id, `CR${rule}`);
    assert.equal(lab, 'yes');
  }
  assert.deepEqual(
    checked.map(([, , id]) => id),
    Object.keys(RULES).filter((id) => id.startsWith('CR')),
  );
});
