import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../gateway/gateway.fixture.ts';
import { startHttp } from './http.fixture.ts';

const TOKEN = 'a-token-of-this-server';
const OWNER = { authorization: `Bearer ${TOKEN}` };

test('with a token, strangers open, start, list and control nothing; a code is enough to take part', async () => {
  const http = await startHttp({ token: TOKEN });
  const { status, body } = await http.post('/api/labs', { name: 'room' }, OWNER);
  assert.equal(status, 201);
  const { code: joinCode } = body.lab;
  const presenter = { authorization: `Bearer ${body.presenterToken}` };
  const pause = { action: 'pause' };
  for (const headers of [{}, { authorization: `Bearer ${TOKEN}x` }]) {
    const refused = [
      await http.post('/api/labs', { name: 'theirs' }, headers),
      await http.post('/api/runs', { scenario: 'seed-zero-page' }, headers),
      await http.post(`/api/labs/${joinCode}/runs`, { after: 1 }, headers),
      await http.post('/api/recordings/read', { text: '' }, headers),
      await http.get('/api/labs', headers),
      await http.get('/api/labs/room', headers),
      await http.post('/api/labs/room/control', pause, headers),
      await http.post(`/api/labs/${joinCode}/control`, pause, headers),
    ];
    for (const answer of refused) {
      assert.deepEqual([answer.status, answer.body.error.code], [401, 'token-needed']);
    }
  }
  assert.equal((await http.get(`/api/join/${joinCode}`)).status, 200);
  assert.equal((await http.get(`/api/labs/${joinCode}`)).status, 200);
  assert.equal((await http.get('/healthz')).status, 200);
  assert.equal((await http.post('/api/labs/room/control', pause, presenter)).status, 200);
  assert.equal((await http.get('/api/labs', OWNER)).body.labs.length, 1);
  await http.close();
});

test('with a token, a hello needs the code of the lab', async () => {
  const http = await startHttp({ token: TOKEN });
  const { body } = await http.post('/api/labs', { name: 'room' }, OWNER);
  const client = await new RawClient(http.gateway.url).opened();
  for (const lab of ['room', 'another']) {
    const { error } = await client.hello('cpu', 'cpu0', { lab });
    assert.equal(error?.data.code, 'no-such-lab', lab);
  }
  const { error } = await client.hello('cpu', 'cpu0', { lab: body.lab.code });
  assert.equal(error, undefined);
  await http.close();
});
