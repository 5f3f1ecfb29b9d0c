import assert from 'node:assert/strict';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { joined } from '../gateway/gateway.fixture.ts';
import { SSE_LISTENERS_MAX } from '../protocol/http-api.ts';
import { type HttpHarness, startHttp } from './http.fixture.ts';

let http: HttpHarness;
let port: number;
const requests: ClientRequest[] = [];

beforeEach(async () => {
  http = await startHttp();
  await http.app.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = http.app.server.address() as AddressInfo);
  await http.post('/api/labs', { name: 'test', scenario: 'seed-zero-page' });
});

afterEach(async () => {
  for (const request of requests.splice(0)) request.destroy();
  await http.close();
});

interface Message {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape.
  readonly data: any;
}

function open(
  query = '',
  headers: { readonly [name: string]: string } = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const path = `/api/labs/test/events${query}`;
    const request = get({ host: '127.0.0.1', port, path, headers, agent: false }, resolve);
    request.on('error', reject);
    requests.push(request);
  });
}

/** Messages of a stream, one by one. */
async function* messagesOf(stream: IncomingMessage): AsyncGenerator<Message> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line): [string, string] => {
            const [name = '', ...rest] = line.split(': ');
            return [name, rest.join(': ')];
          }),
      );
      text = text.slice(end + 2);
      const event = fields.get('event');
      if (event === undefined) continue;
      yield { event, id: fields.get('id') ?? '', data: JSON.parse(fields.get('data') ?? '') };
    }
  }
}

async function next(messages: AsyncGenerator<Message>): Promise<Message> {
  const { value, done } = await messages.next();
  assert.ok(done !== true, 'the stream has ended');
  return value;
}

test('a stream begins with the state, and goes on with what happens', async () => {
  const stream = await open();
  assert.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8');
  const messages = messagesOf(stream);
  const { event, id, data } = await next(messages);
  assert.equal(event, 'snapshot');
  assert.equal(data.ptes[0].entry.state, 'zero');
  assert.equal(id, String(data.n));
  const cpu = await joined(http.gateway, 'cpu', 'cpu7');
  const told = await next(messages);
  assert.equal(told.event, 'events');
  assert.equal(told.data.events[0].n, data.n + 1);
  assert.equal(told.data.events[0].kind, 'attach');
  cpu.socket.close();
});

test('a reader that comes back gets what it lacks, by the query or by Last-Event-ID', async () => {
  for (const [query, headers] of [
    ['?since=2', {}],
    ['', { 'last-event-id': '2' }],
  ] as const) {
    const { event, data } = await next(messagesOf(await open(query, headers)));
    assert.equal(event, 'events');
    assert.equal(data.events[0].n, 3);
  }
  // From the time of another machine: nobody knows what lies between.
  const { event } = await next(messagesOf(await open('?since=99999')));
  assert.equal(event, 'snapshot');
  assert.equal((await open('?since=x')).statusCode, 400);
});

test('the reader of a lab is told what its presenter does, and when the lab ends', async () => {
  const messages = messagesOf(await open());
  await next(messages);
  await http.post('/api/labs/test/control', { action: 'pause' });
  const control = await next(messages);
  assert.deepEqual([control.event, control.data.paused], ['control', true]);
  const lab = http.gateway.labs.get('test');
  assert.ok(lab !== 'none');
  http.gateway.labs.remove(lab);
  assert.equal((await next(messages)).event, 'end');
  assert.equal((await messages.next()).done, true);
});

test('a reader that does not read misses events, costs a bounded memory, and gets a snapshot', async () => {
  const stream = await open();
  const messages = messagesOf(stream);
  const { data } = await next(messages);
  const lab = http.gateway.labs.get('test');
  assert.ok(lab !== 'none');
  const long = 'x'.repeat(64 * 1024);
  const flood = 400;
  for (let at = 1; at <= flood; at += 1) {
    lab.feed.push({ n: data.n + at, actor: 'a', task: 't', kind: 'note', text: long });
    lab.feed.flush();
  }
  // Nothing of all that may have been kept for it beyond the bound: the rest was never written.
  const events: Message[] = [];
  let last = await next(messages);
  while (last.event === 'events') {
    events.push(last);
    lab.feed.flush();
    last = await next(messages);
  }
  assert.equal(last.event, 'snapshot');
  assert.ok(events.length < flood / 2, `${events.length} of ${flood} were written`);
  assert.equal(last.data.n, data.n + flood);
});

test('the streams of a server are bounded, and one that ends makes room', async () => {
  const streams: IncomingMessage[] = [];
  for (let at = 0; at < SSE_LISTENERS_MAX; at += 1) streams.push(await open());
  const refused = await open();
  assert.equal(refused.statusCode, 429);
  refused.resume();
  const lab = http.gateway.labs.get('test');
  assert.ok(lab !== 'none');
  assert.equal(lab.feed.observers, SSE_LISTENERS_MAX);
  streams[0]?.destroy();
  while (lab.feed.observers === SSE_LISTENERS_MAX) await new Promise(setImmediate);
  assert.equal((await open()).statusCode, 200);
});
