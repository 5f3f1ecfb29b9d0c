import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FUNCTIONS_ALL } from '../../../server/verify/coverage/coverage-table.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

const PAGE = new URL('../../../docs/COVERAGE.md', import.meta.url);

test('what runs have reached is joined; a file that says nothing of it is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-coverage-'));
  try {
    const [one, other, none] = ['one', 'other', 'none'].map((name) => join(folder, name));
    const told = { reach: { functions: ['mremapTo'] }, pairs: { a: ['b'] } };
    writeFileSync(one ?? '', JSON.stringify(told));
    const fuzz = await runMmrace('fuzz', '--count', '2', '--json');
    writeFileSync(other ?? '', fuzz.stdout);
    writeFileSync(none ?? '', '{}');
    const { code, stdout, stderr } = await runMmrace('coverage', one ?? '', other ?? '', '--json');
    assert.equal(code, EXIT.OK, stderr);
    const [first, second, together] = JSON.parse(stdout);
    assert.deepEqual(first.functions, ['mremapTo']);
    assert.ok(second.functions.includes('handleMmFault'));
    assert.equal(together.functions.length, second.functions.length + 1);
    assert.equal(together.pairs, second.pairs + 1);
    assert.equal((await runMmrace('coverage', none ?? '')).code, EXIT.USAGE);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('docs/COVERAGE.md is about the kernel that is here', () => {
  const page = readFileSync(PAGE, 'utf8');
  assert.match(
    page,
    new RegExp(`\\d+ of ${FUNCTIONS_ALL.length} \\|`),
    'npm run coverage writes it anew',
  );
});
