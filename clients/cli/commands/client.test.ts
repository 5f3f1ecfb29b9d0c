/** What a person is told who joins in the wrong way, as processes: one sentence, what to do, the exit code. */
import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RawClient } from '../../../server/gateway/gateway.fixture.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { script, withServer } from '../prompt/lab-for-prompts.fixture.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** `mmrace device ...` ends with 64 and one line that fits; nothing is printed. */
function refused(sentence: RegExp, ...args: readonly string[]): Promise<void> {
  return endsWith(EXIT.USAGE, sentence, args);
}

/** The same with 69: the command line was right, the server is not. */
function unavailable(sentence: RegExp, ...args: readonly string[]): Promise<void> {
  return endsWith(EXIT.UNAVAILABLE, sentence, args);
}

async function endsWith(exit: ExitCode, sentence: RegExp, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runMmrace('device', ...args);
  assert.deepEqual([code, stdout], [exit, ''], stderr);
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

test('the name of a program that has died is had at once with --take-over, when its lease is over', () =>
  withServer(
    async ({ webSocketUrl: url }) => {
      const dead = await new RawClient(url).opened();
      await dead.hello('device', 'gpu7', { lab: 'demo' });
      dead.socket.terminate();
      const join = (...more: readonly string[]) =>
        runMmrace('device', '--url', url, '--name', 'gpu7', '--do', 'pt', ...more);
      assert.equal((await join()).code, EXIT.UNAVAILABLE, 'its grace is long');
      let ran = await join('--take-over');
      while (ran.code === EXIT.UNAVAILABLE) ran = await join('--take-over');
      assert.equal(ran.code, EXIT.OK, ran.stderr);
    },
    { leaseMs: 300, graceMs: 3_600_000 },
  ));

test('a name that is taken is no mistake of the command line: 69', () =>
  withServer(async ({ webSocketUrl: url }) => {
    // Until the server has the time for it.
    let other = await new RawClient(url).opened();
    while ((await other.hello('device', 'gpu7', { lab: 'demo' })).error !== undefined) {
      other.socket.terminate();
      other = await new RawClient(url).opened();
    }
    await unavailable(
      /an actor of this name already/,
      '--url',
      url,
      '--name',
      'gpu7',
      '--do',
      'pt',
    );
    other.socket.close(1000);
  }));

test('nobody there, and a server of another protocol version, are no mistake of the command line: 69', async () => {
  await unavailable(
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
  await unavailable(
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

test('what comes out of a pipe is a script, and what - stands for', () =>
  withServer(async ({ webSocketUrl: url }) => {
    const cpu = `'${process.execPath}' '${MAIN}' cpu --url ${url}`;
    const lines = "printf 'mmap 0x10000 1\\nstore a 42\\n'";
    const sh = promisify(execFile);
    const mapped = 'mapped 0x10000 rw anon-private\n0x10000 := 0x2a\n';
    assert.equal((await sh('sh', ['-c', `${lines} | ${cpu}`])).stdout, mapped);
    const again = await sh('sh', ['-c', `echo 'load a' | ${cpu} -`]);
    assert.equal(again.stdout, '0x10000 = 0x2a\n');
    await assert.rejects(sh('sh', ['-c', `echo 'laod a' | ${cpu}`]), (error: ExecFileException) => {
      assert.match(error.message, /mmrace: line 1: "laod a": .*did you mean "load"/);
      return error.code === EXIT.USAGE;
    });
  }));
