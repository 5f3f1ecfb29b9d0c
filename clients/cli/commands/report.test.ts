import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { runMmrace, runProcess } from '../run-mmrace.fixture.ts';

const SCENARIO = 'scenarios/seed-zero-page.yaml';
const SEED = ['explore', SCENARIO, '--patch', 'remove-second-invalidate'];

let folder = '';
let saved = '';
let token = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmrace-'));
  saved = join(folder, 'found.json');
  const { code, stdout } = await runMmrace(...SEED, '--save', saved, '--json');
  assert.equal(code, EXIT.BROKEN, stdout);
  token = JSON.parse(stdout).token;
});

after(() => rm(folder, { recursive: true }));

test('the token and the file of a counterexample fail again, and exit 1', async () => {
  for (const what of [token, saved]) {
    const { code, stdout } = await runMmrace('replay', what);
    assert.equal(code, EXIT.BROKEN, stdout);
    assert.match(stdout, /seed-zero-page: fails as promised/);
    assert.match(stdout, /<-- BUG/);
  }
});

test('a patch of the user that has changed since is refused at the first step that differs', async () => {
  const patch = join(folder, 'mine.ts');
  const kernel = new URL('../../../server/', import.meta.url);
  const source = (body: string) => `
import { willRead } from '${kernel}task/task.ts';
import { objectId } from '${kernel}task/object-id.ts';
import { PATCHES } from '${kernel}patches/patches.ts';
export const patch = {
  overrides: (stock) => ({
    ...PATCHES.get('remove-second-invalidate').overrides(stock),
    *hmmRangeFault(...args) {
      ${body}
      return yield* stock.hmmRangeFault(...args);
    },
  }),
};`;
  const found = join(folder, 'mine.json');
  await writeFile(patch, source(''));
  const explored = await runMmrace('explore', SCENARIO, '--patch', patch, '--save', found);
  assert.equal(explored.code, EXIT.BROKEN, explored.stderr);
  assert.equal((await runMmrace('replay', found)).code, EXIT.BROKEN);
  await writeFile(patch, source("yield willRead('mine.look', objectId('user', 0, 1));"));
  // A process that has loaded a module keeps it.
  const { code, stderr } = await runProcess('replay', found);
  assert.equal(code, EXIT.USAGE);
  assert.match(stderr, /mine\.ts has changed since/);
  assert.match(
    stderr,
    /step \d+ of 24: expected hmm_range_fault\.check_retry, found mine\.look of reader0/,
  );
});

test('a damaged token and a file that is neither are one sentence each', async () => {
  const damaged = await runMmrace('replay', token.slice(0, -1));
  assert.equal(damaged.code, EXIT.USAGE);
  assert.match(damaged.stderr, /^mmrace: the token is damaged .*copy all of it.*\n$/);
  const neither = await runMmrace('report', SCENARIO, '--format', 'litmus');
  assert.equal(neither.code, EXIT.USAGE);
  assert.match(neither.stderr, /seed-zero-page\.yaml:1: .*; nor is it a counterexample/);
});

test('a report goes to stdout, or into a file', async () => {
  const litmus = await runMmrace('report', token, '--format', 'litmus');
  assert.equal(litmus.code, EXIT.OK);
  assert.match(litmus.stdout, /^Observation seed-zero-page Sometimes \d+ \d+$/m);
  const page = join(folder, 'found.html');
  const html = await runMmrace('report', saved, '--format', 'html', '--out', page);
  assert.deepEqual([html.code, html.stdout], [EXIT.OK, '']);
  assert.match(await readFile(page, 'utf8'), /^<!doctype html>/i);
});

test('a report is not written over what it is made of', async () => {
  const before = await readFile(saved, 'utf8');
  const out = join(folder, '.', 'found.json');
  const { code, stderr } = await runMmrace('report', saved, '--format', 'html', '--out', out);
  assert.equal(code, EXIT.USAGE);
  assert.match(stderr, /found\.json is what the report is made of/);
  assert.equal(await readFile(saved, 'utf8'), before);
});

test('an answer has one form', async () => {
  for (const command of ['explore', 'replay']) {
    const { code, stdout, stderr } = await runMmrace(command, saved, '--json', '--format', 'html');
    assert.deepEqual([code, stdout], [EXIT.USAGE, '']);
    assert.match(stderr, /--json' cannot be used with .*--format/);
  }
});
