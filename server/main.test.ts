/** The server as users have it: a process. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { modelOf } from './app/start-server.ts';
import { RawClient } from './gateway/gateway.fixture.ts';
import { parseJournal } from './journal/read-journal.ts';
import { replay } from './journal/replay.ts';
import { newLiveMachine } from './live/new-live-machine.ts';
import { CLOSE_CODES } from './protocol/close-codes.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const SERVER = fileURLToPath(new URL('.', import.meta.url));

let directory: string;
let server: ChildProcess;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mmrace-main-'));
});

afterEach(() => {
  server.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

function start(environment: NodeJS.ProcessEnv): ChildProcess {
  server = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      MMRACE_PORT: '0',
      MMRACE_LOG: 'silent',
      MMRACE_DRAIN_MS: '500',
      ...environment,
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  return server;
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stderr !== null);
  for await (const line of createInterface({ input: child.stderr })) return line;
  return assert.fail('the server said nothing');
}

/** The first line, and not a byte more is read. */
async function unread(child: ChildProcess): Promise<string> {
  const { stderr } = child;
  assert.ok(stderr !== null);
  let text = '';
  while (!text.includes('listens on')) {
    await once(stderr, 'readable');
    text += stderr.read() ?? '';
  }
  return text;
}

function exited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.on('exit', resolve);
  });
}

test('the server records what clients do, tells them that it goes, and ends; the record replays', async () => {
  const child = start({ MMRACE_RECORD: directory });
  const line = await firstLine(child);
  const [url] = /ws:[^)]+/.exec(line) ?? assert.fail(line);
  const cpu = await new RawClient(url).opened();
  const hello = { protocol: 'mmrace.v1', lab: 'demo', role: 'cpu', name: 'cpu0' };
  const welcome = await cpu.ask(1, 'hello', hello);
  assert.deepEqual(welcome.result.model, modelOf(SERVER));
  const region = { address: '0x100200000', pages: 1 };
  const mapped = await cpu.ask(2, 'mmap', { ...region, prot: 'rw', kind: 'anon-private' });
  assert.deepEqual(mapped.result, {});
  await cpu.ask(3, 'store', { address: '0x100200000', value: '0x2a' });
  assert.deepEqual((await cpu.ask(4, 'load', { address: '0x100200000' })).result, {
    value: '0x2a',
  });
  const twice = await cpu.ask(5, 'mmap', { ...region, prot: 'rw', kind: 'anon-private' });
  assert.equal(twice.error?.message, 'params.address: EEXIST: Something is already there.');

  const over = exited(child);
  child.kill('SIGTERM');
  assert.equal((await cpu.next()).method, 'going');
  const late = await new RawClient(url).opened();
  assert.equal((await late.ask(1, 'hello', { ...hello, name: 'cpu1' })).error?.data.code, 'going');
  late.socket.close();
  assert.equal((await cpu.closed).code, CLOSE_CODES.going.code);
  assert.equal(await over, 0);

  const [file] = readdirSync(directory);
  assert.ok(file !== undefined);
  const journal = parseJournal(readFileSync(join(directory, file), 'utf8'), file);
  const model = modelOf(SERVER);
  const replayed = replay(journal, { newMachine: newLiveMachine, model, onEvent: () => undefined });
  assert.ok(replayed.outcome === 'identical', JSON.stringify(replayed));
  assert.equal(replayed.closed, true);
  assert.ok(replayed.entries >= 5);
});

test('a log that is not read does not stop the server, and what is dropped is counted', async () => {
  const child = start({ MMRACE_LOG: 'info' });
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(await unread(child)) ?? assert.fail();
  const url = `http://127.0.0.1:${port}`;
  const dropped = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^mmrace_log_dropped_total (\d+)$/m.exec(text)?.[1]);
  };
  // Each is a line of the log. The pipe and what may wait for it hold some thousands.
  const cpu = await new RawClient(`ws://127.0.0.1:${port}/ws`).opened();
  const hello = { protocol: 'mmrace.v1', lab: 'demo', role: 'observer', name: 'x'.repeat(64) };
  while ((await dropped()) === 0) {
    for (let at = 0; at < 1_000; at += 1) {
      const watcher = await new RawClient(`ws://127.0.0.1:${port}/ws`).opened();
      await watcher.ask(1, 'hello', hello);
      watcher.socket.close();
    }
  }
  cpu.socket.close();
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  const over = exited(child);
  child.kill('SIGTERM');
  assert.equal(await over, 0);
});

test('a request that is half sent does not keep the server from ending', async () => {
  const child = start({});
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(await firstLine(child)) ?? assert.fail();
  const half = connect(Number(port), '127.0.0.1');
  half.on('error', () => undefined);
  await once(half, 'connect');
  half.write(`POST /api/labs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`);
  half.write('Content-Length: 100\r\n\r\n{"name"');
  // The server has it when it has answered a request behind it on another connection.
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  const over = exited(child);
  child.kill('SIGTERM');
  assert.equal(await over, 0);
});

test('a server that lost the folder for its recordings is not ready', async () => {
  const folder = join(directory, 'recordings');
  const line = await firstLine(start({ MMRACE_RECORD: folder }));
  const [url] = /http:[^ ]+/.exec(line) ?? assert.fail(line);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  rmSync(folder, { recursive: true });
  const answer = await fetch(`${url}/readyz`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /"cannot-record".*ENOENT/);
});

test('a port in use, or a folder that cannot be, ends the process with 64 and one sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const noFolder = join(directory, 'a-file');
  writeFileSync(noFolder, '');
  const cases = [
    [{ MMRACE_PORT: `${port}` }, `port ${port} of 127.0.0.1 is in use`],
    [{ MMRACE_RECORD: noFolder }, `nothing can be recorded into ${noFolder}`],
  ] as const;
  for (const [environment, sentence] of cases) {
    const child = start(environment);
    const over = exited(child);
    assert.ok(child.stderr !== null);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) lines.push(line);
    assert.deepEqual([lines.length, lines.join().slice(0, sentence.length)], [1, sentence]);
    assert.equal(await over, 64);
  }
  taken.close();
});

test('a variable that makes no sense ends the process with 64 and says which', async () => {
  const child = start({ MMRACE_PORT: 'seven' });
  const over = exited(child);
  assert.match(await firstLine(child), /^MMRACE_PORT: expected a whole number from 0 to 65535/);
  assert.equal(await over, 64);
});
