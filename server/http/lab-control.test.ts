import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  joined,
  type RawClient,
  SHORT_GRACE_MS,
  SHORT_HEARTBEAT_MS,
} from '../gateway/gateway.fixture.ts';
import { ITEMS_MAX } from '../live/lab-past.ts';
import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { shows } from '../report/shows.ts';
import { type HttpAnswer, type HttpHarness, startHttp } from './http.fixture.ts';

const ADDRESS = '0x100200000';

let http: HttpHarness;
let presenter: string;

beforeEach(async () => {
  http = await startHttp();
  presenter = (await http.post('/api/labs', { name: 'test' })).body.presenterToken;
});

afterEach(async () => {
  await http.close();
});

function control(body: object, token = ''): Promise<HttpAnswer> {
  const headers: { [name: string]: string } =
    token === '' ? {} : { authorization: `Bearer ${token}` };
  return http.post('/api/labs/test/control', body, headers);
}

/** A CPU thread with one page. */
async function mapped(name: string): Promise<RawClient> {
  const cpu = await joined(http.gateway, 'cpu', name);
  await cpu.ask(1, 'mmap', { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' });
  return cpu;
}

test('a paused lab answers nothing until its tasks are stepped, in the order that the hand chooses', async () => {
  const first = await mapped('cpu0');
  const second = await joined(http.gateway, 'cpu', 'cpu1');
  assert.equal((await control({ action: 'pause' })).body.paused, true);
  first.send({ id: 2, method: 'load', params: { address: ADDRESS } });
  second.send({ id: 2, method: 'store', params: { address: ADDRESS, value: '0x7' } });
  let tasks = (await untilTasks(2)).body.tasks;
  const store = tasks.find((task: { name: string }) => task.name === 'store');
  for (let at = 0; at < 100 && tasks.length === 2; at += 1) {
    ({ tasks } = (await control({ action: 'step', task: store.id })).body);
  }
  assert.deepEqual((await second.next()).result, {});
  assert.equal((await control({ action: 'resume' })).body.paused, false);
  assert.deepEqual((await first.next()).result, { value: '0x7' });
});

test('a busy lab is controlled when it has time again: what is answered is recorded', async () => {
  const cpu = await joined(http.gateway, 'cpu', 'cpu0');
  const range = { address: ADDRESS, pages: 8_000 };
  await cpu.ask(1, 'mmap', { ...range, prot: 'rw', kind: 'anon-private' });
  const lab = http.gateway.labs.find('test');
  assert.ok(lab !== 'none');
  cpu.send({ id: 2, method: 'pin', params: { ...range, id: 1, mode: 'get' } });
  while (!lab.busy) await new Promise(setImmediate);
  const answer = await control({ action: 'pause' });
  assert.equal(lab.busy, false);
  assert.equal(answer.body.paused, true);
});

test('a task is stepped until something is to be seen, and no further', async () => {
  const cpu = await mapped('cpu0');
  await control({ action: 'pause' });
  cpu.send({ id: 2, method: 'store', params: { address: ADDRESS, value: '0x7' } });
  const [task] = (await untilTasks(1)).body.tasks;
  const lab = http.gateway.labs.get('test');
  assert.ok(lab !== 'none');
  const { n } = lab.feed;
  await control({ action: 'step', task: task.id, until: 'it shows' });
  const told = lab.eventsAfter(n);
  assert.ok(told !== 'too-old');
  const seen = told.filter(shows).map(({ kind }) => kind);
  assert.deepEqual(seen, ['pte'], 'the entry, and not yet the store');
  await control({ action: 'step', task: task.id, until: 'it shows' });
  assert.deepEqual((await cpu.next()).result, {});
});

/** Frames arrive when they arrive. */
async function untilTasks(count: number): Promise<HttpAnswer> {
  for (;;) {
    const answer = await http.get('/api/labs/test');
    if (answer.body.tasks.length === count) return answer;
    await new Promise(setImmediate);
  }
}

test('steps that cannot be taken are refused, each with its reason', async () => {
  const running = await control({ action: 'step' });
  assert.equal(running.status, 409);
  assert.equal(running.body.error.code, 'not-paused');
  await control({ action: 'pause' });
  for (const body of [{ action: 'step' }, { action: 'step', task: 4_711 }]) {
    const { status, body: answer } = await control(body);
    assert.equal(status, 409);
    assert.equal(answer.error.code, 'no-such-task');
  }
  const dance = await control({ action: 'dance' });
  assert.match(dance.body.error.what, /^body\.action: expected one of "pause", "resume"/);
});

test('a locked lab obeys its presenter alone', async () => {
  assert.equal((await control({ action: 'lock' })).body.error.code, 'presenter-only');
  assert.equal((await control({ action: 'lock' }, presenter)).body.locked, true);
  const refused = await control({ action: 'pause' });
  assert.equal(refused.status, 403);
  assert.equal((await http.get('/api/labs/test')).body.paused, false);
  assert.equal((await control({ action: 'unlock' }, 'guess')).status, 403);
  assert.equal((await control({ action: 'pause' }, presenter)).body.paused, true);
  await control({ action: 'unlock' }, presenter);
  assert.equal((await control({ action: 'resume' })).body.paused, false);
});

test('observers are told what the hand does, and their snapshot says it', async () => {
  const watcher = await joined(http.gateway, 'observer', 'watcher');
  await control({ action: 'pause' });
  const { method, params } = await watcher.next();
  assert.equal(method, 'control');
  assert.equal(params.paused, true);
  const late = await joined(http.gateway, 'observer', 'late');
  late.socket.close();
  const opened = http.gateway.labs.get('test');
  assert.ok(opened !== 'none');
  assert.equal(opened.snapshot().control?.paused, true);
});

test('another patch is another machine, with the scenario set again', async () => {
  await http.post('/api/labs', { name: 'scene', scenario: 'seed-zero-page' });
  const url = '/api/labs/scene/control';
  const patched = await http.post(url, { action: 'patch', patch: 'remove-second-invalidate' });
  assert.equal(patched.body.patch, 'remove-second-invalidate');
  const lab = http.gateway.labs.get('scene');
  assert.ok(lab !== 'none');
  assert.equal(lab.snapshot().ptes[0]?.entry.state, 'zero');
  const unknown = await http.post(url, { action: 'patch', patch: './mine.ts' });
  assert.equal(unknown.status, 400);
  assert.equal(
    (await http.post(url, { action: 'patch', patch: 'mine' })).body.error.code,
    'no-such-patch',
  );
  assert.equal((await http.post(url, { action: 'restart' })).status, 200);
});

test('an actor is held, let go and made to perform; what it answers is handed on', async () => {
  const gpu = await joined(http.gateway, 'device', 'gpu0');
  const held = control({ action: 'hold', actor: 'gpu0', after: 'migrate_vma_setup' });
  const question = await gpu.next();
  assert.deepEqual(question.params, { after: 'migrate_vma_setup' });
  gpu.send({ id: question.id, result: {} });
  assert.equal((await held).status, 200);
  const performed = control({ action: 'perform', actor: 'gpu0', verb: { verb: 'read', pages: 1 } });
  const asked = await gpu.next();
  assert.deepEqual(asked.params, { verb: 'read', pages: 1 });
  gpu.send({ id: asked.id, result: { values: ['0x0'] } });
  const { body } = await performed;
  assert.deepEqual(body.performed, { values: ['0x0'] });
  const later = await http.get(`/api/labs/test/performances/${body.performanceId}`);
  assert.deepEqual(later.body.entry, {
    id: body.performanceId,
    actor: 'gpu0',
    verb: { verb: 'read', pages: 1 },
    state: 'done',
    result: { values: ['0x0'] },
  });
  const unknown = await http.get('/api/labs/test/performances/p99');
  assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'no-such-performance']);
  for (const [after, said] of [
    ['migrate_vma_page', 'a device calls no "migrate_vma_page"; did you mean "migrate_vma_pages"?'],
    ['munmap', /^body\.after: a device calls no "munmap"; it calls mmap_read_lock, /],
  ] as const) {
    const refused = await control({ action: 'hold', actor: 'gpu0', after });
    assert.equal(refused.status, 400);
    const { what } = refused.body.error;
    if (typeof said === 'string') assert.equal(what, `body.after: ${said}`);
    else assert.match(what, said);
  }
  const nobody = await control({ action: 'go', actor: 'gpu9' });
  assert.equal(nobody.status, 404);
  assert.equal(nobody.body.error.what, 'body.actor: gpu9');
});

test('a client that is cut loses its connection and not its session', async () => {
  const cpu = await mapped('cpu0');
  assert.equal((await control({ action: 'cut', actor: 'cpu0' })).status, 200);
  assert.equal((await cpu.closed).code, 1006);
  assert.equal((await http.get('/api/labs/test')).body.actors[0].state, 'away');
});

test('the presenter frees the name of a client that is away, and of no other', async () => {
  const cpu = await mapped('cpu0');
  const here = await control({ action: 'free', actor: 'cpu0' });
  assert.deepEqual([here.status, here.body.error.code], [409, 'not-away']);
  await control({ action: 'cut', actor: 'cpu0' });
  await cpu.closed;
  assert.equal((await control({ action: 'free', actor: 'cpu0' })).status, 200);
  assert.deepEqual((await http.get('/api/labs/test')).body.actors, []);
});

test('the presenter ends the session of a client for good, and it is told so', async () => {
  const cpu = await mapped('cpu0');
  assert.equal((await control({ action: 'dismiss', actor: 'cpu0' })).status, 200);
  assert.deepEqual(await cpu.closed, { code: CLOSE_CODES.dismissed.code, reason: 'dismissed' });
  assert.deepEqual((await http.get('/api/labs/test')).body.actors, []);
  const again = await control({ action: 'dismiss', actor: 'cpu0' });
  assert.deepEqual([again.status, again.body.error.code], [404, 'no-such-actor']);
});

test('how long a client takes to answer a ping is known after the first', async () => {
  await mapped('cpu0');
  const roundTrip = async () => (await http.get('/api/labs/test')).body.actors[0].roundTripMs;
  assert.equal(await roundTrip(), null);
  http.gateway.pass(SHORT_HEARTBEAT_MS);
  while ((await roundTrip()) === null) await new Promise(setImmediate);
  assert.equal(await roundTrip(), 0);
});

test('while a lab is paused no session is lost for being away too long', async () => {
  const cpu = await mapped('cpu0');
  await control({ action: 'pause' });
  await control({ action: 'cut', actor: 'cpu0' });
  await cpu.closed;
  const actors = async () => (await http.get('/api/labs/test')).body.actors;
  while ((await actors())[0].state !== 'away') await new Promise(setImmediate);
  http.gateway.pass(10 * SHORT_GRACE_MS);
  assert.equal((await actors())[0].state, 'away');
  await control({ action: 'resume' });
  http.gateway.pass(SHORT_GRACE_MS - 1);
  assert.equal((await actors()).length, 1);
  http.gateway.pass(1);
  assert.deepEqual(await actors(), []);
});

test('frames of a slowed client come late both ways, in order, and at once again afterwards', async () => {
  const cpu = await mapped('cpu0');
  assert.equal(
    (await control({ action: 'slow', actor: 'cpu0', ms: 30 })).body.actors[0].slowMs,
    30,
  );
  const began = performance.now();
  cpu.send({ id: 2, method: 'store', params: { address: ADDRESS, value: '0x1' } });
  cpu.send({ id: 3, method: 'load', params: { address: ADDRESS } });
  assert.equal((await cpu.next()).id, 2);
  assert.deepEqual((await cpu.next()).result, { value: '0x1' });
  // At least: timers are never early by more than their grain.
  assert.ok(performance.now() - began >= 58, `${performance.now() - began} ms`);
  await control({ action: 'slow', actor: 'cpu0', ms: 0 });
  assert.deepEqual((await cpu.ask(4, 'load', { address: ADDRESS })).result, { value: '0x1' });
  assert.equal((await control({ action: 'slow', actor: 'cpu0', ms: 1e9 })).status, 400);
});

test('the log names the lab, the actor and the request', async () => {
  const headers = { 'x-request-id': 'mine-1' };
  const slow = { action: 'slow', actor: 'gpu9', ms: 1 };
  const answer = await http.post('/api/labs/test/control', slow, headers);
  assert.equal(answer.headers['x-request-id'], 'mine-1');
  const line = http.logged.find(({ action }) => action === 'slow');
  assert.deepEqual(
    { lab: line?.lab, actor: line?.actor, reqId: line?.reqId },
    { lab: 'test', actor: 'gpu9', reqId: 'mine-1' },
  );
});

test('a client that keeps no moments begins anew when the lab goes back, and is asked for nothing else', async () => {
  const cpu = await mapped('cpu0');
  await cpu.ask(2, 'store', { address: ADDRESS, value: '0x7' });
  const undone = control({ action: 'undo' });
  const asked = await cpu.next();
  assert.equal(asked.method, 'moments');
  const error = { code: -32_000, message: 'no', data: { errno: 'EINVAL' } };
  cpu.send({ id: asked.id, error });
  const reset = await cpu.next();
  assert.deepEqual([reset.method, reset.params], ['reset', { lab: 'test' }]);
  cpu.send({ id: reset.id, result: {} });
  assert.equal((await undone).status, 200);
  assert.deepEqual((await cpu.ask(3, 'load', { address: ADDRESS })).result, { value: '0x0' });
});

test('a lab without a recording goes back as far as it remembers, and says so', async () => {
  const lab = http.gateway.labs.get('test');
  assert.ok(lab !== 'none');
  for (let once = 0; once < ITEMS_MAX; once += 1) {
    lab.drive.pause();
    lab.drive.resume();
  }
  const { status, body } = await control({ action: 'undo' });
  assert.deepEqual([status, body.error.code], [409, 'too-far-back']);
  assert.match(body.error.what, /records nothing \(serve --record\)/);
});

test('an actor is called otherwise until it leaves, and the room is asked and heard', async () => {
  const cpu = await joined(http.gateway, 'cpu', 'cpu0');
  const lab = http.gateway.labs.get('test');
  assert.ok(lab !== 'none');
  await control({ action: 'rename', actor: 'cpu0', label: ' José ' });
  assert.deepEqual(lab.controlSeen().labels, { cpu0: 'José' });
  assert.equal((await control({ action: 'rename', actor: 'cpu9', label: 'x' })).status, 404);

  const choices = [{ choice: 'gpu0', words: 'a sweep begins' }];
  await control({ action: 'ask', about: 'Step 1', choices });
  const voice = { actor: 'cpu0', round: 1, choice: 'gpu0' };
  const heard = await http.post('/api/labs/test/votes', voice);
  assert.deepEqual(heard.body.vote, { round: 1, about: 'Step 1', choices, counts: { gpu0: 1 } });
  const late = await http.post('/api/labs/test/votes', { ...voice, round: 2 });
  assert.equal(late.body.error.code, 'vote-over');
  const stranger = await http.post('/api/labs/test/votes', { ...voice, actor: 'eve' });
  assert.equal(stranger.body.error.code, 'no-such-actor');

  cpu.socket.close(4000);
  http.gateway.pass(SHORT_GRACE_MS);
  while (lab.actors.size > 0) {
    await new Promise(setImmediate);
    http.gateway.pass(SHORT_GRACE_MS);
  }
  assert.equal(lab.controlSeen().labels, undefined);
  assert.deepEqual(lab.controlSeen().vote?.counts, {});
});
