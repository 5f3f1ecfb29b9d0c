import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { runMmrace, startMmrace } from '../run-mmrace.fixture.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-serve-'));

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

const BUSY = file(
  'busy.ts',
  "export const patch = { overrides: () => ({ *munmap() { return { ok: false, errno: 'EAGAIN' }; } }) };\n",
);

test("a patch of the user's own can be shown live", async () => {
  const server = startMmrace('serve', '--port', '0', '--patch', BUSY);
  const said = await server.says('clients connect to');
  const [url = ''] = /ws:\S+/.exec(said) ?? [];
  const lines = ['--do', 'mmap 0x10000 1', '--do', 'munmap 0x10000 1'];
  const { code, stderr } = await runMmrace('cpu', '--url', url, ...lines);
  assert.equal(code, EXIT.BROKEN);
  assert.match(stderr, /munmap 0x10000 1: EAGAIN/);
  const { labs } = (await (
    await fetch(`${url.replace('ws:', 'http:').replace('/ws', '')}/api/labs`)
  ).json()) as {
    readonly labs: readonly { readonly patch: string }[];
  };
  assert.deepEqual(
    labs.map(({ patch }) => patch),
    ['busy'],
  );
  server.process.kill('SIGTERM');
  assert.equal((await server.ended).code, EXIT.OK);
});

test('it is not served to others, not recorded, and tried before', async () => {
  const stuck = file('first.ts', 'null.x;\nexport const patch = {};\n');
  for (const [args, said] of [
    [['--patch', BUSY, '--host', '0.0.0.0'], /only on loopback/],
    [['--patch', BUSY, '--record', FOLDER], /without --record/],
    [['--patch', stuck], /first\.ts:1: cannot be loaded: TypeError/],
    [['--patch', 'remove-second-invalidat'], /did you mean "remove-second-invalidate"/],
    [['--patch', file('none.ts', 'export {};\n')], /it exports nothing/],
  ] as const) {
    const { code, stdout, stderr } = await runMmrace('serve', '--port', '0', ...args);
    assert.deepEqual([code, stdout], [EXIT.USAGE, '']);
    assert.match(stderr, said);
  }
});
