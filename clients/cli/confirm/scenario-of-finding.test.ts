import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { parseFindingFile } from '../../../server/conformance/fuzz/finding-file.ts';
import { shippedFindings } from '../../../server/scenario/shipped-scenarios.ts';
import { askedSchedules } from './asked-schedules.ts';
import { scenarioOfFinding } from './scenario-of-finding.ts';

test('what came before is the setup, what raced are programs of their own', () => {
  const path = shippedFindings().find((one) => one.includes('own-fault-installs-a-page'));
  assert.ok(path !== undefined);
  const finding = parseFindingFile(JSON.parse(readFileSync(path, 'utf8')));
  assert.ok('program' in finding);
  const scenario = scenarioOfFinding(basename(path, '.json'), finding);
  assert.deepEqual(
    scenario.setup?.map(({ actor, do: op }) => `${actor} ${op}`),
    ['cpu0 store', 'dev0 migrate-to-dev'],
  );
  const programs = scenario.actors.map(({ name, threads = [] }) => [
    name,
    threads.map((program) => program.map(({ do: op }) => op)),
  ]);
  assert.deepEqual(programs, [
    ['cpu0', [['load']]],
    ['dev0', [['read']]],
  ]);
});

test('every finding that ships fails as a scenario as well: by a rule, or by a write that is lost', async () => {
  for (const path of shippedFindings()) {
    const [asked] = await askedSchedules(path, { patch: 'stock', on: '6.12' });
    assert.match(asked?.failure ?? '', /^(?:OR[12]: dev0 |forbidden: witness\.r0 != )/, path);
  }
});
