import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newLabInit } from '../live/lab-init.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { AUTO_NAME } from '../protocol/hello.ts';
import {
  type Harness,
  joined,
  RawClient,
  SHORT_GRACE_MS,
  SHORT_LEASE_MS,
  startHarness,
} from './gateway.fixture.ts';

test('a client that leaves its name to the lab gets the next free one of its role', async () => {
  const harness = await startHarness(newLiveMachine);
  const named = async (role: string) => {
    const client = await new RawClient(harness.url).opened();
    return { client, actor: (await client.hello(role, AUTO_NAME)).result.actor };
  };
  await joined(harness, 'device', 'dev1');
  const cpu = await named('cpu');
  assert.equal(cpu.actor, 'cpu0');
  assert.equal((await named('device')).actor, 'dev0');
  assert.equal((await named('device')).actor, 'dev2');
  await cpu.client.ask(1, 'fork', { child: 'cpu1' });
  assert.equal((await named('cpu')).actor, 'cpu2', 'cpu1 is the thread of the fork');
  assert.equal((await named('observer')).actor, AUTO_NAME);
  await harness.close();
});

test('parts of the scenario that have no client come first', async () => {
  const harness = await startHarness();
  const seats = [
    { name: 'reader', role: 'device', driver: null, program: [] as string[] },
    { name: 'dev0', role: 'cpu', driver: null, program: [] as string[] },
  ] as const;
  const scene = { scenario: 'some', setup: [], seats, todo: [] };
  harness.labs.open('test', { patch: 'stock' }, 'kept', newLabInit(scene));
  const names: string[] = [];
  for (const role of ['device', 'device', 'cpu', 'cpu']) {
    const client = await new RawClient(harness.url).opened();
    names.push((await client.hello(role, AUTO_NAME)).result.actor);
  }
  assert.deepEqual(names, ['reader', 'dev1', 'dev0', 'cpu0']);
  await harness.close();
});

test('a session whose name the lab has given is resumed by that name', async () => {
  const harness = await startHarness();
  const first = await new RawClient(harness.url).opened();
  const { actor, resumeToken: token, epoch } = (await first.hello('cpu', AUTO_NAME)).result;
  first.socket.terminate();
  await first.closed;
  const again = await new RawClient(harness.url).opened();
  const answer = await again.hello('cpu', actor, { resume: { token, epoch, since: 1 } });
  assert.deepEqual([answer.result.session, answer.result.actor], ['resumed', 'cpu0']);
  await harness.close();
});

test('a lab of an unknown name is opened for a client that says so, and is a mistake of any other', async () => {
  const harness = await startHarness();
  harness.labs.open('demo', { patch: 'stock' }, 'kept');
  const said = async (role: string, lab: string, create?: boolean) => {
    const client = await new RawClient(harness.url).opened();
    const { error } = await client.hello(role, 'some', { lab, create });
    client.socket.terminate();
    return error === undefined ? 'in' : `${error.data.code}: ${error.message}`;
  };
  const right = 'params.lab: expected the name or the join code of a lab that is open';
  assert.equal(
    await said('cpu', 'dmeo'),
    `no-such-lab: ${right}; did you mean "demo"?, got "dmeo"`,
  );
  assert.equal(await said('device', 'mine', false), `no-such-lab: ${right}, got "mine"`);
  assert.equal(
    await said('observer', 'mine', true),
    `no-such-lab: ${right}: observers open none, got "mine"`,
  );
  assert.deepEqual(
    harness.labs.all().map(({ name }) => name),
    ['demo'],
  );
  assert.equal(await said('device', 'mine', true), 'in');
  assert.equal(await said('observer', 'mine'), 'in');
  await harness.close();
});

test('a name whose client has been away for a lease can be taken over, one that is there never', async () => {
  const harness = await startHarness();
  const old = await joined(harness, 'device', 'gpu0');
  const said = async () => {
    const client = await new RawClient(harness.url).opened();
    const { result, error } = await client.hello('device', 'gpu0', { takeOver: true });
    return { client, came: error === undefined ? result.session : error.data.code };
  };
  harness.pass(2 * SHORT_LEASE_MS);
  assert.equal((await said()).came, 'name-taken', 'it is connected');
  old.socket.terminate();
  await old.closed;
  const { actor } = await waitsFor(harness, 'gpu0');
  harness.pass(SHORT_LEASE_MS - 1);
  assert.equal((await said()).came, 'name-taken', 'its lease has not run out');
  harness.pass(1);
  assert.ok(SHORT_LEASE_MS < SHORT_GRACE_MS);
  const { client, came } = await said();
  assert.equal(came, 'fresh');
  const lab = harness.labs.get('test');
  assert.ok(lab !== 'none' && lab.actors.get('gpu0') !== actor);
  assert.deepEqual(harness.machine().accepted.slice(-2), [
    { kind: 'detach', actor: 'gpu0' },
    { kind: 'attach', actor: 'gpu0', role: 'device' },
  ]);
  client.socket.close();
  await harness.close();
});

test('a lab may have a lease and a grace of its own', async () => {
  const harness = await startHarness();
  const scene = { ...newLabInit().scene, leaseMs: 300, graceMs: 400 };
  const lab = harness.labs.open('test', { patch: 'stock' }, 'kept', newLabInit(scene));
  assert.ok(lab !== 'too-many');
  const client = await new RawClient(harness.url).opened();
  const { leaseMs, graceMs } = (await client.hello('device', 'gpu0')).result;
  assert.deepEqual([leaseMs, graceMs], [300, 400]);
  harness.machine().ask('gpu0', 1, 'invalidate', {});
  assert.equal((await client.next()).method, 'invalidate');
  harness.pass(299);
  assert.equal((await client.ask(1, 'ping')).result.leaseLeftMs, 1);
  harness.pass(1);
  assert.equal((await client.next()).method, 'fenced');
  client.socket.terminate();
  await client.closed;
  await waitsFor(harness, 'gpu0');
  harness.pass(399);
  assert.equal(lab.actors.size, 1);
  harness.pass(1);
  assert.equal(lab.actors.size, 0);
  await harness.close();
});

test('a ping is answered with what the server knows of the client, and is no sign of life', async () => {
  const harness = await startHarness();
  const device = await joined(harness, 'device', 'gpu0');
  harness.machine().silent.add('mmap_read_lock');
  device.send({ id: 'lock', method: 'mmap_read_lock', params: {} });
  assert.deepEqual((await device.ask(1, 'ping')).result, {
    received: 3,
    sent: 1,
    state: 'attached',
    leaseLeftMs: null,
  });
  harness.machine().stalling = ['gpu0'];
  harness.pass(400);
  assert.equal((await device.ask(2, 'ping')).result.leaseLeftMs, SHORT_LEASE_MS - 400);
  const observer = await joined(harness, 'observer', 'eye');
  assert.deepEqual((await observer.ask(1, 'ping')).result, {
    received: 2,
    sent: 1,
    state: 'attached',
    leaseLeftMs: null,
  });
  await harness.close();
});

/** Until the server has noticed that the client is gone. */
async function waitsFor(harness: Harness, name: string): Promise<{ readonly actor: unknown }> {
  for (;;) {
    const lab = harness.labs.get('test');
    const actor = lab === 'none' ? undefined : lab.actors.get(name);
    if (actor?.state === 'away') return { actor };
    await new Promise(setImmediate);
  }
}
