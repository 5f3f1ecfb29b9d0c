import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

const SEED = 'scenarios/seed-zero-page.yaml';

test('a patch that breaks a scenario exits 1, with a reply that its own token reproduces', async () => {
  const { code, stdout } = await runMmrace('verdict', SEED, '--after', 'remove-second-invalidate');
  assert.equal(code, EXIT.BROKEN);
  assert.match(stdout, /^seed-zero-page: holds with stock, broken with remove-second-invalidate$/m);
  assert.match(stdout, /^ {2}appeared: OR1: /m);
  const [, reply = ''] = stdout.split(`${'-'.repeat(75)}\n`);
  for (const line of reply.split('\n')) assert.ok(line.length <= 75, line);
  const token = /npx mmrace replay \\?\n?(mmr1\.\S+)/.exec(reply)?.[1] ?? '';
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
