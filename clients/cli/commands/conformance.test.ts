import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

const SAMPLES = fileURLToPath(
  new URL('../../../server/conformance/traces/samples', import.meta.url),
);

async function inFolder(play: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mmrace-'));
  try {
    await play(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the samples agree, in process and over sockets', async () => {
  const direct = await runMmrace('conformance', '--json', SAMPLES);
  const live = await runMmrace('conformance', '--json', '--live', SAMPLES);
  assert.equal(direct.code, EXIT.OK);
  assert.equal(live.code, EXIT.OK, live.stderr);
  assert.deepEqual(JSON.parse(live.stdout), JSON.parse(direct.stdout));
  assert.deepEqual(JSON.parse(direct.stdout).firstDifferences, []);
});

test('a trace that differs ends with 1 and names the operation', () =>
  inFolder(async (folder) => {
    const sample = await readFile(join(SAMPLES, 'access.jsonl'), 'utf8');
    const file = join(folder, 'wrong.jsonl');
    const wrong = sample.replace('"result":{"errno":"OK"}', '"result":{"errno":"ENOMEM"}');
    await writeFile(file, wrong);
    const { code, stdout } = await runMmrace('conformance', '--json', file);
    assert.equal(code, EXIT.BROKEN);
    const [difference] = JSON.parse(stdout).firstDifferences;
    assert.deepEqual([difference.op, difference.field], [0, 'result.errno']);
  }));

test('a file that cannot be read or parsed ends with 64, and file and line', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'torn.jsonl');
    await writeFile(file, '{"id":"a"\n');
    const torn = await runMmrace('conformance', file);
    assert.equal(torn.code, EXIT.USAGE);
    assert.ok(torn.stderr.startsWith(`mmrace: ${file}:1: `), torn.stderr);
    const missing = await runMmrace('conformance', join(folder, 'none.jsonl'));
    assert.equal(missing.code, EXIT.USAGE);
    assert.match(missing.stderr, /none\.jsonl: cannot be read/);
  }));

const PATCH = (body: string) => `
export const patch = {
  id: 'mine',
  summary: 'a test',
  overrides: (stock) => ({
    ${body}
  }),
};
`;

test('a patch from a file is held against traces: unknown if it does not run, and no verdict if it throws', () =>
  inFolder(async (folder) => {
    const ran = async (name: string, body: string) => {
      const file = join(folder, `${name}.mjs`);
      await writeFile(file, PATCH(body));
      return await runMmrace(
        'conformance',
        '--patch',
        file,
        '--json',
        join(SAMPLES, 'migrate.jsonl'),
      );
    };
    const refuted = await ran('refuted', '*migrateVmaCollect() {}');
    assert.equal(refuted.code, EXIT.BROKEN, refuted.stderr);
    assert.equal(JSON.parse(refuted.stdout).failed, 1);
    const idle = await ran('idle', '*oomReapTaskMm() {}');
    assert.equal(idle.code, EXIT.UNKNOWN, idle.stderr);
    assert.match(
      JSON.parse(idle.stdout).notReached,
      /^oomReapTaskMm, which mine overrides, runs in none of them; scenarios that reach it: .*\bnonblock-/,
    );
    const wrong = await ran('wrong', "*hmmRangeFault() { throw new TypeError('no'); }");
    assert.equal(wrong.code, EXIT.USAGE, wrong.stdout);
    assert.match(wrong.stderr, /wrong\.mjs:6: patch mine: hmmRangeFault\(\) throws TypeError: no/);
  }));
