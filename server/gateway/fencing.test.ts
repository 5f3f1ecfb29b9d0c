/** A device that does not answer, on real sockets with the real machine: it loses, the others go on. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { HMM_PFN_NONE, hmmPfnToPfn } from '../abi/hmm-pfn.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import {
  type Harness,
  joined,
  type RawClient,
  SHORT_GRACE_MS,
  SHORT_LEASE_MS,
  startHarness,
} from './gateway.fixture.ts';

const PAGE = 0x100200;
const RANGE = { first: PAGE, end: PAGE + 1 };
const REGION = { address: '0x100200000', pages: 1 };

let harness: Harness;
let cpu: RawClient;
let slow: RawClient;
let quick: RawClient;

beforeEach(async () => {
  harness = await startHarness(newLiveMachine);
  cpu = await joined(harness, 'cpu', 'cpu0');
  slow = await joined(harness, 'device', 'slow');
  quick = await joined(harness, 'device', 'quick');
  await cpu.ask(1, 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  await cpu.ask(2, 'store', { address: REGION.address, value: '0x2a' });
});

afterEach(async () => {
  await harness.close();
});

/** Maps the page in the device's page table. Returns the frame. */
async function faulted(device: RawClient): Promise<number> {
  const { result } = await device.ask(1, 'mmu_interval_notifier_insert', { range: RANGE });
  const walk = { ...result, range: RANGE, default_flags: 'fault' };
  const { pfns } = (await device.ask(2, 'hmm_range_fault_unlocked', walk)).result;
  const pfn = hmmPfnToPfn(pfns[0] ?? HMM_PFN_NONE);
  const entry = { state: 'mapped', pfn, access: 'read' };
  device.send({ method: 'mirror_changed', params: { changes: [{ page: PAGE, entry }] } });
  return pfn;
}

/** Answers the invalidation that is waiting for the device. */
async function obeys(device: RawClient): Promise<void> {
  const { id, method, params } = await device.next();
  assert.equal(method, 'invalidate');
  const changes = [{ page: PAGE, entry: { state: 'none' } }];
  device.send({ method: 'mirror_changed', params: { changes } });
  device.send({ id: id ?? 0, result: { result: 'done', invalidate_seq: params.seq } });
}

/** Waits until the server has read everything that `client` has sent. */
async function settled(client: RawClient): Promise<void> {
  assert.equal((await client.ask(900, 'nonsense')).error?.data.code, 'unknown-method');
}

test('its DMA is refused, the invalidation completes, the others go on, it is told why', async () => {
  const pfn = await faulted(slow);
  await faulted(quick);
  cpu.send({ id: 3, method: 'munmap', params: REGION });
  await obeys(quick);
  const asked = await slow.next();
  assert.equal(asked.method, 'invalidate');
  await settled(quick);
  harness.pass(SHORT_LEASE_MS);
  assert.deepEqual((await cpu.next()).result, {});
  const fenced = await slow.next();
  assert.equal(fenced.method, 'fenced');
  const { why, method, range, question } = fenced.params;
  assert.match(
    why,
    /^It did not answer the invalidate of page 0x\w+ of subscription \d+ within its lease\.$/,
  );
  assert.deepEqual([method, range], ['invalidate', { first: PAGE, end: PAGE + 1 }]);
  assert.equal(question, asked.id);
  assert.match(fenced.params.remedy, /connect again/);
  const dma = await slow.ask(3, 'dma_read', { targets: [{ page: PAGE, pfn }] });
  assert.equal(dma.error?.data.errno, 'ENOTCONN');
  assert.equal((await quick.ask(3, 'mmap_read_lock')).error, undefined);
});

test('a device that is lost with mmap_lock in its hand holds the others up for a lease, not longer', async () => {
  await slow.ask(1, 'mmap_read_lock');
  cpu.send({ id: 3, method: 'munmap', params: REGION });
  const connections = harness.gateway.connections;
  slow.socket.terminate();
  while (harness.gateway.connections === connections) await new Promise(setImmediate);
  harness.pass(SHORT_LEASE_MS);
  assert.deepEqual((await cpu.next()).result, {});
  harness.pass(SHORT_GRACE_MS);
  assert.deepEqual(
    harness.labs.all().flatMap((lab) => lab.actorsSeen().map(({ name }) => name)),
    ['cpu0', 'quick'],
  );
});

test('an answer that comes after the fence is refused, and does no harm', async () => {
  await faulted(slow);
  cpu.send({ id: 3, method: 'munmap', params: REGION });
  const { id, params } = await slow.next();
  harness.pass(SHORT_LEASE_MS);
  assert.equal((await slow.next()).method, 'fenced');
  assert.deepEqual((await cpu.next()).result, {});
  slow.send({ id: id ?? 0, result: { result: 'done', invalidate_seq: params.seq } });
  await settled(slow);
  assert.deepEqual((await cpu.ask(4, 'load', { address: REGION.address })).result, {
    signal: 'SIGSEGV',
  });
});

test('a device that has answered is heard before it is judged, though the server stood still', async () => {
  await faulted(slow);
  cpu.send({ id: 3, method: 'munmap', params: REGION });
  const { id, params } = await slow.next();
  slow.send({ id: id ?? 0, result: { result: 'done', invalidate_seq: params.seq } });
  // The answer has arrived, and the lease is over: both are found in the same turn.
  harness.standStill(SHORT_LEASE_MS);
  assert.deepEqual((await cpu.next()).result, {});
  const { id: answered, result } = await slow.ask(3, 'mmap_read_lock');
  assert.deepEqual([answered, result], [3, {}]);
});
