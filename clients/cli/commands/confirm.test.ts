import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Tally } from '../../../server/realkernel/confirm.ts';
import { ktapLines } from '../confirm/answer.ts';
import type { Asked } from '../confirm/asked-schedules.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

// Whatever was built on this machine.
process.env.MMRACE_KERNELS = mkdtempSync(join(tmpdir(), 'mmrace-no-kernels-'));

test('without a kernel it says how to get one, exit 69', async () => {
  for (const line of [
    ['confirm', 'seed-zero-page'],
    ['confirm', '--all'],
    ['kernel', 'points'],
  ]) {
    const { code, stderr } = await runMmrace(...line);
    assert.equal(code, EXIT.UNAVAILABLE, stderr);
    assert.match(stderr, /mmrace kernel build/);
  }
});

test('a question that is not named, or a kernel without its map, is a wrong command line', async () => {
  for (const line of [
    ['confirm'],
    ['confirm', 'seed-zero-page', '--all'],
    ['confirm', 'seed-zero-page', '--image', 'bzImage'],
    ['confirm', 'seed-zero-page', '--image', 'no-such-file', '--map', 'none'],
  ]) {
    const { code, stderr } = await runMmrace(...line);
    assert.equal(code, EXIT.USAGE, stderr);
  }
});

test('as KTAP: ok, not ok with the reason, and SKIP for what cannot be played', () => {
  const asked = {
    title: 'a (6.12, stock)',
    failure: 'OR1',
    choices: [],
    sibling: 'none',
    says: 'fails',
    patches: [],
  } as unknown as Asked;
  const tally = { runs: 1, stale: 1 } as unknown as Tally;
  const shown = { schedule: tally, control: 'none' } as const;
  const lines = ktapLines([
    { asked, confirmation: { outcome: 'confirmed', ...shown } },
    { asked, confirmation: { outcome: 'not confirmed', why: 'clean', ...shown } },
    { asked, confirmation: { outcome: 'not re-enactable', what: 'a.point' } },
  ]);
  assert.deepEqual(lines, [
    'KTAP version 1',
    '1..3',
    'ok 1 a (6.12, stock)',
    '# clean',
    'not ok 2 a (6.12, stock)',
    'ok 3 a (6.12, stock) # SKIP a.point',
  ]);
});
