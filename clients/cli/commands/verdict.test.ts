import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { runMmrace, startMmrace } from '../run-mmrace.fixture.ts';

const SEED = 'scenarios/seed-zero-page.yaml';

test('a patch that breaks a scenario exits 1, with a reply that its own token reproduces', async () => {
  const { code, stdout } = await runMmrace('verdict', SEED, '--after', 'remove-second-invalidate');
  assert.equal(code, EXIT.BROKEN);
  assert.match(stdout, /^seed-zero-page: holds with stock, broken with remove-second-invalidate$/m);
  assert.match(stdout, /^ {2}appeared: OR1: /m);
  const [, reply = ''] = stdout.split(`${'-'.repeat(75)}\n`);
  for (const line of reply.split('\n')) assert.ok(line.length <= 75, line);
  // As the shell reads it: a line that ends with a backslash goes on in the next.
  const token = /npx mmrace replay (mmr1\.\S+)/.exec(reply.replaceAll('\\\n', ''))?.[1] ?? '';
  const again = await runMmrace('replay', token);
  assert.equal(again.code, EXIT.BROKEN, again.stderr);
});

test('one that changes nothing exits 0; without --after it is a question that is wrong', async () => {
  const same = await runMmrace('verdict', SEED, '--after', 'stock', '--json');
  assert.equal(same.code, EXIT.OK);
  const { verdict, scenarios } = JSON.parse(same.stdout);
  assert.deepEqual([verdict, scenarios[0].appeared, scenarios[0].vanished], ['holds', [], []]);
  const none = await runMmrace('verdict', SEED);
  assert.equal(none.code, EXIT.USAGE);
  assert.match(none.stderr, /--after/);
});

/** A patch that changes nothing, and says when the search has begun. */
const TELLS = `
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
let told = !isMainThread;
export const patch = {
  overrides: (stock) => ({
    *hmmRangeFault(...args) {
      if (!told) writeSync(2, 'it is searched\\n');
      told = true;
      return yield* stock.hmmRangeFault(...args);
    },
  }),
};
`;

test('Ctrl-C prints what is known by then, and how many scenarios were not begun', async () => {
  const own = join(mkdtempSync(join(tmpdir(), 'mmrace-verdict-')), 'tells.ts');
  writeFileSync(own, TELLS);
  const asked = ['verdict', SEED, SEED, '--devices', '6', '--before', own, '--after', 'stock'];
  const running = startMmrace(...asked, '--json');
  await running.says('it is searched');
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, EXIT.INTERRUPTED, stderr);
  assert.match(stderr, /^mmrace: interrupted; 1 of 2 scenarios were not begun$/m);
  const { verdict, scenarios } = JSON.parse(stdout);
  assert.deepEqual([verdict, scenarios.length], ['unknown', 1]);
  const [{ before, after, appeared, vanished }] = scenarios;
  assert.match(before.bound, /^interrupted after \d+ executions?/);
  assert.equal(after.bound, 'interrupted after 0 executions (dpor)');
  assert.deepEqual([before.complete, appeared, vanished], [false, [], []]);
});
