import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

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
  assert.match(alone.stdout, /no device joined as dev0 within 1 s/);
  assert.match(alone.stderr, /let it join the lab demo at ws:\/\/127\.0\.0\.1:\d+\/ws/);
  const wrong = await certify('--external', 'dev7');
  assert.equal(wrong.code, EXIT.USAGE);
  assert.match(wrong.stderr, /--external: retry-ignored has no device "dev7"/);
  const ends = await certify('--external', 'dev0', '--run', 'exit 3');
  assert.equal(ends.code, EXIT.USAGE);
  assert.match(ends.stderr, /"exit 3" ended with exit code 3 before it had joined/);
});

test('a driver here is judged by the contract alone; its counterexample replays', async () => {
  const good = await certify('--driver', 'dev0=dmirror');
  assert.equal(good.code, EXIT.OK, good.stdout + good.stderr);
  const bad = await certify('--driver', 'dev0=skip-retry');
  assert.equal(bad.code, EXIT.BROKEN);
  assert.match(
    bad.stdout,
    /CR1: dev0 mapped 0x100200000 .*\s+mmu_interval_read_retry\(\)\s+was\s+not\s+asked/,
  );
  const token = /npx mmrace replay (\S+)/.exec(bad.stdout)?.[1] ?? '';
  const replayed = await runMmrace('replay', token);
  assert.equal(replayed.code, EXIT.BROKEN, replayed.stdout + replayed.stderr);
  assert.match(replayed.stdout, /CR1: dev0 mapped/);
  const neither = await certify();
  assert.equal(neither.code, EXIT.USAGE);
  assert.match(neither.stderr, /say which device, with --external ACTOR, or which driver/);
});
