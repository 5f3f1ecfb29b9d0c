import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import { runMmrace, startMmrace } from '../run-mmrace.fixture.ts';

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
  const { code, stdout, stderr } = await runMmrace('fuzz', '--count', '4', '--live', '--json');
  assert.equal(code, EXIT.OK, stderr);
  const { programs, findings, live } = JSON.parse(stdout);
  assert.deepEqual([programs, findings, live.differences], [4, [], []]);
});

test('a finding ends with 1 and is written as a file that replays', () =>
  inFolder(async (folder) => {
    const args = ['--driver', 'faithful', '--set', 'anon', '--seed', '1', '--count', '12'];
    const { code, stdout } = await runMmrace('fuzz', ...args, '--out', folder, '--json');
    assert.equal(code, EXIT.BROKEN);
    const [{ rule, file }] = JSON.parse(stdout).findings;
    assert.match(rule, /^OR[12]$/);
    assert.deepEqual(
      (await readdir(folder)).map((name) => join(folder, name)),
      [file],
    );
    const replayed = await runMmrace('fuzz', '--replay', file, '--json');
    assert.equal(replayed.code, EXIT.BROKEN);
    assert.equal(JSON.parse(replayed.stdout).finding.rule, rule);
  }));

test('a finding is written when it is found, and Ctrl-C prints what was found by then', () =>
  inFolder(async (folder) => {
    const args = ['--driver', 'faithful', '--set', 'anon', '--seed', '1', '--count', '100000000'];
    const out = join(folder, 'deep', 'findings');
    await mkdir(out, { recursive: true });
    const running = startMmrace('fuzz', ...args, '--out', out, '--json');
    for await (const { filename } of watch(out)) if (filename?.endsWith('.json')) break;
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.ended;
    assert.equal(code, EXIT.INTERRUPTED, stderr);
    const { programs, findings } = JSON.parse(stdout);
    assert.ok(programs >= findings.length && findings.length > 0);
    const files = await readdir(out);
    assert.deepEqual(
      new Set(findings.map(({ file }: { file: string }) => file)),
      new Set(files.map((name) => join(out, name))),
    );
  }));

test('a place where no finding could be written is refused before anything runs', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const out of [file, join(file, 'below')]) {
      const { code, stdout, stderr } = await runMmrace(
        'fuzz',
        '--count',
        '100000000',
        '--out',
        out,
      );
      assert.deepEqual([code, stdout], [EXIT.USAGE, '']);
      assert.equal(stderr, `mmrace: --out: ${file} is no folder\n`);
    }
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
    assert.match(patch.stderr, /no patch "none-such"; known are .*remove-second-invalidate/);
  }));
