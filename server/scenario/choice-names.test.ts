import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { choiceNames } from './choice-names.ts';
import { planScenario } from './scenario-plan.ts';
import { shippedScenario } from './shipped-scenarios.ts';

function driversOf(chosen: Readonly<Record<string, string>>): object {
  const scenario = shippedScenario('own-refault');
  assert.ok(scenario !== 'none');
  const drivers = new Map(
    Object.entries(chosen).map(([actor, id]) => {
      const driver = DRIVERS.get(id);
      assert.ok(driver !== undefined);
      return [actor, driver] as const;
    }),
  );
  const plan = planScenario(scenario, { patches: [], drivers, parameters: {} });
  return choiceNames(plan, 'stock').drivers;
}

test('a driver for all devices is named where some device has it', () => {
  assert.deepEqual(driversOf({ '*': 'corrected' }), { '*': 'corrected' });
  assert.deepEqual(driversOf({ '*': 'corrected', dev0: 'wedged' }), { dev0: 'wedged' });
});
