/** A live lab goes back: its machine replays less, and its clients are what they were then. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { startCpu } from '../../clients/agents/cpu-agent.ts';
import { startDevice } from '../../clients/agents/device-agent.ts';
import type { PlayedAgent } from '../../clients/agents/played-agent.ts';
import type { VerbParams } from '../../clients/sdk/conductor.ts';
import { openJournal } from '../journal/read-journal.ts';
import { replay } from '../journal/replay.ts';
import type { Lab } from '../live/lab.ts';
import { ITEMS_MAX } from '../live/lab-past.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { DEFAULT_CONFIG } from './config.ts';
import { type RunningServer, startServer } from './start-server.ts';

const ADDRESS = '0x100200000';
const FIRST = 0x100200;
const range = { first: FIRST, end: FIRST + 1 };

/** The seed race, cue by cue. */
const CUES: readonly (readonly [string, VerbParams])[] = [
  ['cpu0', { verb: 'mmap', address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' }],
  ['cpu0', { verb: 'load', address: ADDRESS }],
  ['gpu1', { verb: 'read', range }],
  ['gpu0', { verb: 'setup', range }],
  ['gpu1', { verb: 'read', range }],
  ['gpu0', { verb: 'pages' }],
  ['gpu0', { verb: 'finalize' }],
  ['gpu0', { verb: 'write', range, values: ['0x2a'] }],
  ['gpu1', { verb: 'read', range }],
];

let directory: string;
let server: RunningServer;
let lab: Lab;
let agents: ReadonlyMap<string, PlayedAgent>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mmrace-step-back-'));
  await start();
  const found = server.labs.open('race', { patch: 'remove-second-invalidate' }, 'kept');
  assert.ok(found !== 'too-many');
  lab = found;
  agents = new Map([
    ['cpu0', startCpu(options('cpu0'))],
    ['gpu0', startDevice(options('gpu0'))],
    ['gpu1', startDevice(options('gpu1'))],
  ]);
  await Promise.all([...agents.values()].map(({ greeted }) => greeted));
});

afterEach(async () => {
  for (const agent of agents.values()) agent.close();
  await server.stop();
  rmSync(directory, { recursive: true });
});

async function start(port = 0, checkpointEvery = 1_000_000): Promise<void> {
  server = await startServer({
    ...DEFAULT_CONFIG,
    checkpointEvery,
    port,
    recordTo: directory,
    restore: 'restored',
    logLevel: 'silent',
  });
}

function options(name: string) {
  return {
    url: server.webSocketUrl,
    lab: 'race',
    name,
    connectMs: 1_000,
    say: (text: string) => assert.fail(text),
  };
}

async function play(cues: typeof CUES): Promise<unknown> {
  let last: unknown;
  for (const [actor, verb] of cues) last = await agents.get(actor)?.perform(actor, verb);
  return last;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
async function post(path: string, body: object): Promise<{ status: number; body: any }> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
async function get(path: string): Promise<any> {
  return await (await fetch(`${server.url}${path}`)).json();
}

function control(body: object): ReturnType<typeof post> {
  return post('/api/labs/race/control', body);
}

function memory(): unknown {
  const { ptes, mirrors, vmas } = lab.snapshot();
  return { ptes, mirrors, vmas };
}

test('cue by cue, and each time the race goes on to the same wrong read', async () => {
  const before: unknown[] = [];
  for (const cue of CUES) {
    before.push(memory());
    await play([cue]);
  }
  for (let done = CUES.length; done > 2; ) {
    assert.equal((await control({ action: 'undo' })).status, 200);
    done -= 1;
    assert.deepEqual(memory(), before[done], `before cue ${done}`);
  }
  const read = (await play(CUES.slice(2))) as { values: string[] };
  assert.deepEqual(read.values, ['0x0'], 'the mirror that no sweep has reached');
  assert.ok(lab.actors.values().every(({ fenced }) => !fenced));
});

test('a recording of a lab that went back replays, and a later server goes on where it was', async () => {
  await play(CUES);
  for (const _ of ['the read', 'the write']) {
    assert.equal((await control({ action: 'undo' })).status, 200);
  }
  await server.stop();
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.jsonl'))) {
    const journal = openJournal(join(directory, name));
    const replayed = replay(journal, {
      newMachine: (config, sinks) => newLiveMachine(config, sinks),
      model: journal.header.model,
      onEvent: () => undefined,
    });
    assert.equal(replayed.outcome, 'identical', name);
  }
  await start(server.port);
  await comeBack();
  const read = (await play(CUES.slice(-2))) as { values: string[] };
  assert.deepEqual(read.values, ['0x0']);
});

for (const checkpointEvery of [1, 1_000_000]) {
  const from = checkpointEvery === 1 ? 'the middle of a recording' : 'its beginning';
  test(`a server that went on from ${from} takes back what the one before had seen`, async () => {
    await server.stop();
    await start(server.port, checkpointEvery);
    await comeBack();
    const before: unknown[] = [];
    for (const cue of CUES) {
      before.push(memory());
      await play([cue]);
    }
    const files = () => readdirSync(directory).filter((file) => file.endsWith('checkpoint.json'));
    while (checkpointEvery === 1 && files().length === 0) await new Promise(setImmediate);
    await server.stop();
    await start(server.port);
    await comeBack();
    const there = server.labs.get('race');
    for (const name of agents.keys()) {
      while (there !== 'none' && there.actors.get(name)?.state !== 'attached') {
        await new Promise(setImmediate);
      }
    }
    const undone = await control({ action: 'undo' });
    assert.equal(undone.status, 200, JSON.stringify(undone.body));
    assert.deepEqual(memory(), before.at(-1));
    const read = (await play(CUES.slice(-1))) as { values: string[] };
    assert.deepEqual(read.values, ['0x0']);
  });
}

test('what is not remembered is read from the recording', async () => {
  await play(CUES.slice(0, -1));
  for (let once = 0; once < ITEMS_MAX; once += 1) {
    lab.drive.pause();
    lab.drive.resume();
  }
  const before = memory();
  await play(CUES.slice(-1));
  assert.equal((await control({ action: 'undo' })).status, 200);
  assert.deepEqual(memory(), before);
  const read = (await play(CUES.slice(-1))) as { values: string[] };
  assert.deepEqual(read.values, ['0x0']);
});

async function comeBack(): Promise<void> {
  const again = server.labs.get('race');
  assert.ok(again !== 'none');
  lab = again;
  while (lab.standing.state === 'restoring') await new Promise(setImmediate);
  assert.equal(lab.standing.state, 'open');
}

test('to before any event; not in a locked lab, and not to before there was anything', async () => {
  for (const gpu of ['gpu0', 'gpu1']) await play([[gpu, { verb: 'page-table' }]]);
  assert.equal((await control({ action: 'undo' })).body.error?.code, 'nothing-to-undo');
  await play(CUES.slice(0, 4));
  const set = lab.feed.n;
  await play(CUES.slice(4));
  const then = lab.feed.n;
  assert.equal((await control({ action: 'undo', before: set + 1 })).status, 200);
  assert.ok(lab.feed.n <= set && lab.feed.n > 0, `${lab.feed.n} of ${set}`);
  const read = (await play(CUES.slice(4))) as { values: string[] };
  assert.deepEqual([read.values, lab.feed.n], [['0x0'], then]);
  lab.presenter.lock();
  assert.equal((await control({ action: 'undo' })).body.error?.code, 'presenter-only');
  assert.equal(lab.feed.n, then);
});

test('what could have happened from a moment on is explored, and nothing can behind the last', async () => {
  await play(CUES.slice(0, 3));
  const { n } = lab.feed;
  await play(CUES.slice(3));
  const asked = await post(`/api/labs/race/runs`, { after: n });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const { id } = asked.body.run;
  let { run } = await get(`/api/runs/${id}`);
  while (run.state === 'waiting' || run.state === 'running') {
    ({ run } = await get(`/api/runs/${id}`));
  }
  assert.equal(run.verdict?.verdict, 'broken', run.failure);
  const events = await get(`/api/runs/${id}/events`);
  assert.equal(events.setup.at(-1).n, n);
  assert.match(events.failure, /^OR/);
  const last = await post('/api/labs/race/runs', { after: lab.feed.n });
  assert.equal(last.body.error.code, 'nothing-follows');
});
