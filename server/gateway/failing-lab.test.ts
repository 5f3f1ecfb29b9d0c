/** What fails in one lab, or cannot be written for it, ends that lab or is refused; other labs do not notice. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { LabOptions } from '../live/lab.ts';
import { newLabInit } from '../live/lab-init.ts';
import { CLOSE_CODES } from '../protocol/close-codes.ts';
import {
  type Harness,
  joined,
  RawClient,
  ScriptedMachine,
  startHarness,
} from './gateway.fixture.ts';

/** As the system says it of a full disk. */
class DiskFull extends Error {
  readonly code = 'ENOSPC';
  readonly errno = -28;
  readonly syscall = 'write';
}

type Recorder = ReturnType<Exclude<LabOptions['record'], 'none'>>;

let harness: Harness;
let disk: 'roomy' | 'full';

function recorder(): Recorder {
  const write = () => {
    if (disk === 'full') throw new DiskFull();
  };
  write();
  return { inbound: write, event: () => undefined, settled: write, lab: write, close: write };
}

beforeEach(async () => {
  disk = 'roomy';
  harness = await startHarness(
    (_config, sinks) => new Brittle(sinks),
    (lab) => (lab === 'other' ? UNWRITTEN : recorder()),
  );
});

afterEach(() => harness.close());

/** Throws at an `exit`. */
class Brittle extends ScriptedMachine {
  override accept(inbound: Parameters<ScriptedMachine['accept']>[0]): void {
    if (inbound.kind === 'request' && inbound.method === 'exit') throw new Error('a bug');
    super.accept(inbound);
  }
}

const UNWRITTEN: Recorder = {
  inbound: () => undefined,
  event: () => undefined,
  settled: () => undefined,
  lab: () => undefined,
  close: () => undefined,
};

async function hello(lab: string) {
  const client = await new RawClient(harness.url).opened();
  return { client, answer: await client.hello('cpu', 'cpu0', { lab }) };
}

test('a hello to a new lab whose recording cannot be opened is refused by name, and another lab opens', async () => {
  disk = 'full';
  const { client, answer } = await hello('new');
  assert.equal(answer.error?.data.code, 'insufficient-storage');
  assert.equal(answer.error?.data.errno, 'ENOSPC');
  assert.equal(client.socket.readyState, client.socket.OPEN);
  assert.equal(harness.labs.get('new'), 'none');
  assert.deepEqual((await hello('other')).answer.error, undefined);
});

test('a lab whose recording cannot be written any more is closed with a code of its own', async () => {
  const { client } = await hello('recorded');
  const bystander = await hello('other');
  disk = 'full';
  client.send({ id: 5, method: 'fork', params: { child: 'cpu1' } });
  assert.deepEqual(await client.closed, {
    code: CLOSE_CODES['insufficient-storage'].code,
    reason: 'insufficient-storage',
  });
  assert.equal(harness.bugs.splice(0).length, 1);
  assert.deepEqual((await bystander.client.ask(1, 'fork', { child: 'cpu1' })).result, {});
});

test('a kept lab that fails is there again, empty, with its code and its presenter', async () => {
  const lab = harness.labs.open('demo', { patch: 'stock' }, 'kept', newLabInit());
  assert.ok(lab !== 'too-many');
  const { joinCode, presenter } = lab;
  const { client } = await hello('demo');
  client.send({ id: 5, method: 'exit', params: {} });
  assert.equal((await client.closed).code, CLOSE_CODES.internal.code);
  assert.equal(harness.bugs.splice(0).length, 1);
  const again = harness.labs.withCode(joinCode);
  assert.ok(again !== 'none');
  assert.notEqual(again, lab);
  assert.equal(again.name, 'demo');
  assert.ok(again.presenter.is(presenter.token));
  assert.equal((await hello('demo')).answer.error, undefined);
});

test('a kept lab that cannot be recorded is there again as soon as it can be', async () => {
  assert.ok(harness.labs.open('demo', { patch: 'stock' }, 'kept') !== 'too-many');
  const { client } = await hello('demo');
  disk = 'full';
  client.send({ id: 5, method: 'fork', params: { child: 'cpu1' } });
  await client.closed;
  assert.equal(harness.bugs.splice(0).length, 1);
  harness.pass(1);
  assert.equal(harness.labs.get('demo'), 'none');
  disk = 'roomy';
  harness.pass(1);
  assert.equal((await hello('demo')).answer.error, undefined);
});

test('a passing lab that fails is over', async () => {
  const { client } = await hello('passing');
  client.send({ id: 5, method: 'exit', params: {} });
  assert.equal((await client.closed).code, CLOSE_CODES.internal.code);
  assert.equal(harness.bugs.splice(0).length, 1);
  harness.pass(1);
  assert.equal(harness.labs.get('passing'), 'none');
});

test('what a connection has thrown closes that connection, and no other of its lab', async () => {
  const one = await joined(harness, 'cpu', 'one');
  const other = await joined(harness, 'cpu', 'other');
  const lab = harness.labs.get('test');
  assert.ok(lab !== 'none');
  lab.take = () => {
    throw new Error('a bug');
  };
  one.send({ id: 5, method: 'fork', params: { child: 'cpu1' } });
  assert.equal((await one.closed).code, CLOSE_CODES.internal.code);
  assert.equal(harness.bugs.splice(0).length, 1);
  Reflect.deleteProperty(lab, 'take');
  assert.deepEqual((await other.ask(1, 'fork', { child: 'cpu1' })).result, {});
});
