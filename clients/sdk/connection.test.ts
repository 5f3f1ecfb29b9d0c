import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { pageOfU64 } from '../../server/vocabulary/page-contents.ts';
import { ACK_FRAMES, Connection, type Notification, type ReceivedQuestion } from './connection.ts';
import { HandServer } from './hand-moved-server.fixture.ts';

const A_DAY_MS = 24 * 60 * 60 * 1_000;

function connected() {
  const server = new HandServer();
  const asked: ReceivedQuestion[] = [];
  const told: Notification[] = [];
  const complaints: string[] = [];
  const connection = new Connection(
    { url: 'ws://test/ws', lab: 'test', role: 'device', name: 'dev0', socket: server.socket },
    {
      asked: (question) => asked.push(question),
      notified: (notification) => told.push(notification),
      settled: () => undefined,
      complained: ({ message }) => complaints.push(message),
    },
  );
  return { server, connection, asked, told, complaints };
}

test('the hello is the first frame; what was asked before it comes behind it', async () => {
  const { server, connection } = connected();
  const early = connection.call('find_vma', { page: 1 });
  const hello = server.greet();
  assert.equal(hello.seq, 1);
  assert.deepEqual(hello.params, {
    protocol: 'mmrace.v1',
    lab: 'test',
    role: 'device',
    name: 'dev0',
  });
  const request = server.frame();
  assert.deepEqual([request.seq, request.method], [2, 'find_vma']);
  server.answer(request, { found: true });
  assert.deepEqual(await early, { ok: true, result: { found: true }, pages: [] });
  assert.equal((await connection.greeted).resumeToken, 'secret');
});

test('answers find their requests in any order, pages with them', async () => {
  const { server, connection } = connected();
  server.greet();
  const one = connection.call('dma_read', { targets: [1] });
  const two = connection.call('alloc_pages', { count: 1 });
  const [first, second] = server.frames();
  assert.ok(first !== undefined && second !== undefined);
  server.answer(second, 'two');
  server.answer(first, 'one', [pageOfU64(7n)]);
  assert.deepEqual(await two, { ok: true, result: 'two', pages: [] });
  assert.deepEqual(await one, { ok: true, result: 'one', pages: [pageOfU64(7n)] });
});

test('a refusal is a value with errno, code, path and remedy', async () => {
  const { server, connection } = connected();
  server.greet();
  const call = connection.call('migrate_vma_setup', {});
  const data = {
    errno: 'EINVAL',
    code: 'bad-params',
    path: 'params.range',
    bound: 'a range',
    remedy: 'Correct it.',
    definite: true,
  };
  const error = { code: -32602, message: 'params.range: expected a range', data };
  server.send({ id: server.frame().id, error });
  assert.deepEqual(await call, {
    ok: false,
    refusal: {
      errno: 'EINVAL',
      code: 'bad-params',
      path: 'params.range',
      bound: 'a range',
      remedy: 'Correct it.',
      certainty: 'definite',
      message: 'params.range: expected a range',
    },
  });
});

test('pages travel in a binary frame', () => {
  const { server, connection } = connected();
  server.greet();
  connection.notify('private_memory_accessed', {}, [pageOfU64(1n), pageOfU64(0n)]);
  assert.deepEqual(server.frame().pages, [pageOfU64(1n), pageOfU64(0n)]);
});

test('a lost connection is resumed: what was missed is sent again, once, on both sides', async () => {
  const { server, connection, asked } = connected();
  server.greet();
  const call = connection.call('load', { address: '0x0' });
  connection.notify('mirror_changed', { changes: [] });
  server.frames();
  const back = server.nextConnection();
  server.lose();
  const away = connection.call('load', { address: '0x8' });
  await back;
  const hello = server.greet({ session: 'resumed', epoch: 2, received: 2, resumeToken: 'next' });
  assert.deepEqual((hello.params as { resume: unknown }).resume, {
    token: 'secret',
    epoch: 1,
    since: 1,
  });
  const again = server.frames();
  assert.deepEqual(
    again.map(({ seq, method }) => [seq, method]),
    [
      [3, 'mirror_changed'],
      [4, 'load'],
    ],
  );
  server.send({ id: 2, result: 'first' });
  server.send({ id: again[1]?.id, result: 'second' });
  server.send({ id: 5, method: 'go', params: {} });
  assert.deepEqual(await call, { ok: true, result: 'first', pages: [] });
  assert.deepEqual(await away, { ok: true, result: 'second', pages: [] });
  assert.equal(asked.length, 1);
});

test('a session that cannot be made whole is over, and open requests are told so', async () => {
  const { server, connection } = connected();
  server.greet();
  const call = connection.call('load', {});
  const back = server.nextConnection();
  server.lose();
  await back;
  const hello = server.open();
  const data = { errno: 'EPERM', code: 'bad-resume', remedy: 'Say a fresh hello.' };
  server.sendRaw({
    jsonrpc: '2.0',
    seq: 1,
    id: hello.id,
    error: { code: -32012, message: 'No session', data },
  });
  const answer = await call;
  assert.equal(answer.ok ? '' : answer.refusal.errno, 'ENOTCONN');
  assert.equal((await connection.closed).why, 'refused');
});

test('a frame that is none, or out of order, closes the connection', async () => {
  for (const frame of ['[', '{"jsonrpc":"2.0","seq":9,"method":"page_free","params":{}}']) {
    const { server, connection, told } = connected();
    server.greet();
    server.sendRaw(frame);
    assert.equal(server.last.closedWith, 4900);
    assert.equal(told.length, 0);
    connection.close();
    assert.deepEqual(await connection.closed, { why: 'ended' });
  }
});

test('the server is told now and then what it may forget', () => {
  const { server } = connected();
  server.greet();
  for (let at = 0; at < ACK_FRAMES; at += 1) {
    server.send({ method: 'page_free', params: { pfn: at } });
  }
  const acks = server.frames().filter(({ method }) => method === 'ack');
  assert.deepEqual(
    acks.map(({ params }) => params),
    [{ seq: ACK_FRAMES + 1 }],
  );
});

test('an error of the server about nothing in particular reaches the listener', () => {
  const { server, complaints } = connected();
  server.greet();
  server.send({ id: null, error: { code: -32004, message: 'never asked' } });
  assert.deepEqual(complaints, ['never asked']);
});

test('closing by hand ends the session for good', async () => {
  const { server, connection } = connected();
  server.greet();
  connection.close();
  assert.deepEqual(await connection.closed, { why: 'ended' });
  assert.equal(server.last.closedWith, 1000);
  const answer = await connection.call('load', {});
  assert.equal(answer.ok ? '' : answer.refusal.code, 'session-lost');
});

test('a server that is silent for a heartbeat is asked; one that stays silent is left and come back to', async () => {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  try {
    const { server, connection } = connected();
    server.greet({ heartbeatMs: 100 });
    mock.timers.tick(100);
    assert.deepEqual(server.frames(), [], 'it may have been heard just before');
    mock.timers.tick(100);
    const ping = server.frame();
    assert.equal(ping.method, 'ping');
    server.answer(ping, { received: 2, sent: 1, state: 'attached', leaseLeftMs: null });
    mock.timers.tick(100);
    // Whatever arrives breaks the silence.
    server.send({ method: 'went_on', params: {} });
    mock.timers.tick(100);
    assert.deepEqual(server.frames(), []);
    mock.timers.tick(100);
    assert.equal(server.frame().method, 'ping');
    mock.timers.tick(101);
    assert.deepEqual([server.last.closedWith, connection.state], [4903, 'away']);
    mock.timers.tick(1_000);
    server.open();
    // A hello without an answer is not waited for for ever either.
    mock.timers.tick(45_001);
    assert.deepEqual([server.sockets.length, server.last.closedWith], [2, 4903]);
    connection.close();
    mock.timers.tick(A_DAY_MS);
    assert.equal(server.sockets.length, 2);
  } finally {
    mock.timers.reset();
  }
});
