/** `mmrace explore` and `mmrace test` as a user runs them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.ts';

const SEED = fileURLToPath(new URL('../../../scenarios/seed-zero-page.yaml', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-explore-'));

after(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

test('the stock kernel holds over every interleaving, the patched one is broken', async () => {
  const [stock, patched] = await Promise.all([
    runMmrace('explore', SEED, '--json'),
    runMmrace('explore', SEED, '--patch', 'remove-second-invalidate', '--json'),
  ]);
  assert.equal(stock.code, EXIT.OK, stock.stderr);
  const held = JSON.parse(stock.stdout);
  assert.equal(held.verdict, 'holds');
  assert.ok(held.windowEntered > 0);
  assert.equal(held.counterexample, null);
  assert.equal(patched.code, EXIT.BROKEN, patched.stderr);
  const { counterexample } = JSON.parse(patched.stdout);
  assert.match(counterexample.failure, /^OR1/);
  assert.ok(counterexample.pointOfNoReturn > 0);
  assert.ok(counterexample.safeSibling !== null);
});

test('a budget that ends first is unknown, not holds', async () => {
  const { code, stdout } = await runMmrace('explore', SEED, '--budget-executions', '3');
  assert.equal(code, EXIT.UNKNOWN);
  assert.match(stdout, /unknown/);
});

test('a patch of the user: its own file, broken like the one that ships', async () => {
  const shipped = new URL('../../../server/patches/remove-second-invalidate.ts', import.meta.url);
  const own = file(
    'own.ts',
    `import { removeSecondInvalidate } from ${JSON.stringify(shipped.href)};\n` +
      "export const patch = { ...removeSecondInvalidate, id: 'own' };\n",
  );
  const { code, stdout, stderr } = await runMmrace('explore', SEED, '--patch', own);
  assert.equal(code, EXIT.BROKEN, stderr);
  assert.match(stdout, /<-- BUG/);
});

test('bad questions are one sentence and 64', async () => {
  const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['explore', 'nowhere.yaml'], /nowhere\.yaml: cannot be read/],
    [['explore', SEED, '--patch', 'remove-second-invalidat'], /remove-second-invalidate/],
    [['explore', SEED, '--driver', 'dmiror'], /dmirror/],
    [['explore', SEED, '--budget-executions', '0'], /from 1 to/],
    [['explore', SEED, '--strategy', 'luck'], /dpor/],
    [['explore', file('bad.yaml', 'name: x\ntitel: y\n')], /bad\.yaml:\d+:\d+: /],
    [
      [
        'explore',
        SEED,
        '--patch',
        file('none.ts', "export const patch = { id: 'x', overrides: () => ({ mmunmap() {} }) };\n"),
      ],
      /mmunmap/,
    ],
  ];
  const ended = await Promise.all(cases.map(([args]) => runMmrace(...args)));
  for (const [at, { code, stderr }] of ended.entries()) {
    assert.equal(code, EXIT.USAGE, `${cases[at]?.[0].join(' ')}: ${stderr}`);
    assert.match(stderr, cases[at]?.[1] ?? /$^/);
  }
});

test('test prints KTAP and passes where the verdicts are as expected', async () => {
  const { code, stdout, stderr } = await runMmrace('test', SEED);
  assert.equal(code, EXIT.OK, stderr);
  assert.match(stdout, /^KTAP version 1\n1\.\.1\n/);
  assert.match(stdout, /ok 1 seed-zero-page/);
});
