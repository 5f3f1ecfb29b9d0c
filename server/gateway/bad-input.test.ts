/** What a client may send that it should not. Each is answered in full, and nobody else notices. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { FRAME_BYTES_MAX, REFUSALS_MAX, REQUESTS_IN_FLIGHT_MAX } from '../protocol/limits.ts';
import {
  type Harness,
  joined,
  RawClient,
  type ReceivedFrame,
  startHarness,
} from './gateway.fixture.ts';

let harness: Harness;
let bystander: RawClient;

beforeEach(async () => {
  harness = await startHarness();
  bystander = await joined(harness, 'cpu', 'bystander');
});

afterEach(async () => {
  // Whatever the other did, this one is served as ever, and sees no frame that is not its own.
  assert.deepEqual((await bystander.ask(1, 'exit')).result, {});
  assert.equal(bystander.socket.readyState, bystander.socket.OPEN);
  await harness.close();
});

/** Asserts that `frame` is an error that names everything. */
function assertRefused(
  frame: ReceivedFrame,
  expected: {
    id: number | null;
    code: string;
    errno: string;
    path: string;
    bound: RegExp | string;
  },
): void {
  assert.equal(frame.id, expected.id);
  const data = frame.error?.data;
  assert.ok(data !== undefined, JSON.stringify(frame));
  assert.equal(data.code, expected.code);
  assert.equal(data.errno, expected.errno);
  assert.equal(data.path, expected.path);
  if (typeof expected.bound === 'string') assert.equal(data.bound, expected.bound);
  else assert.match(data.bound, expected.bound);
  assert.ok(data.remedy.length > 10);
  assert.equal(data.definite, true);
}

async function assertStillServed(client: RawClient): Promise<void> {
  assert.deepEqual((await client.ask(1000, 'mmap_read_lock')).result, {});
}

const UNREADABLE: readonly (readonly [string, string | Buffer])[] = [
  ['no JSON', 'hello?'],
  ['half an object', '{"jsonrpc":"2.0"'],
  ['a batch', '[{"jsonrpc":"2.0","seq":2,"id":1,"method":"mmap_read_lock","params":{}}]'],
  ['an empty text', ''],
  ['a number', '17'],
  ['null', 'null'],
  ['an empty binary frame', Buffer.alloc(0)],
  ['a JSON length beyond the frame', Buffer.from([255, 255, 255, 255, 123])],
  ['a page longer than a page', Buffer.from([2, 0, 0, 0, 123, 125, 255, 255, 0])],
];

for (const [what, bytes] of UNREADABLE) {
  test(`a malformed frame is refused, and costs nothing else: ${what}`, async () => {
    const client = await joined(harness, 'device', 'liar');
    client.socket.send(bytes);
    assertRefused(await client.next(), {
      id: null,
      code: 'bad-frame',
      errno: 'EPROTO',
      path: 'frame',
      bound: /./,
    });
    await assertStillServed(client);
    const stranger = await new RawClient(harness.url).opened();
    stranger.socket.send(bytes);
    assert.equal((await stranger.next()).error?.data.code, 'bad-frame');
    assert.equal((await stranger.hello('device', 'stranger')).error, undefined);
    stranger.socket.close(1000);
    await stranger.closed;
  });
}

const MISSHAPEN: readonly (readonly [string, object, string, RegExp])[] = [
  ['no jsonrpc', { jsonrpc: undefined, id: 1, method: 'exit', params: {} }, 'jsonrpc', /"2.0"/],
  ['a method that is no string', { id: 1, method: 7, params: {} }, 'method', /a string/],
  ['no params', { id: 1, method: 'mmap_read_lock' }, 'params', /./],
  [
    'a member too many',
    { id: 1, method: 'exit', params: {}, auth: 1 },
    'auth',
    /no field of this name/,
  ],
  ['neither method nor result', { id: 1 }, 'result', /./],
];

for (const [what, body, path, bound] of MISSHAPEN) {
  test(`a frame that is no JSON-RPC is refused: ${what}`, async () => {
    const client = await joined(harness, 'device', 'liar');
    client.send(body);
    const id = 'method' in body ? 1 : null;
    assertRefused(await client.next(), { id, code: 'bad-envelope', errno: 'EPROTO', path, bound });
    await assertStillServed(client);
  });
}

test('frames are numbered without gaps: a gap is refused and closed, and can be resumed', async () => {
  const client = await joined(harness, 'device', 'liar');
  client.sendRaw({ jsonrpc: '2.0', seq: 9, id: 1, method: 'mmap_read_lock', params: {} });
  assertRefused(await client.next(), {
    id: null,
    code: 'bad-envelope',
    errno: 'EPROTO',
    path: 'seq',
    bound: '2',
  });
  assert.equal((await client.closed).code, CLOSE_CODES['seq-gap'].code);
  assert.equal(harness.gateway.sessions, 2);
});

test('an unknown method is refused', async () => {
  const client = await joined(harness, 'device', 'liar');
  for (const method of ['mmap_write_lock', 'constructor', '__proto__', '']) {
    assertRefused(await client.ask(1, method), {
      id: 1,
      code: 'unknown-method',
      errno: 'EINVAL',
      path: 'method',
      bound: /^a method of role device/,
    });
  }
  await assertStillServed(client);
});

test('a method that is misspelt, or sent in the wrong kind of frame, is told apart', async () => {
  const client = await joined(harness, 'device', 'liar');
  const misspelt = await client.ask(1, 'hmm_range_falt', {});
  assert.equal(
    misspelt.error?.message,
    'method: expected a method of role device; did you mean "hmm_range_fault"?, got "hmm_range_falt"',
  );
  client.send({ method: 'mmap_read_lock', params: {} });
  const { id, error } = await client.next();
  assert.deepEqual([id, error?.data.code, error?.data.path], [null, 'bad-envelope', 'id']);
  assert.match(error?.data.bound ?? '', /^an id: mmap_read_lock is a request/);
  const answered = await client.ask(2, 'ack', { seq: 1 });
  assert.match(answered.error?.data.bound ?? '', /^no id: ack is a notification/);
  await assertStillServed(client);
});

test('a refusal of what is no request says which frame, and what came', async () => {
  const client = await joined(harness, 'device', 'liar');
  client.send({ method: 'ack', params: { seq: -1 } });
  const told = (await client.next()).error?.data;
  assert.deepEqual([told?.seq, told?.found, told?.question], [2, '-1', undefined]);
  client.send({ id: 'c7', result: {} });
  const answer = (await client.next()).error?.data;
  assert.deepEqual([answer?.seq, answer?.question, answer?.found], [3, 'c7', '"c7"']);
  const missing = await client.ask(1, 'find_vma', {});
  assert.match(missing.error?.message ?? '', /^params\.page: expected .*, got nothing$/);
  await assertStillServed(client);
});

test('a method of another role is refused', async () => {
  const client = await joined(harness, 'device', 'liar');
  assertRefused(await client.ask(1, 'load', { address: '0x1000' }), {
    id: 1,
    code: 'wrong-role',
    errno: 'EPERM',
    path: 'method',
    bound: 'a method of role device, not of cpu',
  });
  const observer = await joined(harness, 'observer', 'voyeur');
  assertRefused(await observer.ask(1, 'dma_read', { targets: [{ page: 1, pfn: 1 }] }), {
    id: 1,
    code: 'wrong-role',
    errno: 'EPERM',
    path: 'method',
    bound: 'a method of role observer, not of device',
  });
  await assertStillServed(client);
});

const BAD_PARAMS: readonly (readonly ['device' | 'cpu', string, object, string, RegExp])[] = [
  [
    'device',
    'find_vma',
    { page: 2 ** 35 },
    'params.page',
    /^a whole number from 0 to 34359738367$/,
  ],
  ['device', 'find_vma', { page: -1 }, 'params.page', /^a whole number from 0/],
  ['device', 'find_vma', { page: 0.5 }, 'params.page', /^a whole number from 0/],
  ['device', 'find_vma', { page: '1' }, 'params.page', /^a whole number from 0/],
  [
    'device',
    'mmu_interval_notifier_insert',
    { range: { first: 0, end: 2 ** 35 + 1 } },
    'params.range.end',
    /^a whole number from 1 to 34359738368$/,
  ],
  [
    'device',
    'mmu_interval_notifier_insert',
    { range: { first: 5, end: 5 } },
    'params.range',
    /^end to be greater than first$/,
  ],
  [
    'device',
    'make_device_exclusive_range',
    { range: { first: 0, end: 513 } },
    'params.range',
    /^end to be 1 to 512 pages behind first$/,
  ],
  ['device', 'alloc_pages', { count: 513 }, 'params.count', /^a whole number from 1 to 512$/],
  ['cpu', 'load', { address: '0x1001' }, 'params.address', /a multiple of 8 below 0x800000000000/],
  ['cpu', 'load', { address: '0x800000000000' }, 'params.address', /a multiple of 8 below/],
  ['cpu', 'munmap', { address: '0x1008', pages: 1 }, 'params.address', /a multiple of 4096 below/],
  ['cpu', 'munmap', { address: '0x1000', pages: 0 }, 'params.pages', /^a whole number from 1/],
  ['cpu', 'store', { address: '0x1000', value: 7 }, 'params.value', /^a u64 as a lower-case/],
  ['cpu', 'store', { address: '0x1000', value: '0x10000000000000000' }, 'params.value', /^a u64/],
];

for (const [role, method, params, path, bound] of BAD_PARAMS) {
  test(`params out of bounds are refused: ${method} ${JSON.stringify(params)}`, async () => {
    const client = await joined(harness, role, 'liar');
    const frame = await client.ask(1, method, params);
    assertRefused(frame, { id: 1, code: 'bad-params', errno: 'EINVAL', path, bound });
    assert.match(frame.error?.message ?? '', /^params\.[a-z.]+: expected /);
    assert.equal(harness.machine().accepted.at(-1)?.kind, 'attach');
  });
}

test('pages with a method that takes none are refused', async () => {
  const client = await joined(harness, 'device', 'liar');
  client.send({ id: 1, method: 'mmap_read_lock', params: {} }, [Uint8Array.of(1)]);
  assertRefused(await client.next(), {
    id: 1,
    code: 'wrong-page-count',
    errno: 'EINVAL',
    path: 'contents',
    bound: '0 entries',
  });
  await assertStillServed(client);
});

test('an oversized frame closes the connection with 1009', async () => {
  const client = await joined(harness, 'device', 'liar');
  client.socket.send('x'.repeat(FRAME_BYTES_MAX + 1));
  assert.equal((await client.closed).code, 1009);
  assert.equal(harness.machine().accepted.at(-1)?.kind, 'attach');
});

test('a second hello is refused', async () => {
  const client = await joined(harness, 'device', 'liar');
  assertRefused(await client.hello('device', 'other'), {
    id: 0,
    code: 'hello-twice',
    errno: 'EEXIST',
    path: 'method',
    bound: 'one hello a connection',
  });
  await assertStillServed(client);
});

test('whatever comes before the hello is refused', async () => {
  const client = await new RawClient(harness.url).opened();
  assertRefused(await client.ask(1, 'mmap_read_lock'), {
    id: 1,
    code: 'hello-first',
    errno: 'ENOTCONN',
    path: 'method',
    bound: '"hello"',
  });
  assertRefused(await client.hello('root', 'liar'), {
    id: 0,
    code: 'bad-params',
    errno: 'EINVAL',
    path: 'params.role',
    bound: 'one of "device", "cpu", "observer"',
  });
  assert.equal((await client.hello('device', 'honest')).result.actor, 'honest');
});

test('a name that is taken is refused', async () => {
  const client = await new RawClient(harness.url).opened();
  assertRefused(await client.hello('device', 'bystander'), {
    id: 0,
    code: 'name-taken',
    errno: 'EEXIST',
    path: 'params.name',
    bound: 'a name that no actor of test has',
  });
});

test('an answer to a question never asked is refused', async () => {
  const client = await joined(harness, 'device', 'liar');
  for (const id of [7, 'c7', 0]) {
    client.send({ id, result: { result: 'done', invalidate_seq: 1 } });
    assertRefused(await client.next(), {
      id: null,
      code: 'no-such-question',
      errno: 'ENOENT',
      path: 'id',
      bound: 'the id of a question without an answer',
    });
  }
  await assertStillServed(client);
});

test("one client cannot answer another's question", async () => {
  const client = await joined(harness, 'device', 'liar');
  const victim = await joined(harness, 'device', 'victim');
  harness.machine().ask('victim', 5, 'release', {});
  const question = await victim.next();
  client.send({ id: question.id, result: {} });
  assert.equal((await client.next()).error?.data.code, 'no-such-question');
  victim.send({ id: question.id, result: {} });
  await assertStillServed(victim);
  const answers = harness.machine().accepted.filter((inbound) => inbound.kind === 'answer');
  assert.deepEqual(answers, [
    { kind: 'answer', actor: 'victim', id: 5, outcome: { ok: true, result: {} } },
  ]);
});

test('answering twice is refused, and the first answer counts', async () => {
  const client = await joined(harness, 'device', 'liar');
  harness.machine().ask('liar', 5, 'release', {});
  const { id } = await client.next();
  client.send({ id, result: {} });
  client.send({ id, result: {} });
  assertRefused(await client.next(), {
    id: null,
    code: 'answered-twice',
    errno: 'EEXIST',
    path: 'id',
    bound: 'the id of a question without an answer',
  });
  assert.equal(harness.machine().accepted.filter(({ kind }) => kind === 'answer').length, 1);
  await assertStillServed(client);
});

test('an answer that does not fit the question is refused, and the question stays open', async () => {
  const client = await joined(harness, 'device', 'liar');
  harness.machine().ask('liar', 5, 'invalidate', {});
  const { id } = await client.next();
  client.send({ id, result: { result: 'later', invalidate_seq: 1 } });
  assertRefused(await client.next(), {
    id: null,
    code: 'bad-answer',
    errno: 'EINVAL',
    path: 'result.result',
    bound: 'one of "done", "again"',
  });
  client.send({ id, result: { result: 'done', invalidate_seq: 1 } });
  await assertStillServed(client);
  assert.equal(harness.machine().accepted.at(-2)?.kind, 'answer');
});

test('an id that is in use, and one request too many, are refused', async () => {
  const client = await joined(harness, 'device', 'liar');
  harness.machine().silent.add('alloc_pages');
  for (let id = 1; id <= REQUESTS_IN_FLIGHT_MAX; id += 1) {
    client.send({ id, method: 'alloc_pages', params: { count: 1 } });
  }
  assertRefused(await client.ask(1, 'mmap_read_lock'), {
    id: 1,
    code: 'id-in-use',
    errno: 'EEXIST',
    path: 'id',
    bound: 'an id without an open request',
  });
  assertRefused(await client.ask(999, 'mmap_read_lock'), {
    id: 999,
    code: 'too-many-requests',
    errno: 'EAGAIN',
    path: 'id',
    bound: `at most ${REQUESTS_IN_FLIGHT_MAX} requests without an answer`,
  });
  const first = harness.machine().accepted.find(({ kind }) => kind === 'request');
  assert.ok(first?.kind === 'request');
  harness.machine().answer(first);
  assert.equal((await client.next()).id, first.id);
  await assertStillServed(client);
});

test('a client that is refused all the time is closed', async () => {
  const client = await joined(harness, 'device', 'liar');
  for (let at = 0; at <= REFUSALS_MAX; at += 1)
    client.send({ id: 1, method: 'nonsense', params: {} });
  assert.equal((await client.closed).code, CLOSE_CODES['too-many-refusals'].code);
  assert.deepEqual(harness.machine().accepted.at(-1), { kind: 'detach', actor: 'liar' });
});

test('a client without the subprotocol is told so', async () => {
  const client = new RawClient(harness.url, []);
  assert.equal((await client.closed).code, CLOSE_CODES['wrong-subprotocol'].code);
});

test('a client that says nothing is closed', async () => {
  const client = await new RawClient(harness.url).opened();
  harness.pass(10_000);
  assert.equal((await client.closed).code, CLOSE_CODES['no-hello'].code);
});

test('a request may be named by a string, and is answered and refused by it', async () => {
  const client = await joined(harness, 'device', 'named');
  client.send({ id: 'first', method: 'mmap_read_lock', params: {} });
  assert.deepEqual(await client.next().then(({ id, result }) => ({ id, result })), {
    id: 'first',
    result: {},
  });
  client.send({ id: 'second', method: 'mmap_raed_lock', params: {} });
  const { id, error } = await client.next();
  assert.deepEqual([id, error?.data.code], ['second', 'unknown-method']);
  client.send({ id: '2', method: 'mmap_read_unlock', params: {} });
  client.send({ id: 2, method: 'mmap_read_lock', params: {} });
  assert.deepEqual([(await client.next()).id, (await client.next()).id], ['2', 2]);
  client.send({ id: 'x'.repeat(65), method: 'mmap_read_unlock', params: {} });
  const long = await client.next();
  assert.deepEqual([long.id, long.error?.data.path], [null, 'id']);
  client.socket.close();
});
