/**
 * Several servers keep their labs in one Redis. Whatever of them dies, stands still or is full: what was acknowledged
 * is there, every client resumes its session, and one server at a time has a lab.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OwnRedis, WITHOUT_REDIS } from '../cluster/redis-server.fixture.ts';
import { parseJournal } from '../journal/read-journal.ts';
import { replay } from '../journal/replay.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { Acknowledged } from './acknowledged.fixture.ts';
import { bundleServer } from './bundled-server.fixture.ts';
import { MortalServer } from './mortal-server.fixture.ts';
import { modelOf } from './start-server.ts';

const OWNER_LEASE_MS = 1_500;
const SERVERS = 3;
const KILLS = 3;
const LOOK_MS = 20;
const SERVER = fileURLToPath(new URL('..', import.meta.url));

let bundle: string;
let main: string;
let redis: OwnRedis;
let servers: MortalServer[] = [];

suite('labs in Redis', { skip: WITHOUT_REDIS }, () => {
  before(async () => {
    bundle = mkdtempSync(join(tmpdir(), 'mmrace-server-'));
    main = await bundleServer(bundle);
  });

  after(() => rmSync(bundle, { recursive: true }));

  beforeEach(async () => {
    redis = await OwnRedis.start();
  });

  afterEach(async () => {
    redis.goOn();
    for (const server of servers) await server.kill();
    servers = [];
    await redis.end();
  });

  test('the owner is killed again and again: nothing that was acknowledged is lost, and no session', async (t) => {
    await start(SERVERS);
    const clients = await begun();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await clients.allAnswered();
      const owner = await ownerOf('demo');
      await owner.kill();
      await clients.allAnswered();
      assert.notEqual(await ownerOf('demo'), owner);
      assert.equal(await owner.start('each'), 'listens');
    }
    await endedWhole(t, clients);
  });

  test('an owner that stands still writes nothing more, and nobody hears of it', async (t) => {
    await start(2);
    const clients = await begun();
    const old = await ownerOf('demo');
    old.pause();
    await clients.allAnswered();
    old.goOn();
    await clients.allAnswered();
    assert.notEqual(await ownerOf('demo'), old);
    // It sends those who ask for the lab to where it is.
    await until(async () => {
      const answer = await fetch(`${old.url}/api/labs/demo`, { redirect: 'manual' });
      return answer.status === 307;
    });
    await endedWhole(t, clients);
  });

  test('Redis stands still: labs stand still, say so, and go on', async (t) => {
    await start(2);
    const clients = await begun();
    await clients.allAnswered();
    redis.pause();
    for (const server of servers) await until(async () => (await ready(server)).status === 503);
    const { why } = (await (await ready(await anyOf(servers))).json()) as { why: string };
    assert.match(why, /Redis does not answer/);
    const { stores } = clients;
    await sleep(OWNER_LEASE_MS);
    assert.equal(clients.stores, stores);
    redis.goOn();
    await clients.allAnswered();
    await endedWhole(t, clients);
  });

  test('Redis is killed and comes back with its disk: labs go on', async (t) => {
    await start(2);
    const clients = await begun();
    for (let kill = 0; kill < 2; kill += 1) {
      await clients.allAnswered();
      await redis.kill();
      await sleep(2 * OWNER_LEASE_MS * kill);
      assert.equal(await redis.again(), 'there');
      await clients.allAnswered();
    }
    await endedWhole(t, clients);
  });

  test('Redis is full: labs stand still and say why, and go on when there is room', async (t) => {
    await start(2);
    const clients = await begun();
    await clients.allAnswered();
    redis.command('config', 'set', 'maxmemory', '1mb');
    await until(async () => (await ready(await anyOf(servers))).status === 503);
    const said = await Promise.all(servers.map(async (one) => (await ready(one)).text()));
    assert.match(said.join(), /Redis is full/);
    const { stores } = clients;
    await sleep(OWNER_LEASE_MS);
    assert.equal(clients.stores, stores);
    redis.command('config', 'set', 'maxmemory', '0');
    await clients.allAnswered();
    await endedWhole(t, clients);
  });

  test('a server that is told to end leaves its labs to the others', async (t) => {
    await start(2);
    const clients = await begun();
    await clients.allAnswered();
    const owner = await ownerOf('demo');
    const [other] = servers.filter((server) => server !== owner);
    const listed = await (await fetch(`${other?.url}/api/labs`)).json();
    const { labs, elsewhere } = listed as { labs: object[]; elsewhere: { address: string }[] };
    assert.deepEqual(labs, []);
    assert.deepEqual(
      elsewhere.map((lab) => ({ ...lab, code: '' })),
      [{ name: 'demo', code: '', address: owner.url }],
    );
    await owner.terminate();
    await clients.allAnswered();
    assert.notEqual(await ownerOf('demo'), owner);
    await endedWhole(t, clients);
  });
});

async function start(count: number): Promise<void> {
  const keeps = { url: redis.url, ownerLeaseMs: OWNER_LEASE_MS };
  for (let at = 0; at < count; at += 1) {
    const server = new MortalServer({ main, redis: keeps, checkpointEvery: 400 });
    servers.push(server);
    assert.equal(await server.start('each'), 'listens');
  }
}

/** All join at a server that may have the lab or not. */
async function begun(): Promise<Acknowledged> {
  const clients = new Acknowledged((await anyOf(servers.slice(1))).webSocketUrl, 'demo');
  await clients.begin();
  return clients;
}

async function anyOf(some: readonly MortalServer[]): Promise<MortalServer> {
  const [first] = some;
  return first ?? assert.fail('no server');
}

/** The one that says so. */
async function ownerOf(lab: string): Promise<MortalServer> {
  const found: MortalServer[] = [];
  await until(async () => {
    found.length = 0;
    for (const server of servers) {
      const answer = await fetch(`${server.url}/api/labs/${lab}`, { redirect: 'manual' }).catch(
        () => 'gone' as const,
      );
      if (answer !== 'gone' && answer.status === 200) found.push(server);
    }
    return found.length === 1;
  });
  return anyOf(found);
}

function ready(server: MortalServer): Promise<Response> {
  return fetch(`${server.url}/readyz`);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(LOOK_MS);
}

/** All sessions are those that began, and the recording replays to what it says. */
async function endedWhole(t: TestContext, clients: Acknowledged): Promise<void> {
  await clients.end();
  t.diagnostic(`${clients.stores} stores acknowledged, 0 lost`);
  const [key = ''] = redis.command('keys', 'mmrace:log:demo:*').split('\n');
  const stored = redis.command('--json', 'xrange', key, '-', '+');
  const text = (JSON.parse(stored) as [string, [string, string]][]).map(([, [, l]]) => l).join('');
  if (!text.startsWith('{"format"')) return;
  const journal = parseJournal(text, key);
  const again = replay(
    { header: journal.header, entries: journal.entries.values(), end: journal.end },
    { newMachine: newLiveMachine, model: modelOf(SERVER), onEvent: () => undefined },
  );
  assert.equal(again.outcome, 'identical');
}
