import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { joined } from '../gateway/gateway.fixture.ts';
import { LABS_MAX } from '../protocol/limits.ts';
import { type HttpHarness, startHttp } from './http.fixture.ts';

let http: HttpHarness;

beforeEach(async () => {
  http = await startHttp();
});

afterEach(async () => {
  await http.close();
});

test('a lab from a scenario has its memory mapped and its setup done', async () => {
  const { status, body } = await http.post('/api/labs', {
    name: 'room',
    scenario: 'seed-zero-page',
    patch: 'remove-second-invalidate',
    parameters: { devices: 3 },
  });
  assert.equal(status, 201);
  const { lab, presenterToken } = body;
  assert.equal(lab.patch, 'remove-second-invalidate');
  assert.equal(lab.scenario, 'seed-zero-page');
  assert.ok(presenterToken.length > 16);
  const seats: { name: string; program: string[] }[] = lab.seats;
  const names = seats.map(({ name }) => name);
  assert.deepEqual(names, ['cpu0', 'migrator0', 'reader0', 'reader1']);
  assert.deepEqual(seats[1]?.program, ['migrate a']);
  assert.deepEqual(seats[2]?.program, seats[3]?.program);
  const opened = http.gateway.labs.get('room');
  assert.ok(opened !== 'none');
  const { vmas, ptes } = opened.snapshot();
  assert.deepEqual(vmas, [{ mm: 0, first: 0x100200, end: 0x100201, prot: 'rw' }]);
  assert.deepEqual(ptes, [{ mm: 0, page: 0x100200, entry: { state: 'zero' } }]);
});

test('what a device has to do of a setup is left, and what comes behind it', async () => {
  const { body } = await http.post('/api/labs', { scenario: 'device-fault-livelock' });
  assert.deepEqual(body.lab.todo, ['dev0: migrate a']);
  assert.match(body.lab.name, /^device-fault-livelock-\d{3}$/);
});

test('a join code finds the lab in upper and lower case, over HTTP and in the hello', async () => {
  const { body } = await http.post('/api/labs', { name: 'room' });
  const { code } = body.lab;
  for (const text of [code, code.toLowerCase()]) {
    assert.equal((await http.get(`/api/join/${text}`)).body.lab.name, 'room');
  }
  const client = await joined(http.gateway, 'device', 'nobody');
  client.socket.close();
  const { RawClient } = await import('../gateway/gateway.fixture.ts');
  const phone = await new RawClient(http.gateway.url).opened();
  const hello = await phone.hello('device', 'phone', { lab: code.toLowerCase() });
  assert.equal(hello.result.lab, 'room');
  assert.equal((await http.get('/api/labs/room')).body.actors[0].name, 'phone');
  const wrong = await new RawClient(http.gateway.url).opened();
  const refused = await wrong.hello('device', 'phone', {
    lab: code === 'BCDFG' ? 'BCDFH' : 'BCDFG',
  });
  assert.equal(refused.error?.data.code, 'no-such-lab');
  assert.equal(http.gateway.labs.get('BCDFG'), 'none');
});

test('what does not exist is named, with what to do', async () => {
  const cases = [
    [await http.get('/api/join/ZZZZZ'), 404, 'no-such-code', 'code: ZZZZZ'],
    [await http.get('/api/labs/nowhere'), 404, 'no-such-lab', 'lab: nowhere'],
    [await http.post('/api/labs', { scenario: 'x' }), 404, 'no-such-scenario', 'body.scenario: x'],
    [await http.post('/api/labs', { patch: 'x' }), 404, 'no-such-patch', 'body.patch: x'],
    [await http.get('/api/nothing'), 404, 'not-found', 'path: /api/nothing'],
  ] as const;
  for (const [{ status, body }, expected, code, what] of cases) {
    assert.equal(status, expected);
    assert.equal(body.error.code, code);
    assert.equal(body.error.what, what);
    assert.ok(body.error.remedy.length > 10 && body.error.message.length > 10);
  }
});

test('a body that does not fit is refused by path and bound, and opens nothing', async () => {
  const name = await http.post('/api/labs', { name: '../etc' });
  assert.equal(name.status, 400);
  assert.match(name.body.error.what, /^body\.name: expected a name of 1 to 64/);
  const stranger = await http.post('/api/labs', { file: './mine.ts' });
  assert.match(stranger.body.error.what, /^body\.file: expected no field of this name/);
  const cows = { scenario: 'seed-zero-page', parameters: { cows: 3 } };
  assert.match((await http.post('/api/labs', cows)).body.error.what, /has no parameter "cows"/);
  const code = await http.post('/api/labs', { name: 'bcdfg' });
  assert.match(code.body.error.what, /join code/);
  assert.deepEqual((await http.get('/api/labs')).body, { labs: [], elsewhere: [] });
});

test('a name is given once; the labs of a server are bounded', async () => {
  assert.equal((await http.post('/api/labs', { name: 'room' })).status, 201);
  const again = await http.post('/api/labs', { name: 'room' });
  assert.equal(again.status, 409);
  assert.equal(again.body.error.code, 'lab-exists');
  for (let at = 1; at < LABS_MAX; at += 1) {
    http.gateway.labs.open(`lab${at}`, { patch: 'stock' }, 'passing');
  }
  const oneMore = await http.post('/api/labs', {});
  assert.deepEqual([oneMore.status, oneMore.body.error.what], [429, 'LABS_MAX']);
  assert.equal(oneMore.headers['retry-after'], '2');
  assert.equal((await http.get('/api/labs')).body.labs.length, LABS_MAX);
});

test('only its presenter deletes a lab, and its clients are told', async () => {
  const { body } = await http.post('/api/labs', { name: 'test' });
  const client = await joined(http.gateway, 'cpu', 'cpu0');
  const watcher = await joined(http.gateway, 'observer', 'watcher');
  const url = '/api/labs/test';
  const remove = (token: string) =>
    http.app.inject({ method: 'DELETE', url, headers: { authorization: `Bearer ${token}` } });
  assert.equal((await remove('')).statusCode, 403);
  assert.equal((await remove(`${body.presenterToken}x`)).statusCode, 403);
  assert.equal((await http.get(url)).status, 200);
  assert.equal((await remove(body.presenterToken)).statusCode, 200);
  assert.equal((await client.closed).reason, 'lab-closed');
  assert.equal((await watcher.closed).reason, 'lab-closed');
  assert.equal((await http.get(url)).status, 404);
});

test('an actor cannot take the seat of another kind', async () => {
  await http.post('/api/labs', { name: 'test', scenario: 'seed-zero-page' });
  await assert.rejects(joined(http.gateway, 'device', 'cpu0'), /not the cpu's/);
  await joined(http.gateway, 'cpu', 'cpu0');
});

test('a server that is going opens no lab', async () => {
  http.readiness.state = 'going';
  const { status, body } = await http.post('/api/labs', {});
  assert.equal(status, 503);
  assert.equal(body.error.code, 'going');
});
