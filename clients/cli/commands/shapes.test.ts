import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readScenario } from '../../../server/scenario/read-scenario.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'mmrace-shapes-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('what appears exits 1, with the matrix, the smallest shape and what was not tried', async (t) => {
  const asked = ['shapes', '--patch', 'eagain-without-end', '--only', 'oom-reap'];
  const only = ['--only', 'present-mirrored', '--stop-after', '1', '--cache', folder(t)];
  const { code, stdout, stderr } = await runMmrace(...asked, ...only);
  assert.equal(code, EXIT.BROKEN, stderr);
  assert.match(
    stdout,
    /^shapes of 1 and 2: broken \(kernel eagain-without-end, before it stock 6\.12\)$/m,
  );
  assert.match(stdout, /^ {2}present-mirrored:\S*oom-reap\S* {2}OR4: 1 brackets are open$/m);
  assert.match(stdout, /^[a-z-]+ +\. ?\|.*A|^[a-z-]+ +\|.*A/m);
  assert.match(stdout, /^Not tried: .*that the limits left/m);
});

test('a shape is printed as a scenario', async () => {
  const { code, stdout } = await runMmrace('shapes', '--show', 'cow:child-mremap+migrate');
  assert.equal(code, EXIT.OK);
  const read = readScenario(stdout, 'shape.yaml');
  assert.deepEqual(read.ok ? read.scenario.title : read.problems, 'cow:child-mremap+migrate');
});

test('what was not asked is unknown, and a question that is wrong is told', async () => {
  const few = await runMmrace(
    'shapes',
    '--only',
    'none',
    '--only',
    'load',
    '--sizes',
    '1',
    '--no-cache',
    '--json',
  );
  assert.equal(few.code, EXIT.OK, few.stderr);
  const report = JSON.parse(few.stdout);
  assert.deepEqual([report.verdict, report.shapes, report.asked], ['holds', 1, 1]);
  assert.ok(report.notTried.operations.includes('mmap'));
  const wrong = await runMmrace('shapes', '--show', 'none:fly');
  assert.equal(wrong.code, EXIT.USAGE);
  assert.match(wrong.stderr, /there is no shape none:fly/);
  const sizes = await runMmrace('shapes', '--sizes', '7');
  assert.equal(sizes.code, EXIT.USAGE);
});

test('of many that are unknown it says which operations and memories they have, and what would tell', async () => {
  const of = ['--sizes', '2', '--only', 'two-device', '--only', 'migrate', '--every', '3'];
  const { code, stdout } = await runMmrace(
    'shapes',
    ...of,
    '--shape-executions',
    '5',
    '--no-cache',
  );
  assert.equal(code, EXIT.UNKNOWN);
  const [, count] = /unknown (\d+)$/m.exec(stdout) ?? [];
  assert.match(stdout, new RegExp(`^ {2}with migrate ${count}, `, 'm'));
  assert.match(stdout, new RegExp(`^ {2}in two-device ${count}$`, 'm'));
  assert.match(stdout, /^ {2}--shape-executions 50 asks these alone again$/m);
});

test('parts are apart, and together they are all', async () => {
  const listed = async (...options: string[]) => {
    const { stdout } = await runMmrace('shapes', '--sizes', '1', '--list', ...options);
    return stdout.trim().split('\n');
  };
  const parts = [
    await listed('--part', '1/3'),
    await listed('--part', '2/3'),
    await listed('--part', '3/3'),
  ];
  assert.deepEqual(parts.flat().sort(), (await listed()).sort());
  assert.ok(parts.every(({ length }) => length > 1));
  for (const wrong of ['0/3', '4/3', '3', '1/0']) {
    const { code, stderr } = await runMmrace('shapes', '--list', '--part', wrong);
    assert.equal(code, EXIT.USAGE);
    assert.match(stderr, /--part .*: expected one of several parts, as 3\/8/);
  }
});
