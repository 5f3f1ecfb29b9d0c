/** A server that cannot keep up puts requests off, over a real connection; a command waits and comes again. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startHttp } from '../../server/http/http.fixture.ts';
import { EVENT_LOOP_DELAY_MS_MAX } from '../../server/protocol/http-api.ts';
import { labOnServer } from './reach-server.ts';

test('a busy server answers 503 and when to come again; a client does, and is let in', async () => {
  const load = { delayMs: EVENT_LOOP_DELAY_MS_MAX + 1 };
  const http = await startHttp({ pressure: { delayMs: () => load.delayMs, lookMs: 5 } });
  await http.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.app.server.address() as AddressInfo;
  http.gateway.labs.open('demo', { patch: 'stock' }, 'passing');
  while (!http.app.isUnderPressure()) await new Promise(setImmediate);
  const { labs, limits } = { labs: http.gateway.labs, limits: http.gateway.gateway.counts.limits };
  const url = `http://127.0.0.1:${port}`;

  const refused = await fetch(`${url}/api/labs`);
  const retryAfter = Number(refused.headers.get('retry-after'));
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /"code":"under-pressure"/);
  assert.ok(retryAfter >= 1, 'in whole seconds');
  const opened = await fetch(`${url}/api/labs`, { method: 'POST' });
  assert.deepEqual([opened.status, labs.all().length], [503, 1]);
  assert.equal((await fetch(`${url}/healthz`)).status, 200, 'a supervisor is told even then');

  const putOff = limits.get('EVENT_LOOP_DELAY_MS_MAX') ?? 0;
  const found = labOnServer({
    url: `ws://127.0.0.1:${port}/ws`,
    lab: 'demo',
    said: 'name-or-code',
    unknown: 'refused',
  });
  while (limits.get('EVENT_LOOP_DELAY_MS_MAX') === putOff) await new Promise(setImmediate);
  load.delayMs = 0;
  assert.equal((await found).name, 'demo');
  await http.close();
});
