import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const SCENARIO = path('scenarios/retry-ignored.yaml');
const DEVICE = `"${process.execPath}" "${path('clients/agents/device.ts')}"`;

function certify(...args: readonly string[]) {
  return runMmrace('certify', SCENARIO, '--port', '0', ...args);
}

test('the ready-made device holds in a process of its own, and the object says what was covered', async () => {
  const { code, stdout } = await certify('--external', 'dev0', '--run', DEVICE, '--json');
  assert.equal(code, EXIT.OK, stdout);
  const answer = JSON.parse(stdout);
  assert.equal(answer.verdict, 'holds');
  assert.equal(answer.device, 'dev0');
  assert.equal(answer.counterexample, null);
  assert.equal(answer.runs, 2 * answer.executions);
  assert.ok(answer.windowEntered > 0);
});

test('nobody who joins is unknown; a device that is not there, or ends at once, is one sentence and 64', async () => {
  const alone = await certify('--external', 'dev0', '--join-seconds', '1');
  assert.equal(alone.code, EXIT.UNKNOWN);
  assert.match(alone.stdout, /nobody joined as dev0 within 1 s/);
  assert.match(alone.stderr, /let it join the lab demo at ws:\/\/127\.0\.0\.1:\d+\/ws/);
  const wrong = await certify('--external', 'dev7');
  assert.equal(wrong.code, EXIT.USAGE);
  assert.match(wrong.stderr, /--external: retry-ignored has no device "dev7"/);
  const ends = await certify('--external', 'dev0', '--run', 'exit 3');
  assert.equal(ends.code, EXIT.USAGE);
  assert.match(ends.stderr, /"exit 3" ended with exit code 3 before it had joined/);
});
