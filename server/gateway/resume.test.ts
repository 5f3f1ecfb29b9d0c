/** Connections are lost, sessions are not: what a resume must keep, and what it must refuse. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { RANGE_PAGES_MAX } from '../abi/limits.ts';
import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import {
  type Harness,
  joined,
  RawClient,
  type ReceivedFrame,
  SHORT_GRACE_MS,
  SHORT_LEASE_MS,
  startHarness,
} from './gateway.fixture.ts';

const CLOSE_OPCODE = 8;

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(async () => {
  await harness.close();
});

interface Held {
  readonly resumeToken: string;
  readonly epoch: number;
}

async function held(name: string): Promise<{ client: RawClient; hello: Held }> {
  const client = await new RawClient(harness.url).opened();
  const { result } = await client.hello('device', name);
  return { client, hello: result };
}

/** Breaks the connection without a close frame, and waits until the server has noticed. */
async function broken(client: RawClient): Promise<void> {
  const before = harness.gateway.connections;
  client.socket.terminate();
  while (harness.gateway.connections === before) await new Promise(setImmediate);
}

async function resumed(
  name: string,
  hello: Held,
  since: number,
): Promise<{ client: RawClient; answer: ReceivedFrame }> {
  const client = await new RawClient(harness.url).opened();
  const resume = { token: hello.resumeToken, epoch: hello.epoch, since };
  const params = { protocol: SUBPROTOCOL, lab: 'test', role: 'device', name, resume };
  client.sendRaw({ jsonrpc: '2.0', seq: 1, id: 0, method: 'hello', params });
  return { client, answer: await client.next() };
}

test('a resumed session has a new epoch and token, and the machine has not noticed', async () => {
  const { client, hello } = await held('a');
  await broken(client);
  const { answer } = await resumed('a', hello, 1);
  assert.equal(answer.result.session, 'resumed');
  assert.equal(answer.result.epoch, hello.epoch + 1);
  assert.notEqual(answer.result.resumeToken, hello.resumeToken);
  assert.equal(answer.result.state, 'attached');
  assert.equal(answer.result.received, 1);
  assert.deepEqual(
    harness.machine().accepted.map(({ kind }) => kind),
    ['attach'],
  );
});

test('what the client missed is sent again, in order and without gaps', async () => {
  const { client, hello } = await held('a');
  await broken(client);
  harness.machine().tell('a', 'page_free', { pfn: 1 });
  harness.machine().ask('a', 3, 'release', {});
  harness.machine().tell('a', 'page_free', { pfn: 2 });
  const { client: again } = await resumed('a', hello, 1);
  const missed = [await again.next(), await again.next(), await again.next()];
  assert.deepEqual(
    missed.map(({ seq, method }) => [seq, method]),
    [
      [2, 'page_free'],
      [3, 'release'],
      [4, 'page_free'],
    ],
  );
});

test('the server says which frame of the client arrived last', async () => {
  const { client, hello } = await held('a');
  await client.ask(1, 'mmap_read_lock');
  await client.ask(2, 'mmap_read_unlock');
  await broken(client);
  const { client: again, answer } = await resumed('a', hello, 3);
  assert.equal(answer.result.received, 3);
  again.sent = 3;
  assert.equal((await again.ask(4, 'mmap_read_lock')).seq, 4);
});

test('a wrong token, epoch or role changes nothing', async () => {
  const { client, hello } = await held('a');
  const wrong: readonly Held[] = [
    { ...hello, resumeToken: 'guess' },
    { ...hello, resumeToken: `${hello.resumeToken}x` },
    { ...hello, epoch: hello.epoch + 1 },
  ];
  for (const guess of wrong) {
    const { answer } = await resumed('a', guess, 1);
    assert.equal(answer.error?.data.code, 'bad-resume');
    assert.equal(answer.error?.data.errno, 'EPERM');
  }
  const { answer } = await resumed('b', hello, 1);
  assert.equal(answer.error?.data.code, 'bad-resume');
  // The connection that holds the session is served as before.
  assert.deepEqual((await client.ask(1, 'mmap_read_lock')).result, {});
});

test('a resume supersedes the old connection, whose frames count for nothing', async () => {
  const { client, hello } = await held('a');
  const { client: again } = await resumed('a', hello, 1);
  client.send({ id: 1, method: 'alloc_pages', params: { count: 1 } });
  assert.deepEqual(await client.closed, {
    code: CLOSE_CODES.superseded.code,
    reason: 'superseded',
  });
  again.sent = 1;
  assert.deepEqual((await again.ask(1, 'mmap_read_lock')).result, {});
  const methods = harness
    .machine()
    .accepted.map((inbound) => (inbound.kind === 'request' ? inbound.method : inbound.kind));
  assert.deepEqual(methods, ['attach', 'mmap_read_lock']);
});

test('an answer to a resume that is lost does not cost the session', async () => {
  const { client, hello } = await held('a');
  await broken(client);
  const { client: unlucky, answer: unseen } = await resumed('a', hello, 1);
  await broken(unlucky);
  const { client: again, answer } = await resumed('a', hello, 1);
  assert.equal(answer.result.session, 'resumed');
  again.sent = 1;
  await again.ask(1, 'mmap_read_lock');
  await broken(again);
  // Once the client has shown that it knows the new token, the old ones are dead.
  const { answer: late } = await resumed('a', unseen.result, 2);
  assert.equal(late.error?.data.code, 'bad-resume');
  assert.equal((await resumed('a', answer.result, 2)).answer.result.session, 'resumed');
});

test('a client that has nothing to say comes back as often as it is cut off', async () => {
  const { client, hello } = await held('a');
  await broken(client);
  let last = hello;
  for (let cut = 0; cut < 20; cut += 1) {
    const { client: unlucky } = await resumed('a', last, 1);
    await broken(unlucky);
    const { client: again, answer } = await resumed('a', last, 1);
    assert.equal(answer.result?.session, 'resumed', `after ${cut} cuts`);
    last = answer.result;
    await broken(again);
  }
  // It has shown since that it knows newer ones.
  const { answer: late } = await resumed('a', hello, 1);
  assert.equal(late.error?.data.code, 'bad-resume');
});

test('a client that asks for frames that are no longer kept begins afresh', async () => {
  const { client, hello } = await held('a');
  client.send({ method: 'ack', params: { seq: 1 } });
  await client.ask(1, 'mmap_read_lock');
  await broken(client);
  const { answer } = await resumed('a', hello, 0);
  assert.equal(answer.error?.data.code, 'resume-too-old');
  assert.equal(answer.error?.data.bound, 'a whole number from 1 to 2');
  const fresh = await joined(harness, 'device', 'a');
  assert.deepEqual((await fresh.ask(1, 'mmap_read_lock')).result, {});
});

test('the grace ends: the machine is told, and the name is free again', async () => {
  const { client, hello } = await held('a');
  await broken(client);
  harness.pass(SHORT_GRACE_MS - 1);
  assert.equal(harness.machine().accepted.at(-1)?.kind, 'attach');
  harness.pass(1);
  assert.deepEqual(harness.machine().accepted.at(-1), { kind: 'detach', actor: 'a' });
  assert.equal((await resumed('a', hello, 1)).answer.error?.data.code, 'bad-resume');
  await joined(harness, 'device', 'a');
});

test('a client that closes as one that does not come back is gone at once', async () => {
  const { client } = await held('a');
  client.socket.close(1000);
  await client.closed;
  assert.deepEqual(harness.machine().accepted.at(-1), { kind: 'detach', actor: 'a' });
});

test('nothing follows the close frame, though answers were on their way', async () => {
  const { client } = await held('a');
  const { socket } = client;
  const { _socket: raw } = socket as unknown as { readonly _socket: Socket };
  const received: Buffer[] = [];
  raw.on('data', (data: Buffer) => received.push(data));
  // One packet: the server answers a turn later than it reads the close.
  raw.cork();
  for (let id = 1; id <= 20; id += 1) client.send({ id, method: 'ping', params: {} });
  socket.close(4900);
  raw.uncork();
  await client.closed;
  const bytes = Buffer.concat(received);
  const opcodes: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    opcodes.push((bytes[at] ?? 0) & 0x0f);
    at += short === 126 ? 4 + bytes.readUInt16BE(at + 2) : 2 + short;
  }
  assert.equal(opcodes.indexOf(CLOSE_OPCODE), opcodes.length - 1, `${opcodes}`);
});

test('a device that is away is fenced when its lease ends, and comes back knowing it', async () => {
  const { client, hello } = await held('a');
  await broken(client);
  harness.machine().ask('a', 3, 'invalidate', {});
  harness.pass(SHORT_LEASE_MS);
  assert.deepEqual(harness.machine().accepted.at(-1), { kind: 'fence', actor: 'a' });
  const { answer } = await resumed('a', hello, 1);
  assert.equal(answer.result.state, 'fenced');
  assert.deepEqual(harness.machine().accepted.at(-1), {
    kind: 'attach',
    actor: 'a',
    role: 'device',
  });
});

test('a client that does not answer pings is disconnected and can resume', async () => {
  const { client, hello } = await held('a');
  client.stopReading();
  for (let beat = 0; beat < 3; beat += 1) harness.pass(10_000);
  client.readOn();
  assert.equal((await client.closed).code, CLOSE_CODES['heartbeat-lost'].code);
  assert.equal((await resumed('a', hello, 1)).answer.result.session, 'resumed');
});

test('a connection that is lost with the largest legal answers in flight is resumed, and brings them', async () => {
  const { client, hello } = await held('big');
  harness.machine().pages = Array.from({ length: RANGE_PAGES_MAX }, () =>
    new Uint8Array(4_096).fill(7),
  );
  client.stopReading();
  const targets = Array.from({ length: RANGE_PAGES_MAX }, (_, page) => ({ page, pfn: 1 }));
  for (const id of [1, 2]) client.send({ id, method: 'dma_read', params: { targets } });
  while (harness.machine().accepted.filter(({ kind }) => kind === 'request').length < 2) {
    await new Promise(setImmediate);
  }
  await broken(client);
  const { client: again, answer } = await resumed('big', hello, 1);
  assert.equal(answer.result?.session, 'resumed');
  for (const id of [1, 2]) {
    const frame = await again.next();
    assert.deepEqual([frame.id, frame.pages.length], [id, RANGE_PAGES_MAX]);
  }
});
