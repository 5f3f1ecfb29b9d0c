import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

const FOUND = fileURLToPath(
  new URL('../../../scenarios/found/dontneed-between-commit-and-map.json', import.meta.url),
);

async function inFolder(play: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mmrace-'));
  try {
    await play(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('programs without a finding end with 0, in process and live', async () => {
  const { code, stdout, stderr } = await runMmrace('fuzz', '--count', '10', '--live', '--json');
  assert.equal(code, EXIT.OK, stderr);
  const { programs, findings, live } = JSON.parse(stdout);
  assert.deepEqual([programs, findings, live.differences], [10, [], []]);
});

test('a finding ends with 1 and is written as a file that replays', () =>
  inFolder(async (folder) => {
    const args = ['--driver', 'faithful', '--set', 'anon', '--seed', '7', '--count', '12'];
    const { code, stdout } = await runMmrace('fuzz', ...args, '--out', folder, '--json');
    assert.equal(code, EXIT.BROKEN);
    const [{ rule, file }] = JSON.parse(stdout).findings;
    assert.equal(rule, 'OR1');
    assert.deepEqual(
      (await readdir(folder)).map((name) => join(folder, name)),
      [file],
    );
    const replayed = await runMmrace('fuzz', '--replay', file, '--json');
    assert.equal(replayed.code, EXIT.BROKEN);
    assert.equal(JSON.parse(replayed.stdout).finding.rule, 'OR1');
  }));

test('a finding is replayed as a diagram of at most 75 columns', async () => {
  const { code, stdout } = await runMmrace('fuzz', '--replay', FOUND);
  assert.equal(code, EXIT.BROKEN);
  const diagram = stdout.slice(stdout.indexOf('\n\n'));
  assert.match(diagram, /madvise_dontneed/);
  assert.ok(diagram.split('\n').every((line) => line.length <= 75));
});

test('a wrong file or patch ends with 64 and says what was expected', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'wrong.json');
    await writeFile(file, '{"format":"mmrace-finding-1"}');
    const wrong = await runMmrace('fuzz', '--replay', file);
    assert.equal(wrong.code, EXIT.USAGE);
    assert.match(wrong.stderr, /wrong\.json: \w+: expected /);
    const patch = await runMmrace('fuzz', '--patch', 'none-such');
    assert.equal(patch.code, EXIT.USAGE);
    assert.match(patch.stderr, /expected one of .*remove-second-invalidate/);
  }));
