/** Bounds on what one address, or too much work, may cost: each answers with its name, and is counted under it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { RawClient } from '../gateway/gateway.fixture.ts';
import { EVENT_LOOP_DELAY_MS_MAX } from '../protocol/http-api.ts';
import {
  CONNECTIONS_PER_ADDRESS_MAX,
  HELLO_BYTES_MAX,
  LABS_PER_ADDRESS_MAX,
} from '../protocol/limits.ts';
import { startHttp } from './http.fixture.ts';
import { keepsUp } from './load.ts';

const A_DAY_MS = 24 * 60 * 60 * 1_000;

test('a process that stood still once keeps up; one that is late again and again does not', async () => {
  const LATE = EVENT_LOOP_DELAY_MS_MAX + 1;
  const delays = [Number.NaN, LATE, 1, LATE, LATE, LATE, 1];
  const looks = keepsUp(() => delays.shift() ?? 0);
  const seen: boolean[] = [];
  while (delays.length > 0) seen.push(await looks());
  assert.deepEqual(seen, [true, true, true, true, false, false, true]);
});

test('more requests of one address than a window has are refused, but for what a supervisor asks', async () => {
  const http = await startHttp({ rate: { max: 3, windowMs: A_DAY_MS } });
  for (let at = 0; at < 3; at += 1) assert.equal((await http.get('/api/labs')).status, 200);
  for (const path of ['/api/labs', '/docs', '/nowhere']) {
    const { status, body, headers } = await http.get(path);
    assert.deepEqual([status, body.error.code], [429, 'too-many-requests'], path);
    assert.equal(body.error.what, 'HTTP_REQUESTS_MAX');
    assert.ok(Number(headers['retry-after']) > 0);
  }
  assert.equal((await http.get('/healthz')).status, 200);
  const { text } = await http.get('/metrics');
  assert.match(text, /^mmrace_limits_total\{limit="HTTP_REQUESTS_MAX"\} 3$/m);
  assert.match(text, /^mmrace_limit\{limit="LABS_PER_ADDRESS_MAX"\} 16$/m);
  await http.close();
});

test('one address opens so many labs, by hello or request, and others open theirs', async () => {
  const http = await startHttp();
  const { labs, url } = http.gateway;
  for (let at = 0; at < LABS_PER_ADDRESS_MAX; at += 1) {
    assert.equal((await http.post('/api/labs', {})).status, 201);
  }
  const { status, body } = await http.post('/api/labs', {});
  assert.deepEqual([status, body.error.what], [429, 'LABS_PER_ADDRESS_MAX']);
  const client = await new RawClient(url).opened();
  const { error } = await client.hello('cpu', 'cpu0', { lab: 'mine' });
  assert.equal(error?.data.code, 'too-many-labs');
  assert.match(error?.data.bound ?? '', /LABS_PER_ADDRESS_MAX/);
  // It may join those that are open, and one that ends makes room.
  const [lab] = labs.all();
  assert.ok(lab !== undefined);
  labs.remove(lab);
  assert.equal((await client.hello('cpu', 'cpu0', { lab: 'mine' })).error, undefined);
  const elsewhere = labs.open('theirs', { patch: 'stock' }, 'passing', undefined, '192.0.2.7');
  assert.notEqual(elsewhere, 'too-many');
  await http.close();
});

test('a connection that is one too many is told which limit it meets', async () => {
  const http = await startHttp();
  await http.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.app.server.address() as AddressInfo;
  const { gateway } = http.gateway;
  gateway.fullFor = () => 'CONNECTIONS_PER_ADDRESS_MAX';
  const client = new RawClient(`ws://127.0.0.1:${port}/ws`);
  const [, response] = await once(client.socket, 'unexpected-response');
  let text = '';
  for await (const chunk of response) text += chunk;
  assert.deepEqual([response.statusCode, text], [429, 'CONNECTIONS_PER_ADDRESS_MAX\n']);
  assert.equal(gateway.counts.limits.get('CONNECTIONS_PER_ADDRESS_MAX'), 1);
  await http.close();
});

test('connections are counted by address, and a closed one makes room', async () => {
  const http = await startHttp();
  const { gateway, url } = http.gateway;
  assert.equal(gateway.fullFor('127.0.0.1'), 'none');
  const clients = await Promise.all(Array.from({ length: 3 }, () => new RawClient(url).opened()));
  assert.equal(gateway.connectionsOf('127.0.0.1'), 3);
  clients[0]?.socket.terminate();
  while (gateway.connections === 3) await new Promise(setImmediate);
  assert.equal(gateway.connectionsOf('127.0.0.1'), 2);
  assert.ok(CONNECTIONS_PER_ADDRESS_MAX > 3);
  await http.close();
});

test('a connection that has not said hello may not send much', async () => {
  const http = await startHttp();
  await http.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    [
      'GET /ws HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: mmrace.v1',
      '\r\n',
    ].join('\r\n'),
  );
  await once(socket, 'data');
  // A text frame of 4 MiB that never ends, masked with zeros.
  const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0]);
  socket.write(Buffer.concat([header, Buffer.alloc(HELLO_BYTES_MAX + 1)]));
  await once(socket, 'close');
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  await http.close();
});
