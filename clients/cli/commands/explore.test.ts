/** `mmrace explore` and `mmrace test` as a user runs them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { planOf } from '../../../server/scenario/explore-request.ts';
import { EXIT } from '../exit-codes.ts';
import { failed } from '../failure.ts';
import { runMmrace, runProcess, startMmrace } from '../run-mmrace.fixture.ts';
import { askedFrom, type ChoiceOptions } from '../scenario-choice.ts';

const SEED = fileURLToPath(new URL('../../../scenarios/seed-zero-page.yaml', import.meta.url));
const OWN_REFAULT = SEED.replace('seed-zero-page', 'own-refault');
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-explore-'));
/** More executions than anybody waits for: devices that migrate do not stand for each other. */
const ENDLESS = ['--devices', '8', '--migrators', '6'];

after(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

test('a window that is never entered proves nothing: unknown, and exit code 2', async () => {
  const { code, stdout } = await runMmrace('explore', SEED, '--migrators', '0', '--json');
  assert.equal(code, EXIT.UNKNOWN);
  const { verdict, windowEntered, bound, executions } = JSON.parse(stdout);
  assert.deepEqual([verdict, windowEntered], ['unknown', 0]);
  assert.ok(executions > 0);
  assert.match(bound, /the race window was never entered in \d+ executions?/);
});

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

test('progress and verdict as lines of JSON, sampled in threads', async () => {
  // Progress is written past process.stdout.
  const { code, stdout, stderr } = await runProcess(
    ...['explore', SEED, '--strategy', 'pct', '--budget-executions', '300', '--workers', '2'],
    '--jsonl',
  );
  assert.equal(code, EXIT.UNKNOWN, stderr);
  const lines = stdout.trim().split('\n');
  const [first, last] = [lines[0], lines.at(-1)].map((line) => JSON.parse(line ?? ''));
  assert.equal(first.type, 'progress');
  assert.ok(first.executions >= 0 && 'done' in first && 'secondsLeft' in first);
  assert.equal(last.type, 'verdict');
  assert.equal(last.verdict, 'unknown');
  assert.equal(last.executions, 300);
  const { tasks, steps, detection, missed } = last.sampled;
  assert.equal(detection, 1 / (tasks * steps ** 2));
  assert.ok(missed < 1);
  assert.match(last.bound, /1\/\(n\*k\^2\)/);
  assert.ok(last.advice.length > 0);
});

test('Ctrl-C prints what was covered, and ends with 130', async () => {
  for (const how of [
    ['--strategy', 'dpor'],
    ['--strategy', 'urw', '--workers', '2'],
  ]) {
    const args = ['explore', SEED, ...ENDLESS, ...how, '--jsonl'];
    const running = startMmrace(...args);
    running.process.stdout?.once('data', () => running.process.kill('SIGINT'));
    const { code, stdout, stderr } = await running.ended;
    assert.equal(code, EXIT.INTERRUPTED, stderr);
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    assert.match(told.bound, /^interrupted after \d+ executions?/);
    assert.equal(told.verdict, 'unknown');
  }
});

test('code of the user that throws is no verdict, and told with its line', async () => {
  const own = file(
    'thrower.ts',
    'export const patch = {\n  overrides: () => ({\n    *hmmRangeFault() {\n      null.pfn;\n    },\n  }),\n};\n',
  );
  const { code, stdout, stderr } = await runMmrace('explore', SEED, '--patch', own, '--json');
  assert.equal(code, EXIT.USAGE);
  assert.equal(stdout, '');
  assert.ok(stderr.startsWith(`mmrace: ${own}:4: patch thrower: hmmRangeFault() throws TypeError`));
});

test('code of the user that ends the process is no verdict, wherever it does', async () => {
  const inFunction = '*hmmRangeFault() {\n      process.exit(0);\n    },';
  const patch = (head: string, body: string) =>
    `${head}\nexport const patch = {\n  overrides: () => ({\n    ${body}\n  }),\n};\n`;
  const inner = file('exits.ts', patch('', inFunction));
  const outer = file('exits-first.ts', patch('process.exit(0);', '*munmap() {}'));
  for (const [own, place] of [
    [inner, `${inner}:5: patch exits: hmmRangeFault() throws Error: process.exit(0)`],
    [outer, `${outer}:1: cannot be loaded: Error: process.exit(0)`],
  ] as const) {
    const { code, stdout, stderr } = await runMmrace('explore', SEED, '--patch', own);
    assert.deepEqual([code, stdout], [EXIT.USAGE, '']);
    assert.ok(stderr.startsWith(`mmrace: ${place}`), stderr);
  }
});

test('bad questions are one sentence and 64', async () => {
  const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['explore', 'nowhere.yaml'], /nowhere\.yaml: there is no such file/],
    [['explore', SEED, '--budget-executions', '0'], /from 1 to/],
    [['explore', SEED, '--strategy', 'luck'], /dpor/],
    [['explore', SEED, '--devices', '17'], /from 1 to 16/],
  ];
  const ended = await Promise.all(cases.map(([args]) => runMmrace(...args)));
  for (const [at, { code, stdout, stderr }] of ended.entries()) {
    assert.equal(code, EXIT.USAGE, `${cases[at]?.[0].join(' ')}: ${stderr}`);
    assert.match(stderr, cases[at]?.[1] ?? /$^/);
    assert.equal(stdout, '');
  }
});

test('what a question names must be there', async () => {
  const none = "export const patch = { id: 'x', overrides: () => ({ mmunmap() {} }) };\n";
  const cases: readonly (readonly [string, Partial<ChoiceOptions>, RegExp])[] = [
    [SEED, { patch: 'remove-second-invalidat' }, /did you mean "remove-second-invalidate"\?.*\.ts/],
    [SEED, { driver: ['dmiror'] }, /did you mean "dmirror"\?/],
    [
      SEED,
      { driver: ['gpu7=dmirror'] },
      /there is no device "gpu7"; devices are migrator0, reader0/,
    ],
    [SEED, { patch: './nowhere.ts' }, /\/nowhere\.ts: there is no such file/],
    [SEED, { patch: file('none.ts', none) }, /none\.ts:1: there is no kernel function "mmunmap"/],
    [OWN_REFAULT, { devices: 3 }, /own-refault\.yaml: .* no parameter "devices": it has none/],
    [SEED, { devices: 2, migrators: 3 }, /the count of reader .* comes to -1, expected 0 to/],
    [file('bad.yaml', 'name: x\ntitel: y\n'), {}, /bad\.yaml:2:1: titel: unknown key "titel"/],
  ];
  for (const [path, options, says] of cases) {
    const asked = askedFrom(path, { patch: 'stock', driver: [], ...options });
    await assert.rejects(planOf(asked), (error: unknown) => {
      const { exitCode, text } = failed(error);
      assert.equal(exitCode, EXIT.USAGE, text);
      assert.match(text, says);
      return true;
    });
  }
});

test('that the driver contract was not asked about is said where it was not', async () => {
  const asked = ['explore', 'own-refault', '--driver', 'dev0=corrected'];
  const not = await runMmrace(...asked);
  assert.match(not.stderr, /The driver contract was not asked about/);
  const text = readFileSync(OWN_REFAULT, 'utf8');
  const own = file('own.yaml', `${text}oracles: [OR1, OR6]\n`);
  const listed = await runMmrace('explore', own, '--driver', 'dev0=corrected');
  assert.equal(listed.code, EXIT.OK, listed.stderr);
  assert.doesNotMatch(listed.stderr, /The driver contract/);
});

test('a scenario that ships goes by its name, from anywhere; what is neither name nor file is refused', () => {
  const byName = askedFrom('seed-zero-page', { patch: 'stock', driver: [] });
  const byFile = askedFrom(SEED, { patch: 'stock', driver: [] });
  assert.equal(byName.text, byFile.text);
  for (const [word, said] of [
    ['seed-zero-pge', /^seed-zero-pge: there is no such file, .*did you mean "seed-zero-page"\?$/],
    ['nowhere/seed-zero-page.yaml', /the scenario that ships is seed-zero-page$/],
    ['./mine.yaml', /mmrace scenarios lists those that ship$/],
  ] as const)
    assert.throws(() => askedFrom(word, { patch: 'stock', driver: [] }), {
      name: 'UsageError',
      message: said,
    });
});

test('test prints KTAP and passes where the verdicts are as expected', async () => {
  const { code, stdout, stderr } = await runMmrace('test', SEED);
  assert.equal(code, EXIT.OK, stderr);
  assert.match(stdout, /^KTAP version 1\n1\.\.1\n/);
  assert.match(stdout, /ok 1 seed-zero-page/);
});

test('test tells what is otherwise, what is unknown, and what is no scenario', async () => {
  const text = readFileSync(SEED, 'utf8');
  const wrong = text.replace('stock: holds, remove', 'stock: broken, remove');
  const [otherwise, unknown, bad] = await Promise.all([
    runMmrace('test', file('seed-zero-page.yaml', wrong), '--json'),
    runMmrace('test', SEED, '--budget-executions', '1'),
    runMmrace('test', SEED, file('no.yaml', 'name: [x'), file('nor.yaml', 'titel: x')),
  ]);
  assert.equal(otherwise.code, EXIT.BROKEN, otherwise.stderr);
  const { verdicts, totals } = JSON.parse(otherwise.stdout);
  assert.deepEqual(
    verdicts.map((one: { expected: string; verdict: string }) => [one.expected, one.verdict]),
    [
      ['broken', 'holds'],
      ['broken', 'broken'],
    ],
  );
  assert.equal(totals.fail, 1);
  assert.equal(unknown.code, EXIT.UNKNOWN, unknown.stderr);
  assert.match(unknown.stdout, /not ok 1 kernel stock holds # ERROR /);
  assert.equal(bad.code, EXIT.USAGE);
  assert.match(bad.stderr, /no\.yaml:1:\d+: not YAML: /);
  assert.match(bad.stderr, /nor\.yaml:1:1: titel: unknown key "titel"/);
  assert.equal(bad.stdout, '');
});

test('test and certify say where a patch runs, if it runs nowhere: as expected is then no pass', async () => {
  const patch = file(
    'idle.mjs',
    "export const patch = { id: 'idle', summary: 's', overrides: (stock) => ({ movePtes: stock.movePtes }) };",
  );
  const [tested, certified] = await Promise.all([
    runMmrace('test', SEED, OWN_REFAULT, '--patch', patch),
    runMmrace('certify', SEED, '--driver', 'corrected', '--patch', patch),
  ]);
  const where = /scenarios that reach it: .*\bmremap-before-its-page, mremap-vs-rmap-walk/;
  assert.equal(tested.code, EXIT.UNKNOWN, tested.stderr);
  assert.match(tested.stdout, where);
  assert.match(tested.stdout, /broken # SKIP it is broken, and nothing of idle has run/);
  assert.match(tested.stdout, /pass:0 .* skip:2/);
  assert.equal(certified.code, EXIT.UNKNOWN, certified.stderr);
  assert.match(certified.stdout, where);
});

test('--kernels asks on each version; broken on one is broken', async () => {
  const [all, two] = await Promise.all([
    runMmrace('explore', SEED, '--kernels', 'all'),
    runMmrace(
      'explore',
      'seed-zero-page',
      '--kernels',
      '6.1,6.12',
      '--patch',
      'remove-second-invalidate',
      '--json',
    ),
  ]);
  assert.equal(all.code, EXIT.OK, all.stderr);
  assert.match(all.stdout, /kernel stock 6\.1\).*kernel stock 6\.12\).*kernel stock mainline\)/s);
  assert.match(all.stdout, /\n6\.1: holds; 6\.12: holds; mainline: holds\n$/);
  assert.equal(two.code, EXIT.BROKEN, two.stderr);
  const { kernels } = JSON.parse(two.stdout);
  const seen = kernels.map(({ kernel, verdict }: Record<string, string>) => [kernel, verdict]);
  assert.deepEqual(seen, [
    ['6.1', 'broken'],
    ['6.12', 'broken'],
  ]);
  const both = await runMmrace('explore', SEED, '--kernels', 'all', '--kernel', '6.1');
  assert.equal(both.code, EXIT.USAGE);
});
