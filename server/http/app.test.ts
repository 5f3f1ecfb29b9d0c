import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import pino from 'pino';
import { type Harness, joined, startHarness } from '../gateway/gateway.fixture.ts';
import { Runs } from '../verify/runs/runs.ts';
import { buildApp, upgradeRefusal } from './app.ts';
import type { Readiness } from './readiness.ts';

let harness: Harness;
let readiness: Readiness;
let problem: string;

beforeEach(async () => {
  harness = await startHarness();
  problem = 'none';
  readiness = { state: 'ready', recordingProblem: async () => problem };
});

afterEach(async () => {
  await harness.close();
});

async function get(url: string) {
  const { gateway, labs } = harness;
  const model = { hash: 'abc', version: '1.2.3' };
  const runs = new Runs({ modelHash: 'abc', onFailure: () => undefined });
  const log = pino({ level: 'silent' });
  const app = buildApp({ gateway, labs, runs, readiness, model, hostNames: [], log });
  const answer = await app.inject(url);
  await app.close();
  return answer;
}

test('health says that the process lives, readiness that it takes clients', async () => {
  assert.deepEqual((await get('/healthz')).json(), { status: 'ok' });
  assert.equal((await get('/readyz')).statusCode, 200);
  readiness.state = 'going';
  assert.equal((await get('/readyz')).statusCode, 503);
  assert.equal((await get('/healthz')).statusCode, 200);
});

test('a server that should record and cannot is not ready, and says why', async () => {
  problem = 'ENOSPC';
  const answer = await get('/readyz');
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json(), { status: 'cannot-record', why: 'ENOSPC' });
  problem = 'none';
  assert.deepEqual((await get('/readyz')).json(), { status: 'ready' });
});

test('the version names the protocol and the model', async () => {
  assert.deepEqual((await get('/version')).json(), {
    name: 'mmrace',
    protocol: 'mmrace.v1',
    model: { hash: 'abc', version: '1.2.3' },
  });
});

test('labs are listed with who is in them', async () => {
  assert.deepEqual((await get('/api/labs')).json(), { labs: [], elsewhere: [] });
  await joined(harness, 'device', 'a');
  await joined(harness, 'observer', 'watcher');
  const { labs } = (await get('/api/labs')).json();
  assert.equal(labs.length, 1);
  const { code, ...rest } = labs[0];
  assert.match(code, /^[B-Y346789]{5}$/);
  assert.deepEqual(rest, {
    name: 'test',
    joinBy: 'name',
    state: 'open',
    kernel: '6.12',
    patch: 'stock',
    scenario: null,
    paused: false,
    locked: false,
    speed: 'full',
    events: 1,
    observers: 1,
    actors: [
      {
        name: 'a',
        role: 'device',
        state: 'attached',
        slowMs: 0,
        holding: 0,
        roundTripMs: null,
      },
    ],
  });
});

test('the numbers are those of the state at this moment', async () => {
  const client = await joined(harness, 'device', 'a');
  await client.ask(1, 'nonsense');
  const { body } = await get('/metrics');
  assert.match(body, /^mmrace_connections 1$/m);
  assert.match(body, /^mmrace_sessions 1$/m);
  assert.match(body, /^mmrace_frames_total\{direction="in"\} 2$/m);
  assert.match(body, /^mmrace_refusals_total\{code="unknown-method"\} 1$/m);
});

test('only pages of the same host may open a WebSocket, and only in its place', () => {
  const host = '127.0.0.1:7070';
  const refusal = (url: string, origin?: string) =>
    upgradeRefusal({ url, headers: { host, ...(origin === undefined ? {} : { origin }) } }, []);
  assert.equal(refusal('/ws'), 'none');
  assert.equal(refusal('/ws?lab=demo', `http://${host}`), 'none');
  assert.equal(refusal('/ws', 'http://evil.example'), '403 Forbidden');
  assert.equal(refusal('/ws', 'null'), '403 Forbidden');
  assert.equal(refusal('/'), '404 Not Found');
  assert.equal(refusal('/wss'), '404 Not Found');
});
