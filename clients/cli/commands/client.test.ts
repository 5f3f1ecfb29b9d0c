/** What a person is told who joins in the wrong way, as processes: one sentence, what to do, the exit code. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { script, withServer } from '../prompt/lab-for-prompts.fixture.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

/** `mmrace device ...` ends with 64 and one line that fits; nothing is printed. */
async function refused(sentence: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runMmrace('device', ...args);
  assert.deepEqual([code, stdout], [EXIT.USAGE, ''], stderr);
  assert.match(stderr, /^mmrace: [^\n]*\n$/);
  assert.match(stderr, sentence);
}

test('a wrong lab, and a wrong code', () =>
  withServer(async ({ webSocketUrl: url }) => {
    const lab = ['--lab', 'dmeo', '--do', 'pt'];
    await refused(
      /no lab, .* "dmeo" at .*did you mean "demo"\?.*--new opens/,
      '--url',
      url,
      ...lab,
    );
    const code = ['--code', 'AAAAA', '--do', 'pt'];
    await refused(/no lab has the join code "AAAAA" at .*ask for it again/, '--url', url, ...code);
  }));

test('nobody there, and a server of another protocol version', async () => {
  await refused(
    /no server answers at ws:.*npx mmrace serve/,
    '--url',
    'ws://127.0.0.1:1/ws',
    '--do',
    'pt',
  );
  const version = { name: 'mmrace', protocol: 'mmrace.v9', model: { version: '9.9.9', hash: '' } };
  const newer = createServer((_, response) => response.end(JSON.stringify(version)));
  await new Promise<void>((resolve) => newer.listen(0, '127.0.0.1', resolve));
  const { port } = newer.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/ws`;
  await refused(
    /speaks mmrace\.v9 and this command mmrace\.v1: .* 9\.9\.9/,
    '--url',
    url,
    '--do',
    'pt',
  );
  newer.closeAllConnections();
  await new Promise((resolve) => newer.close(resolve));
});

test('answers go to stdout, as JSON if that is asked for; the exit code says how it went', () =>
  withServer(async (server) => {
    const url = ['--url', server.webSocketUrl];
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'store a 42']);
    const read = await runMmrace('device', ...url, '--do', 'read 0x10000 1');
    assert.deepEqual(read, { code: EXIT.OK, stdout: '0x10000 = 0x2a (1 fault)\n', stderr: '' });
    const failed = await runMmrace('cpu', ...url, '--do', 'load 0x90000', '--json');
    assert.equal(failed.code, EXIT.BROKEN);
    assert.match(failed.stderr, /^load 0x90000: SIGSEGV: [^\n]*\n$/);
    const { done } = JSON.parse(failed.stdout) as { done: { result: object }[] };
    assert.deepEqual(done[0]?.result, { signal: 'SIGSEGV' });
  }));
