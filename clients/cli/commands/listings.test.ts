/** What the listing commands say, as processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATCHES } from '../../../server/patches/patches.ts';
import { shippedScenarioNames } from '../../../server/scenario/shipped-scenarios.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

test('patches: each with what it changes, where it comes from, and what shows it', async () => {
  const { code, stdout } = await runMmrace('patches', '--json');
  assert.equal(code, EXIT.OK);
  const { patches } = JSON.parse(stdout) as { patches: { id: string; shownBy: string[] }[] };
  assert.deepEqual(
    patches.map(({ id }) => id),
    [...PATCHES.keys()],
  );
  const seed = patches.find(({ id }) => id === 'remove-second-invalidate');
  assert.ok(seed?.shownBy.includes('seed-zero-page'));
});

test('patches --diff: what each changes, as a unified diff of that kernel', async () => {
  const { code, stdout } = await runMmrace('patches', 'remove-second-invalidate', '--diff');
  assert.equal(code, EXIT.OK);
  assert.match(
    stdout,
    /^--- stock\/migrateVmaPages\n\+\+\+ remove-second-invalidate\/migrateVmaPages\n@@ /,
  );
  assert.match(stdout, /^- {2}let bracket = 'none';$/m);
  const all = await runMmrace('patches', '--diff', '--json', '--kernel', '6.1');
  const { patches } = JSON.parse(all.stdout) as { patches: { id: string; diff: string }[] };
  for (const { id, diff } of patches) assert.match(diff, /^[-+](?![-+]{2} )/m, id);
});

test('scenarios: each with its title and the verdicts that it expects', async () => {
  const { code, stdout } = await runMmrace('scenarios', '--json');
  assert.equal(code, EXIT.OK);
  const { scenarios } = JSON.parse(stdout) as {
    scenarios: { name: string; expect: { patches: object } }[];
  };
  assert.deepEqual(
    scenarios.map(({ name }) => name),
    shippedScenarioNames(),
  );
  const seed = scenarios.find(({ name }) => name === 'seed-zero-page');
  assert.deepEqual(seed?.expect.patches, { stock: 'holds', 'remove-second-invalidate': 'broken' });
});

test('a name that is not known is one sentence, 64, and what was meant', async () => {
  for (const [command, name, meant] of [
    ['patches', 'remove-second-invalidat', 'remove-second-invalidate'],
    ['scenarios', 'seed-zero-pge', 'seed-zero-page'],
  ] as const) {
    const { code, stdout, stderr } = await runMmrace(command, name);
    assert.deepEqual([code, stdout], [EXIT.USAGE, '']);
    assert.match(
      stderr,
      new RegExp(`^mmrace: there is no .* "${name}"; did you mean "${meant}"\\?[^\\n]*\\n$`),
    );
  }
});

test('an object a line for each part, and not both forms at once', async () => {
  const { stdout } = await runMmrace('scenarios', '--jsonl', 'seed-zero-page', 'seed-empty-entry');
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).name),
    ['seed-zero-page', 'seed-empty-entry'],
  );
  const both = await runMmrace('patches', '--json', '--jsonl');
  assert.deepEqual([both.code, both.stdout], [EXIT.USAGE, '']);
  assert.equal(both.stderr, 'mmrace: --json and --jsonl exclude each other\n');
});
