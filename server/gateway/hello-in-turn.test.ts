/** A hello to a lab that has more to do than one turn takes: nothing is acknowledged before it is written down. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { journalRecorder } from '../journal/recorder.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { type Harness, joined, RawClient, startHarness } from './gateway.fixture.ts';

let harness: Harness;
let lines: string[];

beforeEach(async () => {
  lines = [];
  const model = { hash: 'none', version: '0' };
  harness = await startHarness(undefined, (lab, config) =>
    journalRecorder((line) => lines.push(line), {
      format: 'mmrace-journal',
      version: 2,
      model,
      lab,
      config,
    }),
  );
});

afterEach(async () => {
  await harness.close();
});

/** A connection that was lost, what its session can be resumed with, and a lab that is busy. */
async function awayFromBusyLab() {
  const lost = await new RawClient(harness.url).opened();
  const { result } = await lost.hello('device', 'gpu0');
  const cpu = await joined(harness, 'cpu', 'cpu0');
  const machine = harness.machine();
  machine.long.add('pin');
  const before = harness.gateway.connections;
  lost.socket.terminate();
  while (harness.gateway.connections === before) await new Promise(setImmediate);
  cpu.send({ id: 1, method: 'pin', params: { address: '0x1000', pages: 1, id: 1, mode: 'get' } });
  while (!machine.busy) await new Promise(setImmediate);
  const resume = { token: result.resumeToken, epoch: result.epoch, since: 1 };
  return { machine, resume };
}

async function arrived(frames: number): Promise<void> {
  while (harness.gateway.counts.framesIn < frames) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

test('is answered when the lab is not busy, and then its key stands in the recording', async () => {
  const { machine, resume } = await awayFromBusyLab();
  const again = await new RawClient(harness.url).opened();
  const { framesIn } = harness.gateway.counts;
  const params = { protocol: SUBPROTOCOL, lab: 'test', role: 'device', name: 'gpu0', resume };
  again.sendRaw({ jsonrpc: '2.0', seq: 1, id: 7, method: 'hello', params });
  // Behind the hello, without waiting for its answer.
  again.sendRaw({ jsonrpc: '2.0', seq: 2, id: 8, method: 'ping', params: {} });
  const answer = again.next();
  await arrived(framesIn + 1);
  const none = Symbol('none');
  assert.equal(await Promise.race([answer, Promise.resolve(none)]), none);
  assert.equal(lines.filter((line) => line.includes('"resumed"')).length, 0);
  machine.done();
  const { id, result } = await answer;
  assert.deepEqual([id, result.session, result.received], [7, 'resumed', 1]);
  assert.equal(lines.filter((line) => line.includes('"resumed"')).length, 1);
  assert.equal((await again.next()).id, 8);
});

test('of a client that gave up meanwhile leads to nothing', async () => {
  const { machine, resume } = await awayFromBusyLab();
  const again = await new RawClient(harness.url).opened();
  const { framesIn } = harness.gateway.counts;
  const { connections } = harness.gateway;
  const params = { protocol: SUBPROTOCOL, lab: 'test', role: 'device', name: 'gpu0', resume };
  again.sendRaw({ jsonrpc: '2.0', seq: 1, id: 7, method: 'hello', params });
  await arrived(framesIn + 1);
  again.socket.terminate();
  // It is not read from: the end of its connection is seen when the lab has time again.
  machine.done();
  while (harness.gateway.connections === connections) await new Promise(setImmediate);
  const later = await new RawClient(harness.url).opened();
  later.sendRaw({ jsonrpc: '2.0', seq: 1, id: 9, method: 'hello', params });
  assert.equal((await later.next()).result.session, 'resumed');
});

test('to a lab that ends meanwhile is not answered: the connection is closed', async () => {
  await awayFromBusyLab();
  const waits = await new RawClient(harness.url).opened();
  const { framesIn } = harness.gateway.counts;
  waits.send({
    id: 1,
    method: 'hello',
    params: { protocol: SUBPROTOCOL, lab: 'test', role: 'cpu', name: 'cpu1' },
  });
  await arrived(framesIn + 1);
  const lab = harness.labs.find('test');
  assert.ok(lab !== 'none');
  lab.close('lab-closed');
  assert.equal((await waits.closed).code, 1006);
});
