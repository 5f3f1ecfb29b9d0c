/** A server ends and another begins in its place: its clients come back by themselves. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { startCpu } from '../../clients/agents/cpu-agent.ts';
import { startDevice } from '../../clients/agents/device-agent.ts';
import type { PlayedAgent } from '../../clients/agents/played-agent.ts';
import { DEFAULT_CONFIG, type ServerConfig } from './config.ts';
import { type RunningServer, startServer } from './start-server.ts';

const ADDRESS = '0x100200000';
const FIRST = 0x100200;
const RANGE = { first: FIRST, end: FIRST + 1 };

let directory: string;
let server: RunningServer;
let here: PlayedAgent[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mmrace-back-'));
});

afterEach(async () => {
  for (const agent of here) agent.close();
  await server.stop();
  rmSync(directory, { recursive: true });
});

async function agents(): Promise<{ cpu: PlayedAgent; gpu: PlayedAgent; began: string[] }> {
  const began: string[] = [];
  const options = (name: string) => ({
    url: server.webSocketUrl,
    lab: 'demo',
    name,
    connectMs: 1_000,
    say: (text: string) => assert.fail(text),
    watch: {
      moved: () => undefined,
      asked: () => undefined,
      held: () => undefined,
      began: (actor: string) => began.push(actor),
    },
  });
  const cpu = startCpu(options('cpu0'));
  const gpu = startDevice(options('gpu0'));
  here = [cpu, gpu];
  await Promise.all([cpu.greeted, gpu.greeted]);
  return { cpu, gpu, began };
}

async function another(config: ServerConfig): Promise<void> {
  const { port } = server;
  await server.stop();
  server = await startServer({ ...config, port });
}

test('to a server that restores its labs, in the same sessions', async () => {
  const config = {
    ...DEFAULT_CONFIG,
    port: 0,
    recordTo: directory,
    restore: 'restored',
    logLevel: 'silent',
  } as const;
  server = await startServer(config);
  const { cpu, gpu, began } = await agents();
  const mapped = { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' };
  assert.equal((await cpu.perform('cpu0', { verb: 'mmap', ...mapped })).errno, 'OK');
  await cpu.perform('cpu0', { verb: 'store', address: ADDRESS, value: '0x2a' });
  await gpu.perform('gpu0', { verb: 'migrate-to-dev', range: RANGE });
  for (let restart = 0; restart < 3; restart += 1) {
    await another(config);
    // The page is in the memory of the device, which is asked for it.
    const loaded = await cpu.perform('cpu0', { verb: 'load', address: ADDRESS });
    assert.equal(loaded.value, '0x2a');
    await gpu.perform('gpu0', { verb: 'migrate-to-dev', range: RANGE });
  }
  assert.deepEqual(began, ['cpu0', 'gpu0']);
  assert.equal(server.gateway.sessions, 2);
  for (const agent of [cpu, gpu]) agent.close();
  await Promise.all([cpu.left, gpu.left]);
});

test('to one that does not, in sessions of their own', async () => {
  const config = { ...DEFAULT_CONFIG, port: 0, drainMs: 1, logLevel: 'silent' } as const;
  server = await startServer(config);
  const { cpu, gpu, began } = await agents();
  await gpu.perform('gpu0', { verb: 'page-table' });
  await another(config);
  // What is asked before that comes to nothing, and says so.
  while (server.gateway.sessions < 2) await new Promise(setImmediate);
  const mapped = { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' };
  assert.equal((await cpu.perform('cpu0', { verb: 'mmap', ...mapped })).errno, 'OK');
  const read = await gpu.perform('gpu0', { verb: 'read', range: RANGE });
  assert.equal(read.errno, 'OK');
  assert.deepEqual(began.sort(), ['cpu0', 'cpu0', 'gpu0', 'gpu0']);
  for (const agent of [cpu, gpu]) agent.close();
  await Promise.all([cpu.left, gpu.left]);
});
