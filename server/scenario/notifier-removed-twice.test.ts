/** A driver that unregisters one subscription in two threads, and one that claims it before. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  DMIRROR_FUNCTIONS,
  dmirrorDriver,
  dmirrorOpen,
  newDmirror,
} from '../../clients/drivers/dmirror/dmirror.ts';
import { dropEntries } from '../../clients/drivers/dmirror/dmirror-invalidate.ts';
import { withDriverLock } from '../../clients/drivers/dmirror/dmirror-state.ts';
import { performLabVerb } from '../../clients/drivers/dmirror/lab-verb.ts';
import { allMapped } from '../../clients/drivers/hardware/device-page-table.ts';
import type { DriverVariant } from '../../clients/drivers/interface/driver-variant.ts';
import { search } from '../explorer/search.ts';
import { touch } from '../task/context.ts';
import { objectId } from '../task/object-id.ts';
import { willWrite } from '../task/task.ts';
import { readScenario } from './read-scenario.ts';
import { AS_WRITTEN, planScenario } from './scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';

const FILE = fileURLToPath(new URL('./notifier-removed-twice.fixture.yaml', import.meta.url));

/** `release` unregisters and drops everything. 'looks': asks only before the removal waits whether that is done. */
function closing(how: 'looks' | 'claims'): DriverVariant {
  return {
    id: `${how}-first`,
    provenance: 'amd/xdna-driver issue 595 (2025-06)',
    summary: `${how} before it unregisters`,
    newDevice(options) {
      const d = newDmirror(options, DMIRROR_FUNCTIONS);
      const flag = objectId('device', options.deviceNumber, 7);
      let closing = false;
      return {
        callbacks: dmirrorDriver(d),
        open: () => dmirrorOpen(d),
        *perform(verb) {
          if (verb.verb !== 'release') return yield* performLabVerb(d, verb);
          yield willWrite('unregister.look', flag);
          const { sub } = d;
          if (sub === 'closed' || (how === 'claims' && closing)) return { errno: 'OK' };
          closing = true;
          yield* withDriverLock(d, 'unregister.lock', function* () {
            yield* dropEntries(d, allMapped(d.pageTable));
          });
          yield* options.api.mmuIntervalNotifierRemove(sub);
          touch(options.context, flag, 'write');
          d.sub = 'closed';
          return { errno: 'OK' };
        },
      };
    },
  };
}

function searched(driver: DriverVariant) {
  const read = readScenario(readFileSync(FILE, 'utf8'), FILE);
  assert.ok(read.ok);
  const plan = planScenario(read.scenario, {
    ...AS_WRITTEN,
    drivers: new Map([['dev0', driver]]),
  });
  return search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'first',
    goOn: () => 'go on',
  });
}

test('a subscription that two threads remove is a bug of the kernel, with its schedule', () => {
  const { counterexample } = searched(closing('looks'));
  assert.ok(counterexample !== 'none');
  assert.match(JSON.stringify(counterexample.failure), /MN3/);
});

test('a driver that claims the removal first holds, under every schedule', () => {
  const { counterexample, ended, windowEntered } = searched(closing('claims'));
  assert.equal(counterexample, 'none');
  assert.equal(ended, 'complete');
  assert.ok(windowEntered > 0);
});
