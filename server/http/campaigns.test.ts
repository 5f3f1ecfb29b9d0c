/** What a server tells of campaigns: of its Redis, if it has one, and to those who may know. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CampaignAnswer, CampaignEntry } from '../protocol/http-api.ts';
import type { CampaignShelf } from './campaigns.ts';
import { type HttpHarness, startHttp } from './http.fixture.ts';

const ENTRY: CampaignEntry = {
  id: 'c1',
  state: 'running',
  model: 'abc',
  code: 'none',
  by: 'me@here',
  began: '2026-01-01T00:00:00.000Z',
  units: 3,
  left: 1,
  reused: 0,
  skipped: 0,
  aside: 0,
};
const ANSWER: CampaignAnswer = {
  campaign: ENTRY,
  workers: [],
  paused: '',
  rate: 1.5,
  secondsLeft: null,
  aside: [],
  questions: [],
};
const SHELF: CampaignShelf = {
  list: async () => ({ campaigns: [ENTRY], workers: [] }),
  one: async (id) => (id === 'c1' ? ANSWER : 'unknown'),
};

const open: HttpHarness[] = [];
after(() => Promise.all(open.map((one) => one.close())));

async function started(options: Parameters<typeof startHttp>[0]): Promise<HttpHarness> {
  const http = await startHttp(options);
  open.push(http);
  return http;
}

test('campaigns are listed and shown, and one that is not there is not found', async () => {
  const http = await started({ campaigns: SHELF });
  const list = await http.get('/api/campaigns');
  assert.deepEqual(list.body, { redis: 'there', campaigns: [ENTRY], workers: [] });
  assert.deepEqual((await http.get('/api/campaigns/c1')).body, ANSWER);
  const other = await http.get('/api/campaigns/c2');
  assert.deepEqual([other.status, other.body.error.code], [404, 'unknown-campaign']);
});

test('a server without Redis says so', async () => {
  const http = await started({});
  const list = await http.get('/api/campaigns');
  assert.deepEqual(list.body, { redis: 'none', campaigns: [], workers: [] });
  assert.equal((await http.get('/api/campaigns/c1')).status, 404);
});

test('a Redis that is away is said, and not an error of the server', async () => {
  const away = () => Promise.reject(new Error('it does not answer'));
  const http = await started({ campaigns: { list: away, one: away } });
  for (const path of ['/api/campaigns', '/api/campaigns/c1']) {
    const { status, body } = await http.get(path);
    assert.deepEqual([status, body.error.what], [503, 'it does not answer']);
  }
});

test('where there is a token, campaigns are for those who have it', async () => {
  const http = await started({ campaigns: SHELF, token: 'secret' });
  assert.equal((await http.get('/api/campaigns')).status, 401);
  const shown = await http.get('/api/campaigns/c1', { authorization: 'Bearer secret' });
  assert.equal(shown.status, 200);
});
