import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { shapesOf } from '../../../server/verify/shapes/shapes.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace, startMmrace } from '../run-mmrace.fixture.ts';

const SEED = 'scenarios/seed-zero-page.yaml';
/** More executions than anybody waits for: devices that migrate do not stand for each other. */
const ENDLESS = ['--devices', '8', '--migrators', '6'];

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

/** Forks that leave the parent the right to write in its TLB: a setup that forks is broken by it. */
const NO_FLUSH_AT_FORK = `
export const patch = {
  overrides: (stock) => ({
    *flushTlbRange(k, mm, range) {
      if (mm.mmapLock.writer === 'none') yield* stock.flushTlbRange(k, mm, range);
    },
  }),
};
`;

test('a scenario that the patch breaks in its setup is named, and the others are judged', async () => {
  const own = join(mkdtempSync(join(tmpdir(), 'mmrace-verdict-')), 'fork.ts');
  writeFileSync(own, NO_FLUSH_AT_FORK);
  const forks = 'scenarios/collect-flush-after-unlock.yaml';
  const asked = ['--after', own, '--no-recordings', '--budget-executions', '20'];
  const both = await runMmrace('verdict', forks, SEED, ...asked);
  assert.match(both.stdout, /^seed-zero-page: /m);
  assert.match(
    both.stdout,
    /^scenarios\/collect-flush-after-unlock.yaml: not judged\. .*breaks OR10/m,
  );
  const told = await runMmrace('verdict', forks, SEED, ...asked, '--json');
  assert.equal(JSON.parse(told.stdout).brokenSetups.length, 1);
  const alone = await runMmrace('verdict', forks, ...asked);
  assert.equal(alone.code, EXIT.USAGE);
  assert.match(alone.stderr, /breaks OR10/);
});

test('Ctrl-C prints what is known by then, and how many scenarios were not begun', async () => {
  const own = join(mkdtempSync(join(tmpdir(), 'mmrace-verdict-')), 'tells.ts');
  writeFileSync(own, TELLS);
  const asked = ['verdict', SEED, SEED, ...ENDLESS, '--before', own, '--after', 'stock'];
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

/** A patch that says when it is tried, in a thread of its own. */
const TRIED = `
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (!isMainThread) writeSync(2, 'it is tried\\n');
export const patch = { overrides: () => ({}) };
`;

test('Ctrl-C while own code is tried says that nothing was begun', async () => {
  const own = join(mkdtempSync(join(tmpdir(), 'mmrace-verdict-')), 'tried.ts');
  writeFileSync(own, TRIED);
  const running = startMmrace('verdict', SEED, SEED, SEED, '--after', own);
  await running.says('it is tried');
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  assert.deepEqual([code, stdout], [EXIT.INTERRUPTED, '']);
  assert.match(stderr, /^mmrace: interrupted; 3 of 3 scenarios were not begun$/m);
});

test('without scenarios those that reach the patch are asked until one got worse, with shapes both', async () => {
  const asked = ['verdict', '--after', 'fork-shares-pinned', '--shapes', '1', '--every', '60'];
  const few = [
    ...['--budget-executions', '60', '--shape-executions', '20'],
    ...['--no-recordings', '--no-cache', '--json'],
  ];
  const { code, stdout, stderr } = await runMmrace(...asked, ...few);
  assert.equal(code, EXIT.BROKEN, stderr);
  const { scenarios, notAsked, shapes } = JSON.parse(stdout);
  const worse = scenarios.map(({ scenario, worse: is }: never) => [scenario, is]);
  assert.deepEqual(worse, [['pinned-before-fork', 'yes']]);
  assert.ok(notAsked.includes('cow-while-mirrored'));
  assert.ok(!notAsked.includes('seed-zero-page'));
  const every60 = Math.ceil([...shapesOf(1)].length / 60);
  assert.deepEqual([shapes.shapes, shapes.sizes], [every60, [1]]);
});
