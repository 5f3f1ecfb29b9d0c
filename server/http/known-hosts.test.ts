import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upgradeRefusal } from './app.ts';
import { startHttp } from './http.fixture.ts';
import { isKnownHost } from './known-hosts.ts';

test('localhost, every IP address and the names that were given are known, and no other', () => {
  const known = [
    'localhost',
    'LOCALHOST:7070',
    'localhost.:7070',
    '127.0.0.1:7070',
    '192.168.0.7',
    '[::1]:7070',
    '[fe80::1]',
    'race.example:80',
    'Race.Example',
  ];
  for (const host of known) assert.ok(isKnownHost(host, ['race.example']), host);
  const unknown = [
    'evil.example:7070',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '',
    'a:b',
  ];
  for (const host of unknown) assert.ok(!isKnownHost(host, ['race.example']), host);
  assert.ok(!isKnownHost(undefined, ['race.example']));
});

test('a page whose name was given the address of the server reaches nothing of it', async () => {
  const http = await startHttp();
  const host = 'evil.example:7070';
  // To the browser it is one origin: Origin and Host agree.
  const headers = { host, origin: `http://${host}` };
  for (const path of ['/api/labs', '/', '/metrics', '/docs', '/nowhere']) {
    const { status, body } = await http.get(path, headers);
    assert.equal(status, 421, path);
    assert.equal(body.error.code, 'wrong-host');
  }
  assert.equal((await http.post('/api/labs', { name: 'theirs' }, headers)).status, 421);
  assert.equal((await http.get('/api/labs/theirs')).status, 404);
  assert.equal(upgradeRefusal({ url: '/ws', headers }, []), '421 Misdirected Request');
  assert.equal((await http.get('/api/labs', { host: 'lab.example' })).status, 200);
  await http.close();
});
