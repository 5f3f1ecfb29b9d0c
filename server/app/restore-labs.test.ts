/** A server ends and another begins in its place: its labs are there again. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RawClient } from '../gateway/gateway.fixture.ts';
import { summedLine } from '../journal/line-sum.ts';
import { openJournal } from '../journal/read-journal.ts';
import { replay } from '../journal/replay.ts';
import type { MachineFactory } from '../live/machine-port.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { DEFAULT_CONFIG, type ServerConfig } from './config.ts';
import { StartFailure } from './start-failure.ts';
import { type RunningServer, startServer } from './start-server.ts';

const ADDRESS = '0x100200000';
const AREA = { address: ADDRESS, pages: 1 };

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

interface Session {
  readonly client: RawClient;
  readonly hello: { readonly resumeToken: string; readonly epoch: number };
}

async function joins(lab: string, role: string, name: string): Promise<Session> {
  const client = await new RawClient(server.webSocketUrl).opened();
  const { result, error } = await client.hello(role, name, { lab });
  assert.equal(error, undefined);
  return { client, hello: result };
}

/** The client `name` has all frames up to `since`, and goes on with what it sent last. */
async function comesBack(
  { client: before, hello }: Session,
  lab: string,
  role: string,
  name: string,
  since: number,
): Promise<Session & { readonly received: number }> {
  const client = await new RawClient(server.webSocketUrl).opened();
  const resume = { token: hello.resumeToken, epoch: hello.epoch, since };
  const params = { protocol: SUBPROTOCOL, lab, role, name, resume };
  client.sendRaw({ jsonrpc: '2.0', seq: 1, id: 0, method: 'hello', params });
  const { result, error } = await client.next();
  assert.equal(error, undefined);
  client.sent = before.sent;
  return { client, hello: result, received: result.received };
}

test('names and roles that a presenter gave come back, also after a new machine and another restart', async () => {
  server = await startServer(config);
  const { body } = await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' });
  const bearer = { authorization: `Bearer ${body.presenterToken}` };
  const control = (params: unknown) => post('/api/labs/room/control', params, bearer);
  const stays = await joins('room', 'cpu', 'cpu7');
  const leaves = await joins('room', 'cpu', 'cpu8');
  await control({ action: 'rename', actor: 'cpu7', label: 'José' });
  await control({ action: 'rename', actor: 'cpu8', label: 'Ada' });
  await control({ action: 'cast', role: 'reader', actor: 'cpu7' });
  await control({ action: 'show', what: 'code' });
  leaves.client.socket.close(1000);
  while ((await request('/api/labs/room')).body.actors.length > 1);
  const restarted = control({ action: 'restart' });
  const reset = await stays.client.next();
  stays.client.send({ id: reset.id, result: {} });
  await restarted;
  for (const round of ['first', 'second']) {
    await server.stop();
    server = await startServer(config);
    await server.restored;
    const { cast, shows } = (await request('/api/labs/room')).body;
    assert.deepEqual([cast, shows], [{ reader: 'cpu7' }, 'code'], round);
    const lab = server.labs.get('room');
    assert.ok(lab !== 'none');
    assert.deepEqual(
      lab.controlSeen().labels,
      { cpu7: 'José' },
      'who has left takes the name along',
    );
  }
  const { hash, version } = server.model;
  await server.stop();
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.jsonl'))) {
    const again = replay(openJournal(join(directory, file)), {
      newMachine: newLiveMachine,
      model: { hash, version },
      onEvent: () => undefined,
    });
    assert.equal(again.outcome, 'identical', file);
  }
  server = await startServer(config);
});

test('a lab comes back with its memory, its code, its presenter, its scenario and how it was driven', async () => {
  server = await startServer(config);
  const scenario = 'seed-zero-page';
  const patch = 'remove-second-invalidate';
  const opened = await post('/api/labs', { name: 'room', scenario, patch });
  const { lab, presenterToken } = opened.body;
  const bearer = { authorization: `Bearer ${presenterToken}` };
  const before = await joins('room', 'cpu', 'cpu0');
  await before.client.ask(1, 'store', { address: ADDRESS, value: '0x2a' });
  await post('/api/labs/room/control', { action: 'lock' }, bearer);
  await post('/api/labs/room/control', { action: 'speed', stepsPerSecond: 500 }, bearer);
  await post('/api/labs/room/control', { action: 'pause' }, bearer);
  before.client.send({ id: 2, method: 'store', params: { address: ADDRESS, value: '0x2b' } });
  await tasksOf('room', 1);
  await server.stop();

  server = await startServer(config);
  await server.restored;
  const { body } = await request(`/api/join/${lab.code}`);
  const { name, scenario: again, patch: kernel, paused, locked, speed, actors } = body.lab;
  assert.deepEqual([name, again, kernel], ['room', scenario, patch]);
  assert.deepEqual([paused, locked, speed], [true, true, 500]);
  assert.deepEqual([actors[0].name, actors[0].state], ['cpu0', 'away']);
  const stranger = await post('/api/labs/room/control', { action: 'resume' });
  assert.equal(stranger.body.error.code, 'presenter-only');
  // What stood before its first step goes on, and is answered in the session that asked.
  const after = await comesBack(before, 'room', 'cpu', 'cpu0', 2);
  assert.equal((await request('/api/labs/room')).body.tasks[0].actor, 'cpu0');
  await post('/api/labs/room/control', { action: 'speed', stepsPerSecond: 'full' }, bearer);
  await post('/api/labs/room/control', { action: 'resume' }, bearer);
  // Behind it, the server before had said that it ends.
  const { method, seq, params } = await after.client.next();
  assert.deepEqual([method, seq, params.resumable], ['going', 3, true]);
  assert.deepEqual((await after.client.next()).id, 2);
  const load = await after.client.ask(3, 'load', { address: ADDRESS });
  assert.deepEqual([load.seq, load.result], [5, { value: '0x2b' }]);
  // It begins anew as its scenario says, not as the recording did.
  const restarted = post('/api/labs/room/control', { action: 'restart' }, bearer);
  const reset = await after.client.next();
  after.client.send({ id: reset.id, result: {} });
  assert.equal((await restarted).status, 200);
  const gone = await after.client.ask(4, 'load', { address: ADDRESS });
  assert.deepEqual(gone.result, { value: '0x0' });
  after.client.socket.close(1000);
});

/** Waits until the lab has so many tasks that have not ended. */
async function tasksOf(lab: string, count: number): Promise<void> {
  while ((await request(`/api/labs/${lab}`)).body.tasks.length < count);
}

test('what a client has not acknowledged is sent again by the next server, frame by frame the same', async () => {
  server = await startServer(config);
  await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' });
  const device = await joins('room', 'device', 'gpu0');
  const { client } = device;
  const first = [await client.ask(1, 'mmap_read_lock', {})];
  // Refused, unknown and answered frames all take a number.
  first.push(await client.ask(2, 'mmap_read_lock', { nonsense: 1 }));
  first.push(await client.ask(3, 'load', { address: ADDRESS }));
  client.send({ method: 'ack', params: { seq: 1 } });
  client.send({ method: 'held', params: { after: 'hmm_range_fault' } });
  first.push(await client.ask(4, 'mmap_read_unlock', {}));
  const performed = post('/api/labs/room/control', {
    action: 'perform',
    actor: 'gpu0',
    verb: { verb: 'read' },
  });
  first.push(await client.next());
  await server.stop();
  await performed.catch(() => undefined);

  server = await startServer(config);
  await server.restored;
  assert.equal((await request('/api/labs/room')).body.actors[0].holding, 1);
  const again = await comesBack(device, 'room', 'device', 'gpu0', 1);
  // But for the last `ack`, which says the same again, all have arrived.
  assert.equal(again.received, 7);
  for (const frame of first) assert.deepEqual(await again.client.next(), frame);
  assert.equal((await again.client.next()).method, 'going');
  // What it was asked by a hand that is gone may be answered, and comes to nothing.
  again.client.send({ id: first.at(-1)?.id, result: { errno: 'OK' } });
  const later = await again.client.ask(5, 'mmap_read_lock', {});
  assert.deepEqual([later.id, later.error], [5, undefined]);
  again.client.socket.close(1000);
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

/** Puts another text into the one recording of the room. */
function rewrite(change: (text: string) => string): string {
  const [name] = readdirSync(directory).filter((file) => file.startsWith('room-'));
  assert.ok(name !== undefined);
  const path = join(directory, name);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  return name;
}

test('a lab of which anything is wrong is damaged: it says why, can be watched, is no empty one', async () => {
  const wrongs: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ['a digit', (text) => text.replace('"0x2a"', '"0x2b"'), /:\d+: sum: expected/],
    ['another model', (text) => resummed(text.replace(/"hash":"\w/, '"hash":"z')), /another model/],
    [
      'a patch',
      (text) => resummed(text.replace('"patch":"stock"', '"patch":"gone"')),
      /no patch gone/,
    ],
    ['a version', (text) => resummed(text.replace('"version":3', '"version":9')), /newer mmrace/],
    ['what came of it', (text) => resummed(text.replace('"0x2a"', '"0x2b"')), /does not lead to/],
    ['nothing in it', () => '', /no whole line/],
  ];
  for (const [what, change, why] of wrongs) {
    server = await startServer(config);
    const { lab, presenterToken } = (
      await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' })
    ).body;
    const client = await cpu('room');
    await client.ask(1, 'store', { address: ADDRESS, value: '0x2a' });
    await server.stop();
    const file = rewrite(change);
    const text = readFileSync(join(directory, file), 'utf8');
    server = await startServer(config);
    await server.restored;
    const found = (await request(`/api/join/${lab.code}`)).body.lab;
    assert.equal(found.state, 'damaged', what);
    assert.match(found.why, why, what);
    const ready = await request('/readyz');
    assert.equal(ready.status, 200);
    assert.match(ready.body.damaged[0].why, why);
    const paused = await post('/api/labs/room/control', { action: 'pause' });
    assert.equal(paused.body.error.code, 'lab-damaged');
    const late = await new RawClient(server.webSocketUrl).opened();
    assert.equal(
      (await late.hello('cpu', 'cpu0', { lab: 'room' })).error?.data?.code,
      'lab-damaged',
    );
    assert.equal((await late.hello('observer', 'eye', { lab: 'room' })).error, undefined);
    late.socket.close();
    await server.stop();
    // It is left as it was, for its owner to mend, until its presenter deletes it.
    assert.equal(readFileSync(join(directory, file), 'utf8'), text);
    server = await startServer(config);
    const headers = { authorization: `Bearer ${presenterToken}` };
    const removed = await request('/api/labs/room', { method: 'DELETE', headers, body: '{}' });
    assert.equal(removed.status, 200);
    await server.stop();
    rmSync(join(directory, file));
  }
  server = await startServer(config);
});

/** The sums that the lines would have. */
function resummed(text: string): string {
  let sum = 0;
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const summed = summedLine(line.replace(/,"sum":"[0-9a-f]{8}"\}$/, '}'), sum);
      sum = summed.sum;
      return summed.line;
    })
    .join('');
}

test('a file that is no lab is a damaged lab, and the others are there', async () => {
  server = await startServer(config);
  await post('/api/labs', { name: 'room' });
  await server.stop();
  const path = join(directory, 'room.lab.json');
  const kept = JSON.parse(readFileSync(path, 'utf8'));
  for (const [file, why] of [
    ['{"format":"mmrace-lab"', /expected an object|format/],
    [JSON.stringify({ ...kept, version: 1 }), /version: found 1: kept by another mmrace/],
    [JSON.stringify({ ...kept, journal: '../elsewhere.jsonl' }), /journal: expected/],
    [JSON.stringify({ ...kept, journal: 'gone.jsonl' }), /ENOENT/],
  ] as const) {
    writeFileSync(path, file);
    server = await startServer(config);
    await server.restored;
    const { body } = await request('/api/labs/room');
    assert.equal(body.state, 'damaged');
    assert.match(body.why, why);
    assert.equal((await request('/api/labs/demo')).body.state, 'open');
    await server.stop();
    assert.equal(readFileSync(path, 'utf8'), file);
  }
  await assert.rejects(startServer({ ...config, recordTo: 'nowhere' }), /name it with --record/);
  server = await startServer(config);
});

test('a checkpoint leads to the same lab as its recording does, and is left out if it is broken', async () => {
  server = await startServer({ ...config, checkpointEvery: 40 });
  await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' });
  const before = await joins('room', 'cpu', 'cpu0');
  const device = await joins('room', 'device', 'gpu0');
  await device.client.ask(1, 'mmap_read_lock', {});
  const store = (id: number) =>
    before.client.ask(id, 'store', { address: ADDRESS, value: `0x${id.toString(16)}` });
  let id = 0;
  const written = () => readdirSync(directory).find((file) => /^room.*\.checkpoint/.test(file));
  while (written() === undefined || id < 60) {
    id += 1;
    await store(id);
  }
  await server.stop();
  const [journal, checkpoint] = [/^room.*\.jsonl$/, /^room.*\.checkpoint\.json$/].map((name) =>
    join(directory, readdirSync(directory).find((file) => name.test(file)) ?? ''),
  );
  assert.ok(journal !== undefined && checkpoint !== undefined);
  const texts = {
    journal: readFileSync(journal, 'utf8'),
    checkpoint: readFileSync(checkpoint, 'utf8'),
  };

  // What stands before the checkpoint is not read.
  writeFileSync(journal, texts.journal.replace('"n":9,', '"n":8,'));
  server = await startServer(config);
  await server.restored;
  assert.equal((await request('/api/labs/room')).body.state, 'open');
  const after = await comesBack(before, 'room', 'cpu', 'cpu0', id + 1);
  assert.equal((await after.client.next()).method, 'going');
  const load = await after.client.ask(id + 1, 'load', { address: ADDRESS });
  assert.deepEqual(load.result, { value: `0x${id.toString(16)}` });
  const gpu = await comesBack(device, 'room', 'device', 'gpu0', 2);
  assert.equal((await gpu.client.next()).method, 'going');
  assert.deepEqual((await gpu.client.ask(2, 'mmap_read_unlock', {})).result, {});
  for (const { client } of [after, gpu]) client.socket.terminate();
  await server.stop();

  // Without it all is read, and is wrong.
  writeFileSync(checkpoint, texts.checkpoint.replace('"n":', '"n" :'));
  server = await startServer(config);
  await server.restored;
  assert.equal((await request('/api/labs/room')).body.state, 'damaged');
  await server.stop();

  writeFileSync(journal, texts.journal);
  server = await startServer(config);
  await server.restored;
  assert.equal((await request('/api/labs/room')).body.state, 'open');
  const again = await comesBack(before, 'room', 'cpu', 'cpu0', id + 1);
  assert.equal((await again.client.next()).method, 'going');
  const same = await again.client.ask(id + 1, 'load', { address: ADDRESS });
  assert.deepEqual(same.result, { value: `0x${id.toString(16)}` });
  again.client.socket.terminate();
});

test('with --keep the beginning is removed; then of two checkpoints one leads to the lab', async () => {
  const KEPT = 30_000;
  config = { ...config, checkpointEvery: 40, keep: KEPT };
  server = await startServer(config);
  await post('/api/labs', { name: 'room' });
  const before = await joins('room', 'cpu', 'cpu0');
  await before.client.ask(1, 'mmap', { ...AREA, prot: 'rw', kind: 'anon-private' });
  const inFolder = (name: RegExp) => readdirSync(directory).filter((file) => name.test(file));
  const removed = () => {
    const [first] = inFolder(/^room.*\.jsonl$/);
    return first !== undefined && statSync(join(directory, first)).size < 1_000;
  };
  let id = 1;
  const store = async () => {
    id += 1;
    const value = `0x${id.toString(16)}`;
    await before.client.ask(id, 'store', { address: ADDRESS, value });
  };
  while (!removed()) await store();
  for (let more = 0; more < 500; more += 1) await store();
  await server.stop();
  const sizes = inFolder(/^room.*\.jsonl/).map((file) => statSync(join(directory, file)).size);
  assert.ok(sizes.reduce((sum, size) => sum + size) < 3 * KEPT, `${sizes}`);

  const [newest, older] = [/^room.*\.checkpoint\.json$/, /^room.*\.older-checkpoint\.json$/].map(
    (name) => join(directory, inFolder(name)[0] ?? ''),
  );
  assert.ok(newest !== undefined && older !== undefined);
  const texts = { newest: readFileSync(newest, 'utf8'), older: readFileSync(older, 'utf8') };
  const standing = async (reader: string) => {
    server = await startServer({ ...config, checkpointEvery: 1_000_000 });
    await server.restored;
    const { body } = await request('/api/labs/room');
    if (body.state === 'open') {
      const { client } = await joins('room', 'cpu', reader);
      const load = await client.ask(1, 'load', { address: ADDRESS });
      assert.deepEqual(load.result, { value: `0x${id.toString(16)}` });
      client.socket.terminate();
    }
    await server.stop();
    return body.why ?? body.state;
  };
  writeFileSync(newest, texts.newest.slice(0, 5_000));
  assert.equal(await standing('cpu1'), 'open');
  const { sum: _sum, ...whole } = JSON.parse(texts.newest);
  whole.model.hash = 'another';
  writeFileSync(newest, summedLine(JSON.stringify(whole), 0).line);
  assert.equal(await standing('cpu2'), 'open');
  rmSync(older);
  assert.match(await standing('cpu3'), /bytes \d+ to \d+ have been removed: see --keep/);
  writeFileSync(newest, texts.newest);
  assert.equal(await standing('cpu3'), 'open');
});

test('a second server on the folder is refused in a sentence; one whose server is gone is free', async () => {
  server = await startServer(config);
  await assert.rejects(startServer(config), (error) => {
    assert.ok(error instanceof StartFailure);
    assert.match(
      error.message,
      /is in use by the mmrace server with pid \d+: end that one, or choose another/,
    );
    return true;
  });
  await server.stop();
  // As after kill -9: of a process that is not there, or is another one by now.
  writeFileSync(join(directory, 'mmrace.lock'), '{"pid":1,"began":"never"}\n');
  server = await startServer(config);
});

test('one file a machine, however often the server ends', async () => {
  server = await startServer(config);
  await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' });
  for (let round = 0; round < 3; round += 1) {
    await server.stop();
    server = await startServer(config);
    await server.restored;
    const client = await cpu('room');
    await client.ask(1, 'store', { address: ADDRESS, value: `0x${round}` });
    client.socket.close(1000);
    await client.closed;
  }
  await server.stop();
  const files = readdirSync(directory).filter((file) => file.startsWith('room-'));
  assert.equal(files.length, 1);
  const model = { hash: server.model.hash, version: server.model.version };
  const path = join(directory, files[0] ?? '');
  const again = replay(openJournal(path), {
    newMachine: newLiveMachine,
    model,
    onEvent: () => undefined,
  });
  assert.deepEqual([again.outcome, 'closed' in again && again.closed], ['identical', true]);
  server = await startServer(config);
});

/** A machine that throws at a store of this value. */
const POISON = '0xbad';
const brittle: MachineFactory = (machineConfig, sinks) => {
  const machine = newLiveMachine(machineConfig, sinks);
  const { accept } = machine;
  return Object.assign(machine, {
    accept: (...args: Parameters<typeof accept>) => {
      const [inbound] = args;
      if ('params' in inbound && JSON.stringify(inbound.params).includes(POISON)) {
        throw new Error('a bug');
      }
      accept(...args);
    },
  });
};

test('a frame that the machine throws at was never taken: the lab is there again without it', async () => {
  server = await startServer(config, brittle);
  await post('/api/labs', { name: 'room', scenario: 'seed-zero-page' });
  const poisoner = await joins('room', 'cpu', 'cpu1');
  const bystander = await joins('room', 'cpu', 'cpu0');
  await bystander.client.ask(1, 'store', { address: ADDRESS, value: '0x2a' });
  poisoner.client.send({ id: 1, method: 'store', params: { address: ADDRESS, value: POISON } });
  assert.equal((await bystander.client.closed).reason, 'internal');
  const state = async () => (await request('/api/labs/room')).body.state;
  while ((await state()) !== 'open') await new Promise(setImmediate);
  const again = await comesBack(bystander, 'room', 'cpu', 'cpu0', 2);
  const loaded = await again.client.ask(2, 'load', { address: ADDRESS });
  assert.deepEqual(loaded.result, { value: '0x2a' });
  // Its own session is over: it must not say the same again and again.
  const late = await new RawClient(server.webSocketUrl).opened();
  const resume = { token: poisoner.hello.resumeToken, epoch: poisoner.hello.epoch, since: 1 };
  const refused = await late.hello('cpu', 'cpu1', { lab: 'room', resume });
  assert.equal(refused.error?.data?.code, 'bad-resume');
  for (const client of [again.client, late]) client.socket.close(1000);
});
