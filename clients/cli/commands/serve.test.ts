import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

test('a server that others reach has a token, unless it is told otherwise; its address is said', async () => {
  const token = file('token.txt', 'a-word-of-16-characters\n');
  for (const [args, said, status] of [
    [[], /^open http:\/\/[\d.]+:\d+\/#token=([\w-]{24}) to open labs/m, 401],
    [['--token', token], /^open http:\/\/[\d.]+:\d+\/#token=(a-word-of-16-characters) to/m, 401],
    [['--token', 'none'], /^others reach it at http:.* and may open labs/m, 200],
  ] as const) {
    const server = startMmrace('serve', '--port', '0', '--host', '0.0.0.0', ...args);
    const text = await server.says('its presenter opens');
    const [, shown = ''] = said.exec(text) ?? [];
    assert.match(text, said);
    assert.doesNotMatch(text, /open(?:s|) http:\/\/0\.0\.0\.0/);
    const [, port] = /serves on http:\/\/[\d.]+:(\d+)/.exec(text) ?? [];
    const labs = `http://127.0.0.1:${port}/api/labs`;
    assert.equal((await fetch(labs)).status, status, text);
    const owner = { headers: { authorization: `Bearer ${shown}` } };
    assert.equal((await fetch(labs, owner)).status, 200);
    server.process.kill('SIGTERM');
    await server.ended;
  }
});

test('with a token clients come in by code, or by name if they show it', async () => {
  const token = file('token.txt', 'a-word-of-16-characters\n');
  const server = startMmrace('serve', '--port', '0', '--token', token);
  const text = await server.says('its presenter opens');
  const [, port] = /serves on http:\/\/[\d.]+:(\d+)/.exec(text) ?? [];
  const [, code = ''] = /join code (\w+)/.exec(text) ?? [];
  const url = ['--url', `ws://127.0.0.1:${port}/ws`];
  const line = ['--do', 'mmap free 1', '--json'];
  for (const [args, exit, lab] of [
    [['--code', code], EXIT.OK, 'demo'],
    [['--lab', code.toLowerCase()], EXIT.OK, 'demo'],
    [['--lab', 'demo', '--token', token], EXIT.OK, 'demo'],
    [['--lab', 'mine', '--new', '--token', token], EXIT.OK, 'mine'],
    [['--lab', 'demo'], EXIT.USAGE, ''],
    [['--lab', 'mine', '--new'], EXIT.USAGE, ''],
  ] as const) {
    const name = ['--name', 'auto'];
    const client = await runMmrace('cpu', ...url, ...name, ...args, ...line);
    assert.equal(client.code, exit, `${args}: ${client.stderr}`);
    if (exit === EXIT.OK) assert.equal(JSON.parse(client.stdout).lab, lab);
    else assert.match(client.stderr, /the server has a token, and a client that does not show it/);
  }
  const agent = startMmrace('device', ...url, '--lab', 'demo', '--token', token, '--name', 'gpu9');
  while (
    !(await (await fetch(`http://127.0.0.1:${port}/api/labs/${code}`)).text()).includes('gpu9')
  );
  agent.process.kill('SIGTERM');
  assert.equal((await agent.ended).code, EXIT.OK);
  const observer = startMmrace('observe', ...url, '--code', code, '--since', '0');
  await observer.says('lab demo at event');
  observer.process.kill('SIGINT');
  assert.match((await observer.ended).stdout, /mmap/);
  server.process.kill('SIGTERM');
  await server.ended;
});

for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) {
  test(`${signal} ends it in order, as soon as it has said where it is`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmrace-serve-ends-'));
    const server = startMmrace('serve', '--port', '0', '--record', folder);
    await server.says('clients connect to');
    server.process.kill(signal);
    const { code, stderr } = await server.ended;
    assert.equal(code, EXIT.OK, stderr);
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
    const last = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').at(-1) ?? '';
    assert.match(last, /"kind":"end"|"end"/, last);
  });
}
