/** A server ends and another begins in its place: its labs are there again. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RawClient } from '../gateway/gateway.fixture.ts';
import { DEFAULT_CONFIG, type ServerConfig } from './config.ts';
import { StartFailure } from './start-failure.ts';
import { type RunningServer, startServer } from './start-server.ts';

const ADDRESS = '0x100200000';

let directory: string;
let config: ServerConfig;
let server: RunningServer;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mmrace-restore-'));
  config = {
    ...DEFAULT_CONFIG,
    port: 0,
    drainMs: 1,
    recordTo: directory,
    restore: 'restored',
    logLevel: 'silent',
  };
});

afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

async function request(path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${server.url}${path}`, {
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
  return { status: answer.status, body: await answer.json() };
}

function post(path: string, body: unknown, headers: { readonly [name: string]: string } = {}) {
  return request(path, { method: 'POST', body: JSON.stringify(body), headers });
}

async function cpu(lab: string): Promise<RawClient> {
  const client = await new RawClient(server.webSocketUrl).opened();
  const { error } = await client.hello('cpu', 'cpu0', { lab });
  assert.equal(error, undefined);
  return client;
}

test('a lab comes back with its memory, its code, its presenter and its scenario', async () => {
  server = await startServer(config);
  const scenario = 'seed-zero-page';
  const opened = await post('/api/labs', {
    name: 'room',
    scenario,
    patch: 'remove-second-invalidate',
  });
  const { lab, presenterToken } = opened.body;
  const before = await cpu('room');
  await before.ask(1, 'store', { address: ADDRESS, value: '0x2a' });
  const page = await before.ask(2, 'mmap', {
    address: '0x7000',
    pages: 1,
    prot: 'r',
    kind: 'anon-private',
  });
  assert.deepEqual(page.result, {});
  await post('/api/labs/room/control', { action: 'pause' });
  before.send({ id: 3, method: 'store', params: { address: ADDRESS, value: '0x2b' } });
  await server.stop();

  server = await startServer(config);
  const { body } = await request(`/api/join/${lab.code}`);
  assert.equal(body.lab.name, 'room');
  assert.equal(body.lab.scenario, scenario);
  assert.equal(body.lab.patch, 'remove-second-invalidate');
  assert.deepEqual([body.lab.paused, body.lab.actors], [false, []]);
  const bearer = { authorization: `Bearer ${presenterToken}` };
  assert.equal(
    (await post('/api/labs/room/control', { action: 'lock' }, bearer)).body.locked,
    true,
  );
  const after = await cpu('room');
  // What stood before its first step when the server ended went on as the lab was given back.
  assert.deepEqual((await after.ask(1, 'load', { address: ADDRESS })).result, { value: '0x2b' });
  // It begins anew as its scenario says, not as the recording did.
  const restarted = post('/api/labs/room/control', { action: 'restart' }, bearer);
  const reset = await after.next();
  after.send({ id: reset.id, result: {} });
  assert.equal((await restarted).status, 200);
  assert.deepEqual((await after.ask(2, 'load', { address: ADDRESS })).result, { value: '0x0' });
  const gone = await after.ask(3, 'load', { address: '0x7000' });
  assert.deepEqual(gone.result, { signal: 'SIGSEGV' });
  after.socket.close();
});

test('a lab that is deleted stays so, and its secrets are for the owner of the files', async () => {
  server = await startServer(config);
  const { presenterToken } = (await post('/api/labs', { name: 'room' })).body;
  const file = join(directory, 'room.lab.json');
  assert.equal(statSync(file).mode & 0o077, 0);
  const headers = { authorization: `Bearer ${presenterToken}` };
  const removed = await request('/api/labs/room', { method: 'DELETE', headers, body: '{}' });
  assert.equal(removed.status, 200);
  assert.ok(!readdirSync(directory).includes('room.lab.json'));
  await server.stop();
  server = await startServer(config);
  assert.equal((await request('/api/labs/room')).status, 404);
});

test('a recording of another model is left alone: the lab is there, as it began', async () => {
  server = await startServer(config);
  const { code } = (await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' })).body.lab;
  const client = await cpu('room');
  await client.ask(1, 'store', { address: ADDRESS, value: '0x2a' });
  await server.stop();
  const [recording] = readdirSync(directory).filter((file) => file.startsWith('room-'));
  assert.ok(recording !== undefined);
  const header = { format: 'mmrace-journal', version: 2, lab: 'room', config: { patch: 'stock' } };
  const other = { ...header, model: { hash: 'other', version: '0' } };
  writeFileSync(join(directory, recording), `${JSON.stringify(other)}\n`);
  server = await startServer(config);
  assert.equal((await request(`/api/join/${code}`)).body.lab.name, 'room');
  const again = await cpu('room');
  assert.deepEqual((await again.ask(1, 'load', { address: ADDRESS })).result, { value: '0x0' });
  again.socket.close();
});

test('a file that is none of ours keeps the server from starting, with what to do', async () => {
  server = await startServer(config);
  await server.stop();
  writeFileSync(join(directory, 'room.lab.json'), '{"format":"mmrace-lab"}');
  await assert.rejects(startServer(config), (error) => {
    assert.ok(error instanceof StartFailure);
    assert.match(error.message, /room\.lab\.json:1: version: expected 1: remove the file/);
    return true;
  });
  const nowhere = startServer({ ...config, recordTo: 'nowhere' });
  await assert.rejects(nowhere, /name it with --record/);
  rmSync(join(directory, 'room.lab.json'));
  server = await startServer(config);
});
