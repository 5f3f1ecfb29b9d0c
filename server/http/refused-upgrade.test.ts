/** A socket that a client resets is that client's loss alone: an error that no listener hears ends a process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { type HttpHarness, startHttp } from './http.fixture.ts';

let http: HttpHarness;
let port: number;
const unheard: unknown[] = [];
const onUnheard = (error: unknown) => unheard.push(error);

beforeEach(async () => {
  process.on('uncaughtException', onUnheard);
  http = await startHttp();
  await http.app.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = http.app.server.address() as AddressInfo);
});

afterEach(async () => {
  await http.close();
  process.off('uncaughtException', onUnheard);
});

function upgrade(path: string, origin: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Origin: ${origin}`,
    '\r\n',
  ].join('\r\n');
}

/** Asks for an upgrade, and resets the connection as soon as the server has it. */
async function askAndReset(path: string, origin: string): Promise<void> {
  const arrived = once(http.app.server, 'upgrade');
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(upgrade(path, origin));
  // In the turn in which the server answers: its answer meets a connection that is no more.
  http.app.server.prependOnceListener('upgrade', () => socket.resetAndDestroy());
  await arrived;
  await once(socket, 'close');
}

for (const [what, path, origin] of [
  ['another path', '/nope', 'http://127.0.0.1'],
  ['a page of another origin', '/ws', 'http://elsewhere.example'],
  ['the right path', '/ws', ''],
] as const) {
  test(`a client that asks for ${what} and resets its connection ends nothing else`, async () => {
    for (let times = 0; times < 20; times += 1) await askAndReset(path, origin);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.deepEqual(unheard.splice(0), []);
  });
}
